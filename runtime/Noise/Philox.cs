using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using DiffEqLang.Runtime.Simd;

namespace DiffEqLang.Runtime.Noise;

/// <summary>
/// Philox4x32-10: a keyed permutation of 128-bit counters whose outputs pass as independent uniform words. It has
/// no state, so any number of the sequence can be asked for at any time, by any thread.
/// </summary>
/// <remarks>Salmon, Moraes, Dror and Shaw (2011), Parallel random numbers: as easy as 1, 2, 3, SC'11, section 4.3.</remarks>
internal static class Philox
{
    private const int Rounds = 10;
    private const uint Multiplier0 = 0xD2511F53, Multiplier1 = 0xCD9E8D57;

    /// <summary>Weyl increments of the key: the golden ratio and √3 − 1, in units of 2⁻³².</summary>
    private const uint Weyl0 = 0x9E3779B9, Weyl1 = 0xBB67AE85;

    /// <summary>The counters whose numbers are drawn together, on registers of any width.</summary>
    public const int Lanes = 8;

    /// <summary>
    /// Permutes as many counters under one key as a register of float64 has lanes. Each register holds one 32-bit word of each counter
    /// in the low half of its 64-bit lanes; the high halves come back zero.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Permute<TLanes>(ref TLanes c0, ref TLanes c1, ref TLanes c2, ref TLanes c3, ulong key)
        where TLanes : struct, ILanes<TLanes>
    {
        // The high halves of the lanes hold remains of the products in between: the multiplication ignores them.
        var (m0, m1) = (Word<TLanes>(Multiplier0), Word<TLanes>(Multiplier1));
        var (k0, k1) = ((uint)key, (uint)(key >> 32));
        var (w0, w1, w2, w3) = (c0, c1, c2, c3);    // variables of its own, which stay in registers
        for (var round = 0; round < Rounds; round++)
        {
            var (product0, product1) = (MultiplyLow(w0, m0), MultiplyLow(w2, m1));
            w0 = TLanes.ShiftRight(product1, 32) ^ w1 ^ Word<TLanes>(k0);
            w2 = TLanes.ShiftRight(product0, 32) ^ w3 ^ Word<TLanes>(k1);
            w1 = product1;
            w3 = product0;
            k0 += Weyl0;
            k1 += Weyl1;
        }

        var low = Word<TLanes>(uint.MaxValue);
        (c0, c1, c2, c3) = (w0 & low, w1 & low, w2 & low, w3 & low);
    }

    /// <summary>The bits of a whole number in every 64-bit lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Word<TLanes>(ulong word)
        where TLanes : struct, ILanes<TLanes> => TLanes.Of(BitConverter.UInt64BitsToDouble(word));

    /// <summary>The 64-bit products of the low 32 bits of each lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TLanes MultiplyLow<TLanes>(TLanes a, TLanes b)
        where TLanes : struct, ILanes<TLanes>
    {
        if (Avx512F.IsSupported && Unsafe.SizeOf<TLanes>() == Vector512<byte>.Count)
            return Unsafe.BitCast<Vector512<ulong>, TLanes>(
                Avx512F.Multiply(Unsafe.BitCast<TLanes, Vector512<uint>>(a), Unsafe.BitCast<TLanes, Vector512<uint>>(b)));
        if (Avx2.IsSupported && Unsafe.SizeOf<TLanes>() == Vector256<byte>.Count)
            return Unsafe.BitCast<Vector256<ulong>, TLanes>(
                Avx2.Multiply(Unsafe.BitCast<TLanes, Vector256<uint>>(a), Unsafe.BitCast<TLanes, Vector256<uint>>(b)));
        return MultiplyLaneByLane(a, b);
    }

    private static TLanes MultiplyLaneByLane<TLanes>(TLanes a, TLanes b)
        where TLanes : struct, ILanes<TLanes>
    {
        var words = LaneNumbers<TLanes, ulong>.Of(new Span<TLanes>(ref a));
        var others = LaneNumbers<TLanes, ulong>.Of(new Span<TLanes>(ref b));
        for (var i = 0; i < words.Length; i++) words[i] = (words[i] & uint.MaxValue) * (others[i] & uint.MaxValue);
        return a;
    }
}
