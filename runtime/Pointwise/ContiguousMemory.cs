using System.Numerics;
using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>The memory of tensors that loops of ours may go over: contiguous numbers of float32 or float64 on the CPU.</summary>
internal static class ContiguousMemory
{
    /// <summary>The fewest numbers that a thread is worth.</summary>
    private const int LeastPart = 16384;

    /// <summary>Whether a tensor has such memory, and autograd does not have to see what is done with it.</summary>
    public static bool IsOpen(Tensor x) => IsReadable(x) && !(x.requires_grad && is_grad_enabled());

    /// <summary>Whether two have it, of one shape and precision.</summary>
    public static bool AreOpen(Tensor x, Tensor y) =>
        IsOpen(x) && IsOpen(y) && x.dtype == y.dtype && x.shape.AsSpan().SequenceEqual(y.shape);

    /// <summary>Whether a tensor, wherever it lies, has neither NaN nor infinity.</summary>
    public static bool IsFinite(Tensor x)
    {
        if (IsReadable(x)) return x.dtype == ScalarType.Float64 ? AreFinite(View<double>(x)) : AreFinite(View<float>(x));
        using var scope = NewDisposeScope();
        return x.detach().isfinite().all().item<bool>();
    }

    /// <summary>to = f(from), in the threads that torch is given.</summary>
    public static void Map<TFunction>(Tensor from, Tensor to)
        where TFunction : IPointwiseFunction
    {
        if (from.dtype == ScalarType.Float64) Map<TFunction, double>(from, to);
        else Map<TFunction, float>(from, to);
    }

    /// <summary>to = f(left, right), in the threads that torch is given.</summary>
    public static void Map<TFunction>(Tensor left, Tensor right, Tensor to)
        where TFunction : IPointwiseFunctionOfTwo
    {
        if (left.dtype == ScalarType.Float64) Map<TFunction, double>(left, right, to);
        else Map<TFunction, float>(left, right, to);
    }

    private static void Map<TFunction, T>(Tensor from, Tensor to)
        where TFunction : IPointwiseFunction
        where T : unmanaged
    {
        InParts((int)from.numel(), part => ElementwiseLoop.Map<TFunction, T>(View<T>(from)[part], View<T>(to)[part]));
        GC.KeepAlive(from);
        GC.KeepAlive(to);
    }

    private static void Map<TFunction, T>(Tensor left, Tensor right, Tensor to)
        where TFunction : IPointwiseFunctionOfTwo
        where T : unmanaged
    {
        InParts(
            (int)left.numel(),
            part => ElementwiseLoop.Map<TFunction, T>(View<T>(left)[part], View<T>(right)[part], View<T>(to)[part]));
        GC.KeepAlive(left);
        GC.KeepAlive(right);
        GC.KeepAlive(to);
    }

    private static bool IsReadable(Tensor x) =>
        x.device_type == DeviceType.CPU
        && x.dtype is ScalarType.Float32 or ScalarType.Float64
        && x.is_contiguous()
        && x.numel() <= int.MaxValue / sizeof(double);

    private static bool AreFinite<T>(ReadOnlySpan<T> numbers)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var vectors = MemoryMarshal.Cast<T, Vector<T>>(numbers);
        var sum = Vector<T>.Zero;
        foreach (var vector in vectors) sum += vector * T.Zero;    // NaN of NaN and of infinities
        foreach (var number in numbers[(vectors.Length * Vector<T>.Count)..]) sum += new Vector<T>(number * T.Zero);
        return sum == Vector<T>.Zero;
    }

    /// <summary>The tensor's own memory, for as long as the tensor is kept alive.</summary>
    private static Span<T> View<T>(Tensor x)
        where T : unmanaged =>
        MemoryMarshal.Cast<byte, T>(x.bytes);

    /// <summary>Parts of equal size, one a thread; no number's value depends on where they are cut.</summary>
    private static void InParts(int count, Action<Range> part)
    {
        var parts = Math.Min(get_num_threads(), count / LeastPart);
        if (parts <= 1)
        {
            part(0..count);
            return;
        }

        var size = (count + parts - 1) / parts;
        Parallel.For(0, parts, i => part((i * size)..Math.Min(count, (i + 1) * size)));
    }
}
