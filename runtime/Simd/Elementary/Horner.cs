using System.Runtime.CompilerServices;

namespace DiffEqLang.Runtime.Simd;

/// <summary>Polynomials by Horner's rule, and one by Estrin's. Coefficients from the lowest power on; each step a multiply-add with a constant.</summary>
internal static class Horner<T>
    where T : struct, ILanes<T>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <summary>c0 + x c1 + x² c2</summary>
    [MethodImpl(Inline)]
    public static T Of(T x, double c0, double c1, double c2) =>
        T.MultiplyAdd(T.MultiplyAdd(T.Of(c2), x, T.Of(c1)), x, T.Of(c0));

    /// <summary>c0 + ... + x³ c3</summary>
    [MethodImpl(Inline)]
    public static T Of(T x, double c0, double c1, double c2, double c3) => Onto(Of(x, c1, c2, c3), x, c0);

    /// <summary>c0 + ... + x⁴ c4</summary>
    [MethodImpl(Inline)]
    public static T Of(T x, double c0, double c1, double c2, double c3, double c4) => Onto(Of(x, c2, c3, c4), x, c0, c1);

    /// <summary>c0 + ... + x⁵ c5</summary>
    [MethodImpl(Inline)]
    public static T Of(T x, double c0, double c1, double c2, double c3, double c4, double c5) =>
        Onto(Of(x, c2, c3, c4, c5), x, c0, c1);

    /// <summary>c0 + ... + x⁶ c6</summary>
    [MethodImpl(Inline)]
    public static T Of(T x, double c0, double c1, double c2, double c3, double c4, double c5, double c6) =>
        Onto(Of(x, c3, c4, c5, c6), x, c0, c1, c2);

    /// <summary>c0 + x higher</summary>
    [MethodImpl(Inline)]
    public static T Onto(T higher, T x, double c0) => T.MultiplyAdd(higher, x, T.Of(c0));

    /// <summary>c0 + x c1 + x² higher</summary>
    [MethodImpl(Inline)]
    public static T Onto(T higher, T x, double c0, double c1) => Onto(Onto(higher, x, c1), x, c0);

    /// <summary>c0 + x c1 + x² c2 + x³ higher</summary>
    [MethodImpl(Inline)]
    public static T Onto(T higher, T x, double c0, double c1, double c2) => Onto(Onto(higher, x, c1, c2), x, c0);

    /// <summary>c0 + ... + x³ c3 + x⁴ higher</summary>
    [MethodImpl(Inline)]
    public static T Onto(T higher, T x, double c0, double c1, double c2, double c3) =>
        Onto(Onto(higher, x, c2, c3), x, c0, c1);

    /// <summary>c0 + ... + x⁴ c4 + x⁵ higher</summary>
    [MethodImpl(Inline)]
    public static T Onto(T higher, T x, double c0, double c1, double c2, double c3, double c4) =>
        Onto(Onto(higher, x, c2, c3, c4), x, c0, c1);

    /// <summary>
    /// c₀ + c₁x + … + c₅x⁵ by pairs of terms: as many operations, in three steps of dependence for five. Estrin (1960), Organization of
    /// computer systems: the fixed plus variable structure computer.
    /// </summary>
    [MethodImpl(Inline)]
    public static T ByPairs(T x, double c0, double c1, double c2, double c3, double c4, double c5)
    {
        var square = x * x;
        var high = T.MultiplyAdd(T.MultiplyAdd(T.Of(c5), x, T.Of(c4)), square, T.MultiplyAdd(T.Of(c3), x, T.Of(c2)));
        return T.MultiplyAdd(high, square, T.MultiplyAdd(T.Of(c1), x, T.Of(c0)));
    }
}
