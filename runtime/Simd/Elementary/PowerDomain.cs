using System.Runtime.CompilerServices;

namespace DiffEqLang.Runtime.Simd;

/// <summary>Where x^y is exp(y log x).</summary>
internal static class PowerDomain
{
    /// <summary>The mask of the lanes where it is not: x below the smallest number given or infinite, x or y NaN, y infinite.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T IsSpecial<T>(T x, T y, T smallest)
        where T : struct, ILanes<T>
    {
        var infinity = T.Of(double.PositiveInfinity);
        var isRegular = T.LessThan(x, infinity) & T.LessThan(T.Abs(y), infinity);
        return T.AndNot(T.Equal(T.Of(0), T.Of(0)), isRegular) | T.LessThan(x, smallest);
    }
}
