using System.Runtime.CompilerServices;

namespace DiffEqLang.Runtime.Simd;

/// <summary>
/// Inverse sine, cosine and tangent, by the reductions of FDLIBM (Sun Microsystems, 1993): asin(x) = π/2 - 2 asin(√((1 - x)/2))
/// above 1/2, and atan of a ratio by the addition theorem with π/4 or π/2.
/// </summary>
internal static class InverseTrigonometric<T, P>
    where T : struct, ILanes<T>
    where P : IPrecision<T>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    private static T SignBit
    {
        [MethodImpl(Inline)]
        get => T.Of(-0.0);
    }

    /// <summary>asin(x); NaN outside [-1, 1].</summary>
    [MethodImpl(Inline)]
    public static T Asin(T x)
    {
        var a = T.Abs(x);
        var isLarge = T.LessThan(T.Of(0.5), a);
        var (root, value) = OfReduced(a, isLarge);
        // π/2 - 2 (root + value), its leading parts first: half of π/2 takes the root away almost exactly.
        var large = T.Of(P.HalfPi1) - (root + root) - ((value + value) - T.Of(P.HalfPi2));
        return T.Select(isLarge, large, root + value) | (x & SignBit);
    }

    /// <summary>acos(x); NaN outside [-1, 1].</summary>
    [MethodImpl(Inline)]
    public static T Acos(T x)
    {
        var a = T.Abs(x);
        var isLarge = T.LessThan(T.Of(0.5), a);
        var (root, value) = OfReduced(a, isLarge);
        var sign = x & SignBit;
        var small = T.Of(P.HalfPi1) - ((root ^ sign) - (T.Of(P.HalfPi2) - (value ^ sign)));
        var twice = root + root + (value + value);
        var reflected = T.Of(2 * P.HalfPi1) - (root + root - (T.Of(2 * P.HalfPi2) - (value + value)));
        return T.Select(isLarge, T.Select(T.LessThan(x, T.Of(0)), reflected, twice), small);
    }

    /// <summary>atan(x).</summary>
    [MethodImpl(Inline)]
    public static T Atan(T x) => OfRatio(T.Abs(x), T.Of(1)) | (x & SignBit);

    /// <summary>The angle of (x, y), in (-π, π].</summary>
    [MethodImpl(Inline)]
    public static T Atan2(T y, T x)
    {
        var (a, b) = (T.Abs(y), T.Abs(x));
        var infinite = T.Equal(a, T.Of(double.PositiveInfinity)) & T.Equal(b, T.Of(double.PositiveInfinity));
        var large = T.LessThan(T.Of(P.SumOverflows), T.Max(a, b));
        var factor = T.Select(large, T.Of(0.25), T.Of(1));
        a = T.Select(infinite, T.Of(1), a * factor);
        b = T.Select(infinite, T.Of(1), b * factor);
        var angle = T.Select(T.Equal(a, T.Of(0)), a, OfRatio(a, b));
        // NaN of x is in the angle already, save beside y = 0.
        var sign = x & SignBit;
        var isLeft = T.LessThan(sign | T.Of(1), T.Of(0));
        var reflected = T.Of(2 * P.HalfPi1) - (angle - T.Of(2 * P.HalfPi2));
        var upper = T.Select(isLeft, reflected, angle);
        return T.Select(T.Equal(x, x), upper, x) | (y & SignBit);
    }

    /// <summary>asin(r) = root + value, r = a or √((1 - a)/2), value with what the root's rounding lost.</summary>
    [MethodImpl(Inline)]
    private static (T Root, T Value) OfReduced(T a, T isLarge)
    {
        var half = T.Of(0.5) - T.Of(0.5) * a;
        var z = T.Select(isLarge, half, a * a);
        var root = T.Select(isLarge, T.Sqrt(half), a);
        var value = root * z * P.Asin(z);
        var lost = Product<T, P>.Residual(root, root, half) / (root + root);
        return (root, value - T.Select(isLarge & T.LessThan(T.Of(0), half), lost, T.Of(0)));
    }

    /// <summary>atan(a/b) of numbers that are not negative, and not both 0 or infinite.</summary>
    [MethodImpl(Inline)]
    private static T OfRatio(T a, T b)
    {
        var isLarge = T.LessThan(T.Of(2.41421356237309504880) * b, a);
        var isSmall = T.LessThan(a, T.Of(0.41421356237309504880) * b);
        var numerator = T.Select(isLarge, -b, T.Select(isSmall, a, a - b));
        var denominator = T.Select(isLarge, a, T.Select(isSmall, b, a + b));
        var t = numerator / denominator;
        var z = t * t;
        var high = T.Select(isLarge, T.Of(P.HalfPi1), T.Select(isSmall, T.Of(0), T.Of(P.HalfPi1 / 2)));
        var low = T.Select(isLarge, T.Of(P.HalfPi2), T.Select(isSmall, T.Of(0), T.Of(P.HalfPi2 / 2)));
        return high + (T.MultiplyAdd(t * z, P.Atan(z), low) + t);
    }
}
