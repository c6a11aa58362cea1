using System.Runtime.CompilerServices;

namespace DiffEqLang.Runtime.Simd;

/// <summary>Scalar functions over the lanes of a register that lies in memory: for rare arguments and hardware without fused multiply-add.</summary>
internal static class LaneByLane
{
    /// <summary>Replaces every lane, float32 or float64, by its function value.</summary>
    public static void Map<T>(Span<T> lanes, Func<double, double> function)
        where T : unmanaged
    {
        foreach (ref var lane in lanes) lane = Narrow<T>(function(Widen(lane)));
    }

    /// <summary>Replaces every lane of the first by the function value of both.</summary>
    public static void Map<T>(Span<T> lanes, ReadOnlySpan<T> others, Func<double, double, double> function)
        where T : unmanaged
    {
        for (var i = 0; i < lanes.Length; i++) lanes[i] = Narrow<T>(function(Widen(lanes[i]), Widen(others[i])));
    }

    private static double Widen<T>(T value)
        where T : unmanaged =>
        typeof(T) == typeof(double) ? Unsafe.BitCast<T, double>(value) : Unsafe.BitCast<T, float>(value);

    private static T Narrow<T>(double value)
        where T : unmanaged =>
        typeof(T) == typeof(double) ? Unsafe.BitCast<double, T>(value) : Unsafe.BitCast<float, T>((float)value);
}
