using DiffEqLang.Tableaux;

namespace DiffEqLang.Runtime.Simd;

/// <summary>The weights of a method's dense output, each lane at its own place θ in the step.</summary>
/// <param name="tableau">The method.</param>
internal sealed class DenseWeights<TLanes>(RungeKuttaTableau tableau)
    where TLanes : struct, ILanes<TLanes>
{
    private readonly double[][] _values = [.. tableau.Dense];
    private readonly double[][] _slopes = [.. tableau.Dense.Select(row => row.Select((value, power) => value * (power + 1)).ToArray())];

    /// <summary>The weight of a stage in y(t + θh), without the factor h.</summary>
    public TLanes OfValue(int stage, TLanes theta) => Horner(_values[stage], theta) * theta;

    /// <summary>Its weight in the derivative there.</summary>
    public TLanes OfSlope(int stage, TLanes theta) => Horner(_slopes[stage], theta);

    private static TLanes Horner(double[] coefficients, TLanes x)
    {
        var value = TLanes.Of(coefficients[^1]);
        for (var i = coefficients.Length - 2; i >= 0; i--) value = TLanes.MultiplyAdd(value, x, TLanes.Of(coefficients[i]));
        return value;
    }
}
