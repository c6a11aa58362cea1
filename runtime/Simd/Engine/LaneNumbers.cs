using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace DiffEqLang.Runtime.Simd;

/// <summary>Between registers of the state's precision and the float64 in which time and errors are kept.</summary>
/// <typeparam name="TLanes">The register.</typeparam>
/// <typeparam name="T">float or double, its lanes.</typeparam>
internal static class LaneNumbers<TLanes, T>
    where TLanes : struct, ILanes<TLanes>
    where T : unmanaged
{
    /// <summary>How many lanes a register has.</summary>
    public static int Count
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Unsafe.SizeOf<TLanes>() / Unsafe.SizeOf<T>();
    }

    /// <summary>The lanes of registers, one after another: lane i of register r is number r · Count + i.</summary>
    public static Span<T> Of(Span<TLanes> registers) => MemoryMarshal.Cast<TLanes, T>(registers);

    /// <summary>As <see cref="Of(Span{TLanes})"/>.</summary>
    public static ReadOnlySpan<T> Of(ReadOnlySpan<TLanes> registers) => MemoryMarshal.Cast<TLanes, T>(registers);

    /// <summary>A register from as many numbers, rounded to its precision.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes FromDoubles(ReadOnlySpan<Vector<double>> numbers)
    {
        if (typeof(T) == typeof(double)) return MemoryMarshal.Read<TLanes>(MemoryMarshal.AsBytes(numbers));
        Unsafe.SkipInit(out TLanes register);
        var singles = MemoryMarshal.Cast<TLanes, Vector<float>>(new Span<TLanes>(ref register));
        for (var i = 0; i < singles.Length; i++) singles[i] = Vector.Narrow(numbers[2 * i], numbers[2 * i + 1]);
        return register;
    }

    /// <summary>The lanes of a register, exactly.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ToDoubles(TLanes register, Span<Vector<double>> numbers)
    {
        if (typeof(T) == typeof(double))
        {
            MemoryMarshal.Write(MemoryMarshal.AsBytes(numbers), register);
            return;
        }

        var singles = MemoryMarshal.Cast<TLanes, Vector<float>>(new Span<TLanes>(ref register));
        for (var i = 0; i < singles.Length; i++) Vector.Widen(singles[i], out numbers[2 * i], out numbers[2 * i + 1]);
    }
}
