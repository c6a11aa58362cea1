using System.Globalization;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// The open interval that a parameter is kept in. An optimizer moves an unconstrained number; the parameter is its
/// smooth, increasing image: low + softplus(u), high − softplus(u), or low + (high − low) sigmoid(u).
/// </summary>
/// <param name="Low">The lower end, or negative infinity.</param>
/// <param name="High">The upper end, or infinity.</param>
public readonly record struct Interval(double Low, double High)
{
    /// <summary>Beyond this softplus(u) = u to the last bit of a float64.</summary>
    private const double SoftplusThreshold = 40;

    /// <summary>Whether it bounds anything.</summary>
    public bool IsBounded => !double.IsNegativeInfinity(Low) || !double.IsPositiveInfinity(High);

    /// <summary>(low, high)</summary>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"({Low}, {High})");

    /// <summary>The value inside the interval for an unconstrained one, elementwise and differentiable.</summary>
    internal Tensor Constrain(Tensor unconstrained) => (double.IsFinite(Low), double.IsFinite(High)) switch
    {
        (true, true) => Low + (High - Low) * unconstrained.sigmoid(),
        (true, false) => Low + Softplus(unconstrained),
        (false, true) => High - Softplus(unconstrained),
        (false, false) => unconstrained,
    };

    /// <summary>
    /// The inverse of <see cref="Constrain"/>. softplus⁻¹(y) = y + ln(1 − e⁻ʸ), which neither overflows for large y
    /// nor cancels for small.
    /// </summary>
    internal Tensor Unconstrain(Tensor value) => (double.IsFinite(Low), double.IsFinite(High)) switch
    {
        (true, true) => (value - Low).log() - (High - value).log(),
        (true, false) => SoftplusInverse(value - Low),
        (false, true) => SoftplusInverse(High - value),
        (false, false) => value,
    };

    /// <summary>Checks that every element lies strictly inside.</summary>
    /// <exception cref="ArgumentException">One does not.</exception>
    internal void Check(string name, Tensor value)
    {
        using var scope = NewDisposeScope();
        var values = value.detach().to(ScalarType.Float64).cpu().reshape(-1).contiguous().data<double>();
        foreach (var x in values)
            if (!(x > Low && x < High))
                throw new ArgumentException(string.Create(
                    CultureInfo.InvariantCulture, $"Parameter {name} is kept in the open interval {this}; the value given has {x}."));
    }

    private static Tensor Softplus(Tensor u) => nn.functional.softplus(u, 1, SoftplusThreshold);

    private static Tensor SoftplusInverse(Tensor y) => y + (-(-y).expm1()).log();
}
