using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

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

    /// <summary>The counters that one call of <see cref="Permute"/> takes side by side.</summary>
    public const int Lanes = 8;

    /// <summary>
    /// Permutes eight counters under one key. Each vector holds one 32-bit word of each counter in the low half of
    /// its 64-bit lanes; the high halves come back zero.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Permute(
        ref Vector512<ulong> c0, ref Vector512<ulong> c1, ref Vector512<ulong> c2, ref Vector512<ulong> c3, ulong key)
    {
        // The high halves of the lanes hold remains of the products in between: the multiplication ignores them.
        var (m0, m1) = (Vector512.Create((ulong)Multiplier0), Vector512.Create((ulong)Multiplier1));
        var (k0, k1) = ((uint)key, (uint)(key >> 32));
        for (var round = 0; round < Rounds; round++)
        {
            var (product0, product1) = (MultiplyLow(c0, m0), MultiplyLow(c2, m1));
            c0 = (product1 >>> 32) ^ c1 ^ Vector512.Create((ulong)k0);
            c2 = (product0 >>> 32) ^ c3 ^ Vector512.Create((ulong)k1);
            c1 = product1;
            c3 = product0;
            k0 += Weyl0;
            k1 += Weyl1;
        }

        var low = Vector512.Create((ulong)uint.MaxValue);
        c0 &= low;
        c1 &= low;
        c2 &= low;
        c3 &= low;
    }

    /// <summary>The 64-bit products of the low 32 bits of each lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ulong> MultiplyLow(Vector512<ulong> a, Vector512<ulong> b)
    {
        if (Avx512F.IsSupported) return Avx512F.Multiply(a.AsUInt32(), b.AsUInt32());
        if (Avx2.IsSupported)
            return Vector512.Create(
                Avx2.Multiply(a.GetLower().AsUInt32(), b.GetLower().AsUInt32()),
                Avx2.Multiply(a.GetUpper().AsUInt32(), b.GetUpper().AsUInt32()));
        return (a & Vector512.Create((ulong)uint.MaxValue)) * b;
    }
}
