using System.Runtime.CompilerServices;

namespace DiffEqLang.Runtime.Simd;

/// <summary>
/// The logarithm and what is made of it: u = 2ᵏ (1 + f) with 1 + f between √½ and √2, and log(1 + f) = f - f²/2 + s (f²/2 + R)
/// by s = f/(2 + f), R the rest of the series of 2 artanh(s)/s. The algorithm of FDLIBM's e_log.c (Sun Microsystems, 1993).
/// </summary>
internal static class Logarithm<T, P>
    where T : struct, ILanes<T>
    where P : IPrecision<T>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    private static T SignBit
    {
        [MethodImpl(Inline)]
        get => T.Of(-0.0);
    }

    /// <summary>log(x); -infinity at 0, NaN below.</summary>
    [MethodImpl(Inline)]
    public static T Log(T x)
    {
        // Subnormal numbers are raised first.
        var isSmall = T.LessThan(x, T.Of(P.SmallestNormal));
        var raised = T.Select(isSmall, x * T.Of(P.UlpsOfOne), x);
        var f = Split(raised, out var k, out _);
        return WithLimits(x, x, OfReduced(f, k - (isSmall & T.Of(P.MantissaBits))));
    }

    /// <summary>log(1 + x); -infinity at -1, NaN below.</summary>
    [MethodImpl(Inline)]
    public static T Log1p(T x)
    {
        var (u, error) = OnePlus(x);
        return WithLimits(x, u, OfNormal(u, error, default)) | (x & SignBit);
    }

    /// <summary>log(1 + exp(x)) = max(x, 0) + log(1 + exp(-|x|)).</summary>
    [MethodImpl(Inline)]
    public static T Softplus(T x)
    {
        var (u, error) = OnePlus(Exponential<T, P>.ExpOfNegative(x));
        return T.Max(T.Of(0), x) + OfNormal(u, error, default);
    }

    /// <summary>asinh(x) = log(1 + w), w = |x| + x²/(1 + sqrt(x² + 1)); log(2|x|) for large x.</summary>
    [MethodImpl(Inline)]
    public static T Asinh(T x)
    {
        var a = T.Abs(x);
        var root = T.Sqrt(T.MultiplyAdd(a, a, T.Of(1)));
        var excess = a * (a / (T.Of(1) + root));
        return OnePlusOrDouble(a, a, excess) | (x & SignBit);
    }

    /// <summary>acosh(x) = log(1 + w), w = t + sqrt(t (t + 2)) with t = x - 1; log(2x) for large x; NaN below 1.</summary>
    [MethodImpl(Inline)]
    public static T Acosh(T x)
    {
        var t = x - T.Of(1);
        var value = OnePlusOrDouble(x, T.Sqrt(t * (t + T.Of(2))), t);
        return T.Select(T.LessThan(x, T.Of(1)), T.Of(double.NaN), value);
    }

    /// <summary>atanh(x) = log(1 + 2|x|/(1 - |x|))/2; infinite at -1 and 1, NaN beyond.</summary>
    [MethodImpl(Inline)]
    public static T Atanh(T x)
    {
        var a = T.Abs(x);
        var w = (a + a) / (T.Of(1) - a);
        var (u, error) = OnePlus(w);
        return T.Of(0.5) * WithLimits(w, u, OfNormal(u, error, default)) | (x & SignBit);
    }

    /// <summary>log(1 + larger + smaller), or log(2x) where x is so large that it is the same.</summary>
    [MethodImpl(Inline)]
    private static T OnePlusOrDouble(T x, T larger, T smaller)
    {
        var w = larger + smaller;
        var lost = smaller - (w - larger);
        var (u, error) = OnePlus(w);
        var isLarge = T.LessThan(T.Of(P.SquareDominates), x);
        var value = OfNormal(
            T.Select(isLarge, x, u), T.AndNot(error + lost, isLarge), T.Of(1) & isLarge);
        return T.Select(T.Equal(x, T.Of(double.PositiveInfinity)), x, value);
    }

    /// <summary>1 + x, and what its rounding lost: Knuth's two-sum.</summary>
    [MethodImpl(Inline)]
    private static (T Sum, T Error) OnePlus(T x)
    {
        var sum = T.Of(1) + x;
        var rounded = sum - T.Of(1);
        return (sum, T.Of(1) - (sum - rounded) + (x - rounded));
    }

    /// <summary>The value of a logarithm of u made of x where u is positive and finite; its limits elsewhere.</summary>
    [MethodImpl(Inline)]
    private static T WithLimits(T x, T u, T value)
    {
        value = T.Select(T.LessThan(T.Of(0), u), value, T.Of(double.NaN));
        value = T.Select(T.Equal(u, T.Of(0)), T.Of(double.NegativeInfinity), value);
        return T.Select(T.Equal(x, T.Of(double.PositiveInfinity)), x, value);
    }

    /// <summary>log(u + error) + extra log 2 for normal u; the error is below the last bit of u.</summary>
    [MethodImpl(Inline)]
    private static T OfNormal(T u, T error, T extra)
    {
        var f = Split(u, out var k, out var power);
        var inverse = T.SubtractBits(T.Of(P.LargestPower), T.Min(T.Of(P.LargestPower), power));
        return OfReduced(T.MultiplyAdd(error, inverse, f), k + extra);
    }

    /// <summary>f of u = 2ᵏ (1 + f), with 1 + f from √½ to √2; the bits of the power are 2ᵏ, where that is normal.</summary>
    [MethodImpl(Inline)]
    public static T Split(T u, out T k, out T power)
    {
        var biased = T.AddBits(T.SubtractBits(u, T.Of(0.70710678118654752440)), T.Of(1));
        var exponent = T.ShiftRight(biased, P.MantissaBits);
        power = T.ShiftLeft(exponent, P.MantissaBits);
        k = (exponent | T.Of(P.UlpsOfOne)) - T.Of(P.UlpsOfOne + P.ExponentBias);
        return T.AddBits(T.SubtractBits(u, power), T.Of(1)) - T.Of(1);
    }

    /// <summary>log(1 + f) + k log 2.</summary>
    [MethodImpl(Inline)]
    private static T OfReduced(T f, T k)
    {
        var s = f / (T.Of(2) + f);
        var z = s * s;
        var half = T.Of(0.5) * f * f;
        var low = T.MultiplyAdd(s, T.MultiplyAdd(z, P.Log(z), half), k * T.Of(P.Ln2Low));
        return T.MultiplyAdd(k, T.Of(P.Ln2High), f - (half - low));
    }
}
