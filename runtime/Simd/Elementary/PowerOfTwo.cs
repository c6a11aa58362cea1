using System.Runtime.CompilerServices;

namespace DiffEqLang.Runtime.Simd;

/// <summary>Powers of two and rounding, by the sum with a number so large that its last bit counts ones.</summary>
internal static class PowerOfTwo
{
    /// <summary>
    /// The integer nearest to a b, plus <see cref="IPrecision{T}.Rounder"/>: shifted left, its bits are those of 2ⁿ; less the
    /// rounder it is n.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T RoundedProduct<T, P>(T a, T b)
        where T : struct, ILanes<T>
        where P : IPrecision<T> =>
        T.MultiplyAdd(a, b, T.Of(P.Rounder));

    /// <summary>2ⁿ from n plus the rounder, for n that gives a normal number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T FromRounded<T, P>(T rounded)
        where T : struct, ILanes<T>
        where P : IPrecision<T> =>
        T.ShiftLeft(rounded, P.MantissaBits);

    /// <summary>x 2ⁿ in two factors of about half the exponent: the second product alone rounds.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Scale<T, P>(T x, T n)
        where T : struct, ILanes<T>
        where P : IPrecision<T>
    {
        var half = RoundedProduct<T, P>(n, T.Of(0.5));
        var rest = n - (half - T.Of(P.Rounder)) + T.Of(P.Rounder);
        return x * FromRounded<T, P>(half) * FromRounded<T, P>(rest);
    }

    /// <summary>x 2ⁿ for n of at most 0: <see cref="Scale"/> with less work.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T ScaleDown<T, P>(T x, T n)
        where T : struct, ILanes<T>
        where P : IPrecision<T>
    {
        var raised = FromRounded<T, P>(n + T.Of(P.Rounder + 2 * P.MantissaBits));
        return x * raised * T.Of(1 / (P.UlpsOfOne * P.UlpsOfOne));
    }
}
