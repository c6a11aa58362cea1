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
public readonly struct Weights<T>
    where T : unmanaged
{
    private readonly UnmanagedSpan<T> _numbers;

    /// <exception cref="ArgumentException">The tensor lies elsewhere, is of another type, or is not contiguous.</exception>
    public Weights(Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        var dtype = typeof(T) == typeof(float) ? ScalarType.Float32 : ScalarType.Float64;
        if (tensor.device_type != DeviceType.CPU || tensor.dtype != dtype || !tensor.is_contiguous())
            throw new ArgumentException($"A kernel reads contiguous {dtype} tensors on the CPU, not {tensor.dtype} on {tensor.device}.", nameof(tensor));
        _numbers = new UnmanagedSpan<T>(tensor);
    }

    /// <summary>The numbers, row-major.</summary>
    public ReadOnlySpan<T> Span => _numbers.Span;
}
