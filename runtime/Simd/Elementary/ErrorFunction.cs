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
        var tail = Tail(T.Of(2) * mills, T.Of(0), square, Product<T, P>.Residual(z, z, square));
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
        // The value itself for negative x, whose Φ(x) may be subnormal.
        var isNegative = T.LessThan(x, T.Of(0));
        var product = bounded * mills;
        var lost = Product<T, P>.Residual(bounded, mills, product) & isNegative;
        var factor = T.Select(isNegative, product, mills);
        var tail = Tail(factor, lost, T.Of(0.5) * square, rest);
        var value = T.Select(isNegative, tail, T.MultiplyAdd(-bounded, tail, x) | (x & SignBit));
        return T.Select(T.Equal(x, T.Of(double.NegativeInfinity)), T.Of(double.NaN), value);
    }

    /// <summary>(factor + low) exp(-(square + rest)), the low part and the rest below the last bits.</summary>
    [MethodImpl(Inline)]
    private static T Tail(T factor, T low, T square, T rest)
    {
        var p = Exponential<T, P>.Reduce(-square, out var n, out _);
        p = T.MultiplyAdd(-rest, p, p - rest);
        return T.Scale(factor + T.MultiplyAdd(factor, p, low), n);
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
        // 1/q by its chord from 0.40 to 0.63, which is enough for what is lost.
        var inverse = T.MultiplyAdd(T.Of(-3.85), q, T.Of(3.97));
        rest = T.MultiplyAdd(lost, mills, Product<T, P>.Residual(mills, sum, q)) * inverse;
        return mills;
    }
}
