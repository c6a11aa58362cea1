using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace DiffEqLang.Runtime.Simd;

/// <summary>Between registers of the state's precision and the float64 in which time and errors are kept.</summary>
/// <typeparam name="TLanes">The register.</typeparam>
/// <typeparam name="T">float or double, its lanes.</typeparam>
internal static class LaneNumbers<TLanes, T>
    where TLanes : struct, ILanes<TLanes>
    where T : unmanaged, INumberBase<T>
{
    /// <summary>How many lanes a register has.</summary>
    public static int Count
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Unsafe.SizeOf<TLanes>() / Unsafe.SizeOf<T>();
    }

    /// <summary>The spacing of the lanes' numbers at one.</summary>
    public static double Rounding => Math.ScaleB(1, typeof(T) == typeof(float) ? -23 : -52);

    private static int Vectors => Count / Vector<double>.Count;

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

    /// <summary>The mask of a register's lanes from as many masks of float64's width.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes FromMasks(ReadOnlySpan<Vector<long>> masks)
    {
        if (typeof(T) == typeof(double)) return MemoryMarshal.Read<TLanes>(MemoryMarshal.AsBytes(masks));
        Unsafe.SkipInit(out TLanes register);
        var singles = MemoryMarshal.Cast<TLanes, Vector<int>>(new Span<TLanes>(ref register));
        for (var i = 0; i < singles.Length; i++) singles[i] = Vector.Narrow(masks[2 * i], masks[2 * i + 1]);
        return register;
    }

    /// <summary>Registers of these numbers: the same memory where the precision is, else converted into the room given.</summary>
    public static ReadOnlySpan<TLanes> FromDoubles(ReadOnlySpan<Vector<double>> numbers, Span<TLanes> room)
    {
        if (typeof(T) == typeof(double)) return MemoryMarshal.Cast<Vector<double>, TLanes>(numbers);
        var registers = numbers.Length / Vectors;
        for (var r = 0; r < registers; r++) room[r] = FromDoubles(numbers.Slice(r * Vectors, Vectors));
        return room[..registers];
    }

    /// <summary>Where registers are to be written that <see cref="Deliver"/> then gives as float64.</summary>
    public static Span<TLanes> RoomFor(Span<Vector<double>> numbers, Span<TLanes> room) =>
        typeof(T) == typeof(double) ? MemoryMarshal.Cast<Vector<double>, TLanes>(numbers) : room[..(numbers.Length / Vectors)];

    /// <summary>Converts what was written to <see cref="RoomFor"/>.</summary>
    public static void Deliver(ReadOnlySpan<TLanes> registers, Span<Vector<double>> numbers)
    {
        if (typeof(T) == typeof(double)) return;
        for (var r = 0; r < registers.Length; r++) ToDoubles(registers[r], numbers.Slice(r * Vectors, Vectors));
    }

    /// <summary>A lane's number in one of some registers.</summary>
    public static double Number(ReadOnlySpan<TLanes> registers, int register, int lane) => double.CreateTruncating(Of(registers)[register * Count + lane]);

    /// <summary>Copies a lane's numbers out of registers, one number from each.</summary>
    public static void Gather(ReadOnlySpan<TLanes> registers, int lane, Span<T> numbers)
    {
        var from = Of(registers);
        for (var (i, j) = (0, lane); i < numbers.Length; i++, j += Count) numbers[i] = from[j];
    }

    /// <summary>Copies numbers into a lane of registers, one into each.</summary>
    public static void Scatter(ReadOnlySpan<T> numbers, Span<TLanes> registers, int lane)
    {
        var into = Of(registers);
        for (var (i, j) = (0, lane); i < numbers.Length; i++, j += Count) into[j] = numbers[i];
    }

    /// <summary>Copies a lane of registers to a lane of as many others.</summary>
    public static void Copy(ReadOnlySpan<TLanes> source, int from, Span<TLanes> target, int to)
    {
        var numbers = Of(source);
        var into = Of(target);
        for (var (i, j) = (from, to); i < numbers.Length; i += Count, j += Count) into[j] = numbers[i];
    }

    /// <summary>The sum of the lanes, in float64 and always in the same order.</summary>
    public static double Sum(TLanes register)
    {
        var sum = Vector<double>.Zero;
        if (typeof(T) == typeof(double))
        {
            foreach (var lanes in MemoryMarshal.Cast<TLanes, Vector<double>>(new ReadOnlySpan<TLanes>(in register))) sum += lanes;
            return Vector.Sum(sum);
        }

        foreach (var singles in MemoryMarshal.Cast<TLanes, Vector<float>>(new ReadOnlySpan<TLanes>(in register)))
            sum += Vector.WidenLower(singles) + Vector.WidenUpper(singles);
        return Vector.Sum(sum);
    }
}
