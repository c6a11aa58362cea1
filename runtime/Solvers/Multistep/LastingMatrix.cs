using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// The matrices I - gJ of the lanes' iterations. Both parts last over steps: the Jacobian until its lane no longer converges, or for so many
/// attempts, the factors until g is another.
/// </summary>
/// <remarks>
/// What the iteration makes of factors for another g' is corrected by 2/(1 + g/g'): Brown, Byrne and Hindmarsh (1989), VODE, SIAM
/// J. Sci. Stat. Comput. 10, sec. 3.2. Lanes take new matrices each on its own, so that their results do not depend on batch mates.
/// </remarks>
/// <param name="matrices">The matrices.</param>
/// <param name="lanes">How many lanes there are.</param>
/// <param name="isFresh">Whether every step takes a new Jacobian.</param>
internal sealed class LastingMatrix(NewtonMatrices matrices, int lanes, bool isFresh) : IDisposable
{
    private const double MostChange = 0.25;
    private const int MostAttempts = 50;

    private readonly double[] _factorized = new double[lanes];  // g of the factors; 0 where there are none
    private readonly int[] _age = new int[lanes];               // of the Jacobians, in attempts
    private double[] _leading = [];
    private Tensor? _time, _predicted;

    /// <summary>How often the Jacobian was computed, of one lane or more at a time.</summary>
    public long Jacobians { get; private set; }

    /// <summary>How often matrices were factorized, of one lane or more at a time.</summary>
    public long Factorizations { get; private set; }

    /// <summary>What is known of a lane's matrices, but for the Jacobian.</summary>
    public double[] Memory(int lane) => [_factorized[lane], _age[lane]];

    /// <summary>The Jacobians as they were computed last; null where none was.</summary>
    public Tensor? Jacobian => matrices.Jacobian;

    /// <summary>Whether Jacobians can be taken out and put back.</summary>
    public bool IsDense => matrices is DenseMatrices;

    /// <summary>Goes on with matrices that were known before.</summary>
    /// <param name="ofLanes">Lane by lane, <see cref="Memory"/>.</param>
    /// <param name="jacobian">Theirs, [samples, N, N].</param>
    public void Recall(double[][] ofLanes, Tensor jacobian)
    {
        matrices.Jacobian = jacobian;
        for (var lane = 0; lane < lanes; lane++) (_factorized[lane], _age[lane]) = (ofLanes[lane][0], (int)ofLanes[lane][1]);
        if (Where(lane => _factorized[lane] != 0) is { Length: > 0 } which) matrices.Factorize(which, _factorized);
    }

    /// <summary>Makes ready for an attempt.</summary>
    /// <param name="time">t: [] or [lanes].</param>
    /// <param name="predicted">Where new Jacobians are computed: [samples, N].</param>
    /// <param name="leading">g of each lane; zero where it does not move.</param>
    public void Open(Tensor time, Tensor predicted, double[] leading)
    {
        (_time, _predicted, _leading) = (time, predicted, leading);
        for (var lane = 0; lane < lanes; lane++) _age[lane]++;
        Renew([.. leading.Select((g, lane) => g != 0 && (isFresh || _factorized[lane] == 0 || _age[lane] > MostAttempts))]);
        Factorize(Where(lane => leading[lane] != 0 && Math.Abs(leading[lane] / _factorized[lane] - 1) > MostChange));
    }

    /// <summary>Takes new Jacobians where lanes ask for one and theirs is old; false where none is.</summary>
    public bool Renew(bool[] asks)
    {
        var which = Where(lane => asks[lane] && (_age[lane] > 0 || _factorized[lane] == 0));
        if (which.Length == 0) return false;
        Jacobians++;
        foreach (var lane in which) _age[lane] = 0;
        matrices.Evaluate(which, _time!, _predicted!);
        Factorize(which);
        return true;
    }

    /// <summary>(I - gJ)⁻¹ v: [samples, N].</summary>
    public Tensor Solve(Tensor vector)
    {
        var solved = matrices.Solve(vector);
        if (_leading.AsSpan().SequenceEqual(_factorized)) return solved;
        return solved.mul_(LaneWeights.Column([.. _leading.Zip(_factorized, (g, known) => g == 0 ? 0 : 2 / (1 + g / known))], vector));
    }

    private void Factorize(int[] which)
    {
        if (which.Length == 0) return;
        Factorizations++;
        foreach (var lane in which) _factorized[lane] = _leading[lane];
        matrices.Factorize(which, _leading);
    }

    private int[] Where(Func<int, bool> holds) => [.. Enumerable.Range(0, lanes).Where(holds)];

    /// <inheritdoc/>
    public void Dispose() => matrices.Dispose();
}
