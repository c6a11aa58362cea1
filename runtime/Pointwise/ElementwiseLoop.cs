using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using DiffEqLang.Runtime.Simd;

namespace DiffEqLang.Runtime;

/// <summary>Functions over contiguous numbers, a register at a time: 512 bits where the hardware has them.</summary>
internal static class ElementwiseLoop
{
    // A caller that took the loop in would be too small a method for the JIT to go on inlining there.
    private const MethodImplOptions Whole = MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization;

    /// <summary>to[i] = f(from[i]); the two may be the same memory.</summary>
    [MethodImpl(Whole)]
    public static void Map<TFunction, T>(ReadOnlySpan<T> from, Span<T> to)
        where TFunction : IPointwiseFunction
        where T : unmanaged
    {
        ref var source = ref MemoryMarshal.GetReference(from);
        ref var target = ref MemoryMarshal.GetReference(to);
        var i = 0;
        if (Vector512.IsHardwareAccelerated)
            for (; i <= from.Length - Vector512<T>.Count; i += Vector512<T>.Count)
                Wide<TFunction, T>(Vector512.LoadUnsafe(ref source, (nuint)i)).StoreUnsafe(ref target, (nuint)i);
        for (; i <= from.Length - Vector<T>.Count; i += Vector<T>.Count)
            Narrow<TFunction, T>(Vector.LoadUnsafe(ref source, (nuint)i)).StoreUnsafe(ref target, (nuint)i);
        if (i == from.Length) return;

        Span<T> rest = stackalloc T[Vector<T>.Count];
        rest.Clear();
        from[i..].CopyTo(rest);
        Narrow<TFunction, T>(new Vector<T>(rest)).CopyTo(rest);
        rest[..(from.Length - i)].CopyTo(to[i..]);
    }

    /// <summary>to[i] = f(left[i], right[i]); the target may be the memory of either.</summary>
    [MethodImpl(Whole)]
    public static void Map<TFunction, T>(ReadOnlySpan<T> left, ReadOnlySpan<T> right, Span<T> to)
        where TFunction : IPointwiseFunctionOfTwo
        where T : unmanaged
    {
        ref var first = ref MemoryMarshal.GetReference(left);
        ref var second = ref MemoryMarshal.GetReference(right);
        ref var target = ref MemoryMarshal.GetReference(to);
        var i = 0;
        if (Vector512.IsHardwareAccelerated)
            for (; i <= left.Length - Vector512<T>.Count; i += Vector512<T>.Count)
                TFunction.Of(
                    new Lanes512<T>(Vector512.LoadUnsafe(ref first, (nuint)i)),
                    new Lanes512<T>(Vector512.LoadUnsafe(ref second, (nuint)i))).Value.StoreUnsafe(ref target, (nuint)i);
        for (; i <= left.Length - Vector<T>.Count; i += Vector<T>.Count)
            TFunction.Of(
                new Lanes<T>(Vector.LoadUnsafe(ref first, (nuint)i)),
                new Lanes<T>(Vector.LoadUnsafe(ref second, (nuint)i))).Value.StoreUnsafe(ref target, (nuint)i);
        if (i == left.Length) return;

        Span<T> rest = stackalloc T[2 * Vector<T>.Count];
        rest.Clear();
        left[i..].CopyTo(rest);
        right[i..].CopyTo(rest[Vector<T>.Count..]);
        TFunction.Of(new Lanes<T>(new Vector<T>(rest)), new Lanes<T>(new Vector<T>(rest[Vector<T>.Count..]))).Value.CopyTo(rest);
        rest[..(left.Length - i)].CopyTo(to[i..]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<T> Narrow<TFunction, T>(Vector<T> x)
        where TFunction : IPointwiseFunction
        where T : unmanaged =>
        typeof(T) == typeof(double)
            ? TFunction.Of<Lanes<T>, Float64<Lanes<T>>>(new(x)).Value
            : TFunction.Of<Lanes<T>, Float32<Lanes<T>>>(new(x)).Value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<T> Wide<TFunction, T>(Vector512<T> x)
        where TFunction : IPointwiseFunction
        where T : unmanaged =>
        typeof(T) == typeof(double)
            ? TFunction.Of<Lanes512<T>, Float64<Lanes512<T>>>(new(x)).Value
            : TFunction.Of<Lanes512<T>, Float32<Lanes512<T>>>(new(x)).Value;
}
