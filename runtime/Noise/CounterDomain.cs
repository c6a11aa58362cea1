using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

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
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Normals(ulong seed, long group, int domain, ulong index, Span<double> normals)
    {
        var (c0, c1, c2, c3) = Words(seed, group, domain, index);
        var (z0, z1) = NormalTransform.BoxMuller(c0, c1);
        var (z2, z3) = NormalTransform.BoxMuller(c2, c3);
        Store(normals, z0, z1, z2, z3);
    }

    /// <summary>As <see cref="Normals"/>, uniform on (0, 1).</summary>
    public static void Uniforms(ulong seed, long group, int domain, ulong index, Span<double> uniforms)
    {
        var (c0, c1, c2, c3) = Words(seed, group, domain, index);
        Store(
            uniforms,
            NormalTransform.ToUnit(c0), NormalTransform.ToUnit(c1), NormalTransform.ToUnit(c2), NormalTransform.ToUnit(c3));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector512<ulong>, Vector512<ulong>, Vector512<ulong>, Vector512<ulong>) Words(
        ulong seed, long group, int domain, ulong index)
    {
        var block = Vector512.Create((ulong)group * Philox.Lanes) + Vector512<ulong>.Indices;
        var c0 = block & Vector512.Create((ulong)uint.MaxValue);
        var c1 = (block >>> 32) | Vector512.Create((ulong)domain << 24);
        var c2 = Vector512.Create(index & uint.MaxValue);
        var c3 = Vector512.Create(index >> 32);
        Philox.Permute(ref c0, ref c1, ref c2, ref c3, seed);
        return (c0, c1, c2, c3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(
        Span<double> into, Vector512<double> first, Vector512<double> second, Vector512<double> third, Vector512<double> fourth)
    {
        if (into.Length < 4 * Philox.Lanes) throw new ArgumentException("One group does not fit.", nameof(into));
        ref var start = ref MemoryMarshal.GetReference(into);
        first.StoreUnsafe(ref start);
        second.StoreUnsafe(ref start, Philox.Lanes);
        third.StoreUnsafe(ref start, 2 * Philox.Lanes);
        fourth.StoreUnsafe(ref start, 3 * Philox.Lanes);
    }
}
