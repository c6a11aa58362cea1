using System.Runtime.CompilerServices;

namespace DiffEqLang.Runtime.Simd;

/// <summary>
/// x^y = exp(y log x) in float64, the logarithm in two parts to 2⁻⁶⁵ of itself: what is left of it after the first is multiplied by
/// up to 745. Needs fused multiply-add; without it, and where x is not a positive normal number, lanes go one by one.
/// </summary>
internal static class Power<T>
    where T : struct, ILanes<T>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <summary>x^y with the limits of <see cref="Math.Pow"/>: 1 where y is 0 or x is 1.</summary>
    [MethodImpl(Inline)]
    public static T Pow(T x, T y)
    {
        if (!T.IsFused) return T.Map(x, y, Math.Pow);
        var (high, low) = Log(x);
        var value = Exp(y, high, low);
        var isSpecial = PowerDomain.IsSpecial(x, y, T.Of(2.2250738585072014e-308));
        return T.Any(isSpecial) ? T.Select(isSpecial, T.Map(x, y, Math.Pow), value) : value;
    }

    /// <summary>log(x) = high + low, by 2t + t³ (2/3 + z L(z)), t = f/(2 + f) and z = t² in two parts each.</summary>
    [MethodImpl(Inline)]
    private static (T High, T Low) Log(T x)
    {
        var f = Logarithm<T, Float64<T>>.Split(x, out var k, out _);
        var (t, tLow) = Quotient(f);
        var z = t * t;
        var zLow = T.MultiplyAdd(t + t, tLow, T.MultiplyAdd(t, t, -z));
        var cube = t * z;
        var cubeLow = T.MultiplyAdd(t, zLow, T.MultiplyAdd(tLow, z, T.MultiplyAdd(t, z, -cube)));
        var (factor, factorLow) = Sum(T.Of(0.66666666666666663), z * SeriesRest(z));
        factorLow += T.Of(3.7007434154171883e-17);
        var rest = cube * factor;
        var restLow = T.MultiplyAdd(cube, factorLow, T.MultiplyAdd(cubeLow, factor, T.MultiplyAdd(cube, factor, -rest)));

        var (first, firstLow) = Sum(k * T.Of(Float64<T>.Ln2High), t + t);
        var (second, secondLow) = Sum(first, rest);
        var low = firstLow + secondLow + (restLow + (T.MultiplyAdd(k, T.Of(Float64<T>.Ln2Low), tLow + tLow)));
        return Sum(second, low);
    }

    /// <summary>f/(2 + f).</summary>
    [MethodImpl(Inline)]
    private static (T High, T Low) Quotient(T f)
    {
        var (divisor, divisorLow) = Sum(T.Of(2), f);
        var quotient = f / divisor;
        var rest = T.MultiplyAdd(-quotient, divisorLow, T.MultiplyAdd(-quotient, divisor, f));
        return (quotient, rest / divisor);
    }

    /// <summary>a + b for |a| of at least |b| or a = 0: Dekker's fast two-sum.</summary>
    [MethodImpl(Inline)]
    private static (T High, T Low) Sum(T a, T b)
    {
        var sum = a + b;
        return (sum, b - (sum - a));
    }

    /// <summary>exp(y (high + low)).</summary>
    [MethodImpl(Inline)]
    private static T Exp(T y, T high, T low)
    {
        // No logarithm but 0 is so small that a larger exponent would not overflow.
        var exponent = T.Max(T.Of(-1e20), T.Min(T.Of(1e20), y));
        var product = exponent * high;
        var productLow = T.MultiplyAdd(exponent, low, T.MultiplyAdd(exponent, high, -product));
        var bounded = T.Max(T.Of(-Float64<T>.ExpBound), T.Min(T.Of(Float64<T>.ExpBound), product));
        var p = Exponential<T, Float64<T>>.Reduce(bounded, out var n, out _);
        var correction = productLow & T.Equal(bounded, product);
        var value = T.Of(1) + T.MultiplyAdd(correction, p, p + correction);
        return T.Scale(value, n);
    }

    /// <summary>((log((1 + t)/(1 - t))/t - 2)/z - 2/3)/z by z = t².</summary>
    [MethodImpl(Inline)]
    private static T SeriesRest(T z) => Horner<T>.Of(
        z,
        0.4000000000000143,
        0.28571428570434465,
        0.2222222246778166,
        0.18181788432349302,
        0.1538658790888549,
        0.13260428079132197,
        0.1316538993222166);
}
