using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DiffEqLang.Runtime.Noise;

/// <summary>
/// Standard normal numbers from uniform 32-bit words: Box and Muller (1958), A note on the generation of random
/// normal deviates, Ann. Math. Statist. 29. Eight pairs at once, in float64.
/// </summary>
/// <remarks>
/// Built from additions, multiplications, square roots and explicit fused multiply-adds alone, all of which IEEE 754
/// rounds the same way everywhere: the numbers are equal to the last bit on every processor.
/// </remarks>
internal static class NormalTransform
{
    /// <summary>2⁻³²: what one unit of a word stands for.</summary>
    private const double Resolution = 1.0 / 4294967296.0;

    /// <summary>2³⁰: a quarter of the words' range.</summary>
    private const double QuarterTurn = 1073741824.0;

    /// <summary>
    /// √(−2 ln u) (cos 2πv, sin 2πv), where u and v are the words' midpoints in units of 2⁻³² (so never 0 or 1).
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector512<double> First, Vector512<double> Second) BoxMuller(Vector512<ulong> u, Vector512<ulong> v)
    {
        var radius = Vector512.Sqrt(MinusTwoLog(ToUnit(u)));
        var (sine, cosine) = SinCosTurns(v);
        return (radius * cosine, radius * sine);
    }

    /// <summary>(k + ½) 2⁻³², exactly.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<double> ToUnit(Vector512<ulong> word) =>
        (ToDouble(word) + Vector512.Create(0.5)) * Vector512.Create(Resolution);

    /// <summary>A whole number below 2⁵² as a double: its bits under the exponent of 2⁵², less 2⁵².</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<double> ToDouble(Vector512<ulong> word)
    {
        var magic = Vector512.Create(4503599627370496.0);
        return (word | magic.AsUInt64()).AsDouble() - magic;
    }

    /// <summary>
    /// −2 ln u for u in (0, 1): u = 2ᵉ m with m in [√½, √2), and ln m = 2 artanh(s), s = (m − 1)/(m + 1), by its
    /// series, |s| &lt; 0.1716, to the term in s¹⁹: relative error below 1e-16.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<double> MinusTwoLog(Vector512<double> u)
    {
        // Shifting the bits by those of √½ carries into the exponent just where the fraction passes √½.
        var rootHalf = Vector512.Create(0x3FE6A09E667F3BCDL);
        var shifted = u.AsInt64() - rootHalf;
        var exponent = shifted >> 52;
        var m = ((shifted & Vector512.Create(0x000FFFFFFFFFFFFFL)) + rootHalf).AsDouble();

        var s = (m - Vector512<double>.One) / (m + Vector512<double>.One);
        var z = s * s;
        var series = Vector512.Create(1.0 / 19);
        series = Fma(series, z, 1.0 / 17);
        series = Fma(series, z, 1.0 / 15);
        series = Fma(series, z, 1.0 / 13);
        series = Fma(series, z, 1.0 / 11);
        series = Fma(series, z, 1.0 / 9);
        series = Fma(series, z, 1.0 / 7);
        series = Fma(series, z, 1.0 / 5);
        series = Fma(series, z, 1.0 / 3);
        series = Fma(series, z, 1.0);

        var e = ToDouble((exponent + Vector512.Create(64L)).AsUInt64()) - Vector512.Create(64.0);
        var minusTwoLog2 = Vector512.Create(-2 * 0.693147180559945309417232);
        return Vector512.FusedMultiplyAdd(e, minusTwoLog2, Vector512.Create(-4.0) * s * series);
    }

    /// <summary>
    /// sin and cos of 2π (k + ½) 2⁻³². The upper two bits, after rounding to the nearest quarter turn, choose the
    /// quadrant; the rest is an angle in [−π/4, π/4], where the Taylor series to x¹⁵ and x¹⁶ err by less than 1e-16.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector512<double> Sine, Vector512<double> Cosine) SinCosTurns(Vector512<ulong> word)
    {
        var quadrant = (word + Vector512.Create(0x20000000UL)) >>> 30;
        var offset = ToDouble(word) - ToDouble(quadrant) * Vector512.Create(QuarterTurn) + Vector512.Create(0.5);
        var x = offset * Vector512.Create(2 * Math.PI * Resolution);
        var z = x * x;

        var sine = Vector512.Create(-1.0 / 1307674368000);
        sine = Fma(sine, z, 1.0 / 6227020800);
        sine = Fma(sine, z, -1.0 / 39916800);
        sine = Fma(sine, z, 1.0 / 362880);
        sine = Fma(sine, z, -1.0 / 5040);
        sine = Fma(sine, z, 1.0 / 120);
        sine = Fma(sine, z, -1.0 / 6);
        sine = Vector512.FusedMultiplyAdd(sine * z, x, x);

        var cosine = Vector512.Create(1.0 / 20922789888000);
        cosine = Fma(cosine, z, -1.0 / 87178291200);
        cosine = Fma(cosine, z, 1.0 / 479001600);
        cosine = Fma(cosine, z, -1.0 / 3628800);
        cosine = Fma(cosine, z, 1.0 / 40320);
        cosine = Fma(cosine, z, -1.0 / 720);
        cosine = Fma(cosine, z, 1.0 / 24);
        cosine = Fma(cosine, z, -0.5);
        cosine = Fma(cosine, z, 1.0);

        // Quadrant q turns (cos, sin) by q quarter turns: odd q swaps them; sin changes sign for q = 2, 3, cos for q = 1, 2.
        var one = Vector512<ulong>.One;
        var swap = Vector512.Equals(quadrant & one, one).AsDouble();
        var sineSign = ((quadrant >>> 1) & one) << 63;
        var cosineSign = (((quadrant + one) >>> 1) & one) << 63;
        return (
            (Vector512.ConditionalSelect(swap, cosine, sine).AsUInt64() ^ sineSign).AsDouble(),
            (Vector512.ConditionalSelect(swap, sine, cosine).AsUInt64() ^ cosineSign).AsDouble());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<double> Fma(Vector512<double> a, Vector512<double> b, double c) =>
        Vector512.FusedMultiplyAdd(a, b, Vector512.Create(c));
}
