using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime.Simd;

/// <summary>
/// The numbers of a contiguous tensor on the CPU, read in place: what an optimizer writes into the tensor is what the next
/// solve reads.
/// </summary>
/// <typeparam name="T">float or double, as the tensor's dtype.</typeparam>
/// <remarks>
/// Valid as long as the tensor's storage: whoever makes a kernel of tensors keeps them alive (<see cref="SimdBinding"/>).
/// </remarks>
public readonly unsafe struct Weights<T>
    where T : unmanaged
{
    private readonly T* _first;
    private readonly int _length;

    /// <exception cref="ArgumentException">The tensor lies elsewhere, is of another type, or is not contiguous.</exception>
    public Weights(Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        var dtype = typeof(T) == typeof(float) ? ScalarType.Float32 : ScalarType.Float64;
        if (tensor.device_type != DeviceType.CPU || tensor.dtype != dtype || !tensor.is_contiguous())
            throw new ArgumentException($"A kernel reads contiguous {dtype} tensors on the CPU, not {tensor.dtype} on {tensor.device}.", nameof(tensor));
        // libtorch's own memory, which no collector moves: the address stays right when the span is gone.
        var numbers = MemoryMarshal.Cast<byte, T>(tensor.bytes);
        _first = (T*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(numbers));
        _length = numbers.Length;
    }

    /// <summary>The numbers, row-major.</summary>
    public ReadOnlySpan<T> Span => new(_first, _length);
}
