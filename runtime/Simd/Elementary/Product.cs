using System.Runtime.CompilerServices;

namespace DiffEqLang.Runtime.Simd;

/// <summary>What the rounding of a product loses: one fused multiply-add, or Dekker's splitting where there is none.</summary>
internal static class Product<T, P>
    where T : struct, ILanes<T>
    where P : IPrecision<T>
{
    /// <summary>a b - c for c near a b, exact where the difference is representable.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Residual(T a, T b, T c)
    {
        if (T.IsFused) return T.MultiplyAdd(a, b, -c);

        // Dekker (1971), A floating-point technique for extending the available precision, Numer. Math. 18.
        var (aHigh, aLow) = Split(a);
        var (bHigh, bLow) = Split(b);
        return aHigh * bHigh - c + aHigh * bLow + aLow * bHigh + aLow * bLow;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (T High, T Low) Split(T a)
    {
        var large = a * T.Of(P.Splitter);
        var high = large - (large - a);
        return (high, a - high);
    }
}
