using DiffEqLang.Tableaux;

namespace DiffEqLang.Runtime.Simd;

/// <summary>A method's dense output, each lane at its own place θ in the step.</summary>
/// <param name="tableau">The method.</param>
/// <param name="parts">Which numbers of the state its stages move.</param>
internal sealed class DenseWeights<TLanes>(RungeKuttaTableau tableau, LaneParts parts)
    where TLanes : struct, ILanes<TLanes>
{
    private readonly int[] _stages = [.. Enumerable.Range(0, tableau.A.Count).Where(i => tableau.Dense[i].AsSpan().ContainsAnyExcept(0.0))];
    private readonly TLanes[][] _values = [.. tableau.Dense.Select(row => row.Select(TLanes.Of).ToArray())];
    private readonly TLanes[][] _slopes =
        [.. tableau.Dense.Select(row => row.Select((value, power) => TLanes.Of(value * (power + 1))).ToArray())];

    /// <summary>The stages that have a weight.</summary>
    public ReadOnlySpan<int> Stages => _stages;

    /// <summary>The weight of a stage in y(t + θh), without the factor h.</summary>
    public TLanes OfValue(int stage, TLanes theta) => Horner(_values[stage], theta) * theta;

    /// <summary>Its weight in the derivative there.</summary>
    public TLanes OfSlope(int stage, TLanes theta) => Horner(_slopes[stage], theta);

    /// <summary>The state y(t + θh).</summary>
    /// <param name="theta">θ of each lane.</param>
    /// <param name="h">The step.</param>
    /// <param name="state">The state before it, length N.</param>
    /// <param name="stages">All stages, N each.</param>
    /// <param name="result">Receives it, length N.</param>
    public void Value(TLanes theta, TLanes h, ReadOnlySpan<TLanes> state, ReadOnlySpan<TLanes> stages, Span<TLanes> result)
    {
        result.Clear();
        foreach (var stage in _stages) AddStage(OfValue(stage, theta), stage, stages, result);
        for (var c = 0; c < result.Length; c++) result[c] = TLanes.MultiplyAdd(h, result[c], state[c]);
    }

    /// <summary>Its derivative by time there: as <see cref="Value"/>.</summary>
    public void Slope(TLanes theta, ReadOnlySpan<TLanes> stages, Span<TLanes> result)
    {
        result.Clear();
        foreach (var stage in _stages) AddStage(OfSlope(stage, theta), stage, stages, result);
    }

    private void AddStage(TLanes weight, int stage, ReadOnlySpan<TLanes> stages, Span<TLanes> sum) =>
        Add(weight, stage, stages.Slice(stage * sum.Length, sum.Length), sum);

    /// <summary>sum += weight · values on the numbers that a stage moves.</summary>
    public void Add(TLanes weight, int stage, ReadOnlySpan<TLanes> values, Span<TLanes> sum)
    {
        foreach (var c in parts.Of(stage)) sum[c] = TLanes.MultiplyAdd(weight, values[c], sum[c]);
    }

    private static TLanes Horner(TLanes[] coefficients, TLanes x)
    {
        var value = coefficients[^1];
        for (var i = coefficients.Length - 2; i >= 0; i--) value = TLanes.MultiplyAdd(value, x, coefficients[i]);
        return value;
    }
}
