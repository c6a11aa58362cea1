using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using DiffEqLang.Runtime.Simd;

namespace DiffEqLang.Runtime.Noise;

/// <summary>
/// How the 128-bit counter of <see cref="Philox"/> is divided, so that no two uses of one seed share a number:
/// a 56-bit block of numbers, an 8-bit domain, a 64-bit index within the domain.
/// </summary>
internal static class CounterDomain
{
    // Domains 0 to 60 are the levels of the Brownian tree: the index is the cell that is halved.

    /// <summary>The tree's roots: the index is the root's.</summary>
    public const int BrownianRoot = 255;

    /// <summary>Initial values of parameters: the index counts the tensors drawn.</summary>
    public const int Parameters = 254;

    /// <summary>
    /// 4 <see cref="Philox.Lanes"/> standard normal numbers, those of one group: the number at place r comes from word
    /// r / 8 of lane r % 8, so that whole vectors are stored.
    /// </summary>
    public static void Normals(ulong seed, long group, int domain, ulong index, Span<double> normals)
    {
        if (Vector512.IsHardwareAccelerated) Normals<Lanes512<double>>(seed, group, domain, index, normals);
        else Normals<Lanes<double>>(seed, group, domain, index, normals);
    }

    /// <summary>As <see cref="Normals"/>, uniform on (0, 1).</summary>
    public static void Uniforms(ulong seed, long group, int domain, ulong index, Span<double> uniforms)
    {
        var registers = Registers<Lanes<double>>(uniforms);
        for (var lane = 0; lane < Row(registers); lane++)
        {
            Words<Lanes<double>>(seed, group, domain, index, lane, out var c0, out var c1, out var c2, out var c3);
            Store(
                registers, lane,
                NormalTransform.ToUnit(c0), NormalTransform.ToUnit(c1), NormalTransform.ToUnit(c2), NormalTransform.ToUnit(c3));
        }
    }

    /// <summary><see cref="Normals"/> on registers of one width, which changes no number.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    internal static void Normals<TLanes>(ulong seed, long group, int domain, ulong index, Span<double> normals)
        where TLanes : struct, ILanes<TLanes>
    {
        var registers = Registers<TLanes>(normals);
        for (var lane = 0; lane < Row(registers); lane++)
        {
            Words<TLanes>(seed, group, domain, index, lane, out var c0, out var c1, out var c2, out var c3);
            NormalTransform.BoxMuller(in c0, in c1, out var z0, out var z1);
            NormalTransform.BoxMuller(in c2, in c3, out var z2, out var z3);
            Store(registers, lane, z0, z1, z2, z3);
        }
    }

    /// <summary>The permuted words of the counters of one register of a group.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Words<TLanes>(
        ulong seed, long group, int domain, ulong index, int register, out TLanes c0, out TLanes c1, out TLanes c2, out TLanes c3)
        where TLanes : struct, ILanes<TLanes>
    {
        // The blocks of a group differ in their lowest bits alone.
        var first = (ulong)group * Philox.Lanes + (ulong)(register * LaneNumbers<TLanes, double>.Count);
        c0 = TLanes.AddBits(Philox.Word<TLanes>(first & uint.MaxValue), Indices<TLanes>());
        c1 = Philox.Word<TLanes>(first >> 32 | (ulong)domain << 24);
        c2 = Philox.Word<TLanes>(index & uint.MaxValue);
        c3 = Philox.Word<TLanes>(index >> 32);
        Philox.Permute(ref c0, ref c1, ref c2, ref c3, seed);
    }

    /// <summary>0, 1, 2, ... by lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TLanes Indices<TLanes>()
        where TLanes : struct
    {
        if (Unsafe.SizeOf<TLanes>() == Vector512<byte>.Count) return Unsafe.BitCast<Vector512<ulong>, TLanes>(Vector512<ulong>.Indices);
        return Unsafe.SizeOf<TLanes>() == Vector256<byte>.Count
            ? Unsafe.BitCast<Vector256<ulong>, TLanes>(Vector256<ulong>.Indices)
            : Unsafe.BitCast<Vector128<ulong>, TLanes>(Vector128<ulong>.Indices);
    }

    private static Span<TLanes> Registers<TLanes>(Span<double> numbers)
        where TLanes : struct =>
        numbers.Length >= 4 * Philox.Lanes
            ? MemoryMarshal.Cast<double, TLanes>(numbers[..(4 * Philox.Lanes)])
            : throw new ArgumentException("One group does not fit.", nameof(numbers));

    /// <summary>The registers that one word of all counters takes.</summary>
    private static int Row<TLanes>(Span<TLanes> registers) => registers.Length / 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<TLanes>(Span<TLanes> registers, int lane, TLanes first, TLanes second, TLanes third, TLanes fourth)
    {
        var row = Row(registers);
        (registers[lane], registers[lane + row]) = (first, second);
        (registers[lane + 2 * row], registers[lane + 3 * row]) = (third, fourth);
    }
}
