using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime.Sparse;

/// <summary>Sparse matrices with LU factors, sample by sample on the host, in float64 whatever the states are in.</summary>
internal sealed class SparseMatrices : NewtonMatrices
{
    private readonly SparseJacobian _jacobian;
    private readonly ColumnMatrix _structure;
    private readonly int[] _order;
    private readonly int _lanes;
    private double[][] _entries = [];       // [samples][entries of J]
    private SparseLu?[] _factors = [];      // [samples]; null where the matrix is singular
    private SparseLu?[] _spare = [];

    /// <param name="equations">The equations.</param>
    /// <param name="pattern">Of their Jacobian.</param>
    /// <param name="lanes">How many lanes there are.</param>
    public SparseMatrices(OdeEquations equations, SparsityPattern pattern, int lanes)
    {
        (_jacobian, _structure, _order, _lanes) =
            (new SparseJacobian(equations, pattern), new ColumnMatrix(pattern), ReverseCuthillMcKee.Of(pattern), lanes);
    }

    /// <inheritdoc/>
    public override void Evaluate(int[] which, Tensor time, Tensor state)
    {
        if (_entries.Length == 0) (_entries, _factors, _spare) = (new double[state.size(0)][], new SparseLu?[state.size(0)], new SparseLu?[state.size(0)]);
        using var scope = NewDisposeScope();
        int[] samples = [.. SamplesOf(which)];
        var isPart = samples.Length < _entries.Length;
        using var index = tensor([.. samples.Select(sample => (long)sample)], ScalarType.Int64, state.device);
        var entries = isPart
            ? _jacobian.At(time.dim() == 0 ? time : time.index_select(0, index), state.index_select(0, index))
            : _jacobian.At(time, state);
        for (var i = 0; i < samples.Length; i++) _entries[samples[i]] = entries[i];
    }

    /// <inheritdoc/>
    public override void Factorize(int[] which, double[] g)
    {
        foreach (var sample in SamplesOf(which))
        {
            var factors = _spare[sample] ??= new SparseLu(_structure, _order);
            _factors[sample] = factors.Factorize(_structure.Values(g[_lanes == 1 ? 0 : sample], _entries[sample])) ? factors : null;
        }
    }

    /// <inheritdoc/>
    public override Tensor Solve(Tensor vector) => OfEach(vector, (factors, part) => factors.Solve(part));

    /// <inheritdoc/>
    public override Tensor SolveTransposed(Tensor vector) => OfEach(vector, (factors, part) => factors.SolveTransposed(part));

    private Tensor OfEach(Tensor vector, Solver solve)
    {
        var numbers = HostVector.ToHost(vector.contiguous());
        for (var sample = 0; sample < _factors.Length; sample++)
        {
            var part = numbers.AsSpan(sample * _structure.Size, _structure.Size);
            if (_factors[sample] is { } factors) solve(factors, part);
            else part.Fill(double.NaN);
        }

        return HostVector.ToDevice(numbers, vector.shape, vector.dtype, vector.device);
    }

    private IEnumerable<int> SamplesOf(int[] which) => _lanes == 1 ? Enumerable.Range(0, _entries.Length) : which;

    private delegate void Solver(SparseLu factors, Span<double> part);

    /// <inheritdoc/>
    public override void Dispose() { }
}
