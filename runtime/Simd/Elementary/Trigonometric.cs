using System.Runtime.CompilerServices;

namespace DiffEqLang.Runtime.Simd;

/// <summary>
/// Sine, cosine and tangent, of radians: x = n π/2 + r with |r| at most π/4, by three fused multiply-adds with the parts of π/2, of
/// which the first is exact. Cody and Waite (1980), Software Manual for the Elementary Functions, ch. 8. Huge arguments, and
/// hardware without fused multiply-add, go lane by lane.
/// </summary>
internal static class Trigonometric<T, P>
    where T : struct, ILanes<T>
    where P : IPrecision<T>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    private static T SignBit
    {
        [MethodImpl(Inline)]
        get => T.Of(-0.0);
    }

    /// <summary>sin(x).</summary>
    [MethodImpl(Inline)]
    public static T Sin(T x)
    {
        if (!T.IsFused) return T.Map(x, Math.Sin);
        var r = Reduce(T.Abs(x), out var quadrant);
        return WithHuge(x, OfQuadrant(r, quadrant) ^ (x & SignBit), Math.Sin);
    }

    /// <summary>cos(x) = sin(|x| + π/2).</summary>
    [MethodImpl(Inline)]
    public static T Cos(T x)
    {
        if (!T.IsFused) return T.Map(x, Math.Cos);
        var r = Reduce(T.Abs(x), out var quadrant);
        return WithHuge(x, OfQuadrant(r, quadrant + T.Of(1)), Math.Cos);
    }

    /// <summary>tan(x): sin(r)/cos(r), or -cos(r)/sin(r) in every other quadrant.</summary>
    [MethodImpl(Inline)]
    public static T Tan(T x)
    {
        if (!T.IsFused) return T.Map(x, Math.Tan);
        var r = ReduceInTwoParts(T.Abs(x), out var quadrant, out var rest);
        var z = r * r;
        var (cosine, cosineLow) = CosOf(r, z, rest);
        var (sine, sineLow) = SinOf(r, z, T.MultiplyAdd(T.Of(-0.5) * z, rest, rest));
        var isOdd = T.LowestBit(quadrant);
        var (above, aboveLow) = (T.Select(isOdd, -cosine, sine), T.Select(isOdd, -cosineLow, sineLow));
        var (below, belowLow) = (T.Select(isOdd, sine, cosine), T.Select(isOdd, sineLow, cosineLow));
        var quotient = above / below;
        var lost = T.MultiplyAdd(-quotient, belowLow, T.MultiplyAdd(-quotient, below, above) + aboveLow);
        var value = quotient + lost / below;
        return WithHuge(x, value ^ (x & SignBit), Math.Tan);
    }

    /// <summary>The value, and where x is huge the scalar function's: no lane depends on what the others hold.</summary>
    [MethodImpl(Inline)]
    private static T WithHuge(T x, T value, Func<double, double> function)
    {
        var isHuge = T.LessThan(T.Of(P.TrigonometricBound), T.Abs(x));
        return T.Any(isHuge) ? T.Select(isHuge, T.Map(x, function), value) : value;
    }

    /// <summary>r, and n in the last bits of the quadrant.</summary>
    [MethodImpl(Inline)]
    private static T Reduce(T x, out T quadrant)
    {
        var n = NearestQuadrant(x, out quadrant);
        var first = T.MultiplyAdd(n, T.Of(-P.HalfPi1), x);
        return T.MultiplyAdd(n, T.Of(-P.HalfPi3), T.MultiplyAdd(n, T.Of(-P.HalfPi2), first));
    }

    /// <summary>r and what its rounding lost, and n in the last bits of the quadrant.</summary>
    [MethodImpl(Inline)]
    private static T ReduceInTwoParts(T x, out T quadrant, out T rest)
    {
        var n = NearestQuadrant(x, out quadrant);
        var first = T.MultiplyAdd(n, T.Of(-P.HalfPi1), x);
        // Two-sum of what is left and n times the second part, which is not always the smaller.
        var second = n * T.Of(-P.HalfPi2);
        var sum = first + second;
        var rounded = sum - first;
        var lost = first - (sum - rounded) + (second - rounded) + T.MultiplyAdd(n, T.Of(-P.HalfPi2), -second);
        var low = T.MultiplyAdd(n, T.Of(-P.HalfPi3), lost);
        var r = sum + low;
        rest = low - (r - sum);
        return r;
    }

    /// <summary>n, and n in the last bits of a number.</summary>
    [MethodImpl(Inline)]
    private static T NearestQuadrant(T x, out T quadrant)
    {
        quadrant = T.MultiplyAdd(x, T.Of(0.63661977236758134308), T.Of(P.Quadrants));
        return quadrant - T.Of(P.Quadrants);
    }

    /// <summary>sin(r), cos(r), -sin(r) or -cos(r), by the quadrant's last two bits.</summary>
    [MethodImpl(Inline)]
    private static T OfQuadrant(T r, T quadrant)
    {
        var z = r * r;
        var value = T.Select(T.LowestBit(quadrant), CosOf(r, z, T.Of(0)).High, SinOf(r, z, T.Of(0)).High);
        return value ^ (T.ShiftLeft(quadrant, P.SecondBitToSign) & SignBit);
    }

    /// <summary>sin(r) + correction, and what its rounding lost.</summary>
    [MethodImpl(Inline)]
    private static (T High, T Low) SinOf(T r, T z, T correction)
    {
        var rest = T.MultiplyAdd(r * z, P.Sin(z), correction);
        var sum = r + rest;
        return (sum, rest - (sum - r));
    }

    /// <summary>cos(r + rest) and what its rounding lost; that of 1 - z/2 goes with the polynomial's part.</summary>
    [MethodImpl(Inline)]
    private static (T High, T Low) CosOf(T r, T z, T rest)
    {
        var half = T.Of(0.5) * z;
        var leading = T.Of(1) - half;
        var small = T.Of(1) - leading - half + T.MultiplyAdd(z * z, P.Cos(z), -(r * rest));
        var sum = leading + small;
        return (sum, small - (sum - leading));
    }
}
