using System.Runtime.CompilerServices;

namespace DiffEqLang.Runtime.Simd;

/// <summary>
/// The error function and the normal distribution function, from exp(a²/2) Φ(-a) = Q(t)/(a + w), Q a polynomial of t = (a - k)/(a + k).
/// Shepherd and Laframboise (1981), Chebyshev approximation of (1 + 2x) exp(x²) erfc x in 0 ≤ x &lt; ∞, Math. Comp. 36.
/// </summary>
internal static class ErrorFunction<T, P>
    where T : struct, ILanes<T>
    where P : IPrecision<T>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    private static T SignBit
    {
        [MethodImpl(Inline)]
        get => T.Of(-0.0);
    }

    /// <summary>erf(x): an odd polynomial up to 1, 1 - 2 Φ(-√2 |x|) beyond.</summary>
    [MethodImpl(Inline)]
    public static T Erf(T x)
    {
        var a = T.Abs(x);
        var small = T.MultiplyAdd(a, P.Erf(a * a), a);
        var z = T.Min(T.Of(0.7 * P.NormalBound), a);
        var square = z * z;
        var mills = Mills(T.Of(1.41421356237309504880) * z, out _);
        var tail = Tail(T.Of(2) * mills, square, Product<T, P>.Residual(z, z, square));
        return T.Select(T.LessThan(T.Of(1), a), T.Of(1) - tail, small) | (x & SignBit);
    }

    /// <summary>x Φ(x), with Φ(a) = 1 - Φ(-a); NaN at -infinity.</summary>
    [MethodImpl(Inline)]
    public static T Gelu(T x)
    {
        var bounded = T.Max(T.Of(-P.NormalBound), T.Min(T.Of(P.NormalBound), x));
        var square = bounded * bounded;
        var mills = Mills(T.Abs(bounded), out var rest);
        rest = T.MultiplyAdd(T.Of(0.5), Product<T, P>.Residual(bounded, bounded, square), rest);
        // x Φ(-|x|), which is the value for negative x and what is missing from x for positive.
        var tail = Tail(bounded * mills, T.Of(0.5) * square, rest);
        var value = T.Select(T.LessThan(x, T.Of(0)), tail, x - tail) | (x & SignBit);
        return T.Select(T.Equal(x, T.Of(double.NegativeInfinity)), T.Of(double.NaN), value);
    }

    /// <summary>factor exp(-(square + rest)), the rest small.</summary>
    [MethodImpl(Inline)]
    private static T Tail(T factor, T square, T rest)
    {
        var p = Exponential<T, P>.Reduce(-square, out var rounded);
        p = T.MultiplyAdd(-rest, p, p - rest);
        return T.Scale(T.MultiplyAdd(factor, p, factor), rounded - T.Of(P.Rounder));
    }

    /// <summary>exp(a²/2) Φ(-a) = mills exp(-rest), the rest being what sum and quotient lose by rounding.</summary>
    [MethodImpl(Inline)]
    private static T Mills(T a, out T rest)
    {
        var centre = T.Of(P.MillsCentre);
        var weight = T.Of(P.MillsWeight);
        var q = P.Mills((a - centre) / (a + centre));
        var sum = a + weight;
        var lost = T.Min(a, weight) - (sum - T.Max(a, weight));
        var mills = q / sum;
        // 1/q is 2.2 to a tenth, which is enough for what is lost.
        rest = T.MultiplyAdd(lost, mills, Product<T, P>.Residual(mills, sum, q)) * T.Of(2.2);
        return mills;
    }
}
