using System.Runtime.CompilerServices;
using DiffEqLang.Runtime.Simd;

namespace DiffEqLang.Runtime.Noise;

/// <summary>
/// Standard normal numbers from uniform 32-bit words: Box and Muller (1958), A note on the generation of random
/// normal deviates, Ann. Math. Statist. 29. As many pairs at once as a register of float64 has lanes.
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
    /// <remarks>A call of its own: two of them would not fit among the variables that one method may inline.</remarks>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static void BoxMuller<TLanes>(in TLanes u, in TLanes v, out TLanes first, out TLanes second)
        where TLanes : struct, ILanes<TLanes>
    {
        var radius = TLanes.Sqrt(MinusTwoLog(ToUnit(u)));
        SinCosTurns(v, out var sine, out var cosine);
        first = radius * cosine;
        second = radius * sine;
    }

    /// <summary>(k + ½) 2⁻³², exactly.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes ToUnit<TLanes>(TLanes word)
        where TLanes : struct, ILanes<TLanes> => (ToDouble(word) + TLanes.Of(0.5)) * TLanes.Of(Resolution);

    /// <summary>A whole number below 2⁵² as a double: its bits under the exponent of 2⁵², less 2⁵².</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TLanes ToDouble<TLanes>(TLanes word)
        where TLanes : struct, ILanes<TLanes> => (word | TLanes.Of(4503599627370496.0)) - TLanes.Of(4503599627370496.0);

    /// <summary>
    /// −2 ln u for u in (0, 1): u = 2ᵉ m with m in [√½, √2), and ln m = 2 artanh(s), s = (m − 1)/(m + 1), by its
    /// series, |s| &lt; 0.1716, to the term in s¹⁹: relative error below 1e-16.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TLanes MinusTwoLog<TLanes>(TLanes u)
        where TLanes : struct, ILanes<TLanes>
    {
        // Shifting the bits by those of √½ carries into the exponent just where the fraction passes √½; 64 keeps it positive.
        var rootHalf = Philox.Word<TLanes>(0x3FE6A09E667F3BCD);
        var shifted = TLanes.SubtractBits(u, rootHalf);
        var e = ToDouble(TLanes.ShiftRight(TLanes.AddBits(shifted, Philox.Word<TLanes>(64UL << 52)), 52)) - TLanes.Of(64.0);
        var m = TLanes.AddBits(shifted & Philox.Word<TLanes>(0x000FFFFFFFFFFFFF), rootHalf);

        var s = (m - TLanes.Of(1)) / (m + TLanes.Of(1));
        var z = s * s;
        var series = TLanes.Of(1.0 / 19);
        series = Fma(series, z, TLanes.Of(1.0 / 17));
        series = Fma(series, z, TLanes.Of(1.0 / 15));
        series = Fma(series, z, TLanes.Of(1.0 / 13));
        series = Fma(series, z, TLanes.Of(1.0 / 11));
        series = Fma(series, z, TLanes.Of(1.0 / 9));
        series = Fma(series, z, TLanes.Of(1.0 / 7));
        series = Fma(series, z, TLanes.Of(1.0 / 5));
        series = Fma(series, z, TLanes.Of(1.0 / 3));
        series = Fma(series, z, TLanes.Of(1.0));
        return Fma(e, TLanes.Of(-2 * 0.693147180559945309417232), TLanes.Of(-4.0) * s * series);
    }

    /// <summary>
    /// sin and cos of 2π (k + ½) 2⁻³². The upper two bits, after rounding to the nearest quarter turn, choose the
    /// quadrant; the rest is an angle in [−π/4, π/4], where the Taylor series to x¹⁵ and x¹⁶ err by less than 1e-16.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void SinCosTurns<TLanes>(TLanes word, out TLanes turnedSine, out TLanes turnedCosine)
        where TLanes : struct, ILanes<TLanes>
    {
        var quadrant = TLanes.ShiftRight(TLanes.AddBits(word, Philox.Word<TLanes>(0x20000000)), 30);
        var offset = ToDouble(word) - ToDouble(quadrant) * TLanes.Of(QuarterTurn) + TLanes.Of(0.5);
        var x = offset * TLanes.Of(2 * Math.PI * Resolution);
        var z = x * x;

        var sine = TLanes.Of(-1.0 / 1307674368000);
        sine = Fma(sine, z, TLanes.Of(1.0 / 6227020800));
        sine = Fma(sine, z, TLanes.Of(-1.0 / 39916800));
        sine = Fma(sine, z, TLanes.Of(1.0 / 362880));
        sine = Fma(sine, z, TLanes.Of(-1.0 / 5040));
        sine = Fma(sine, z, TLanes.Of(1.0 / 120));
        sine = Fma(sine, z, TLanes.Of(-1.0 / 6));
        sine = Fma(sine * z, x, x);

        var cosine = TLanes.Of(1.0 / 20922789888000);
        cosine = Fma(cosine, z, TLanes.Of(-1.0 / 87178291200));
        cosine = Fma(cosine, z, TLanes.Of(1.0 / 479001600));
        cosine = Fma(cosine, z, TLanes.Of(-1.0 / 3628800));
        cosine = Fma(cosine, z, TLanes.Of(1.0 / 40320));
        cosine = Fma(cosine, z, TLanes.Of(-1.0 / 720));
        cosine = Fma(cosine, z, TLanes.Of(1.0 / 24));
        cosine = Fma(cosine, z, TLanes.Of(-0.5));
        cosine = Fma(cosine, z, TLanes.Of(1.0));

        // Quadrant q turns (cos, sin) by q quarter turns: odd q swaps them; sin changes sign for q = 2, 3, cos for q = 1, 2.
        var swap = TLanes.LowestBit(quadrant);
        var sign = TLanes.Of(-0.0);
        var sineSign = TLanes.ShiftLeft(quadrant, 62) & sign;
        var cosineSign = TLanes.ShiftLeft(TLanes.AddBits(quadrant, Philox.Word<TLanes>(1)), 62) & sign;
        turnedSine = TLanes.Select(swap, cosine, sine) ^ sineSign;
        turnedCosine = TLanes.Select(swap, sine, cosine) ^ cosineSign;
    }

    /// <summary>a b + c rounded once, whatever the processor has.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TLanes Fma<TLanes>(TLanes a, TLanes b, TLanes c)
        where TLanes : struct, ILanes<TLanes> => TLanes.IsFused ? TLanes.MultiplyAdd(a, b, c) : FmaLaneByLane(a, b, c);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static TLanes FmaLaneByLane<TLanes>(TLanes a, TLanes b, TLanes c)
        where TLanes : struct, ILanes<TLanes>
    {
        var sums = LaneNumbers<TLanes, double>.Of(new Span<TLanes>(ref a));
        var factors = LaneNumbers<TLanes, double>.Of(new Span<TLanes>(ref b));
        var terms = LaneNumbers<TLanes, double>.Of(new Span<TLanes>(ref c));
        for (var i = 0; i < sums.Length; i++) sums[i] = Math.FusedMultiplyAdd(sums[i], factors[i], terms[i]);
        return a;
    }
}
