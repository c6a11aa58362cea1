using System.Runtime.CompilerServices;

namespace DiffEqLang.Runtime.Simd;

/// <summary>
/// x^y of float32 numbers as 2^(y log₂ x) in float64 lanes, with polynomials no longer than float32 asks for: shorter than the logarithm
/// in two parts of float32.
/// </summary>
internal static class SinglePower<T>
    where T : struct, ILanes<T>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <summary>x^y with the limits of <see cref="Math.Pow"/>, for numbers that are of float32; to be rounded to it.</summary>
    [MethodImpl(Inline)]
    public static T Pow(T x, T y)
    {
        var f = Logarithm<T, Float64<T>>.Split(x, out var k, out _);
        var s = f / (T.Of(2) + f);
        var product = y * T.MultiplyAdd(s, Log2(s * s), k);
        var bounded = T.Max(T.Of(-160), T.Min(T.Of(160), product));
        var rounded = bounded + T.Of(Float64<T>.Rounder);
        var r = bounded - (rounded - T.Of(Float64<T>.Rounder));
        var value = Exp2(r) * PowerOfTwo.FromRounded<T, Float64<T>>(rounded);
        var isSpecial = PowerDomain.IsSpecial(x, y, T.Of(1e-46));
        return T.Any(isSpecial) ? T.Select(isSpecial, T.Map(x, y, Math.Pow), value) : value;
    }

    /// <summary>log₂((1 + s)/(1 - s))/s by z = s², to 2⁻⁴³.</summary>
    [MethodImpl(Inline)]
    private static T Log2(T z) => Horner<T>.Of(
        z,
        2.885390081777849,
        0.9617966941149573,
        0.5770779418921766,
        0.41220930093989544,
        0.31990366659955294,
        0.28292974969762663);

    /// <summary>2ʳ for |r| up to 1/2, to 2⁻²⁹.</summary>
    [MethodImpl(Inline)]
    private static T Exp2(T r) => Horner<T>.Of(
        r,
        0.9999999999209377,
        0.6931472067417542,
        0.24022651491552374,
        0.05550327147759879,
        0.009617995942491719,
        0.0013400459274659229,
        0.00015477653428249286);
}
