using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime.Simd;

/// <summary>
/// A span that may be kept in a field and used by other threads: an address and a length in memory that does not move, which
/// the owner keeps alive (a tensor's, or an array's that is pinned).
/// </summary>
internal readonly unsafe struct UnmanagedSpan<T>
    where T : unmanaged
{
    private readonly T* _first;
    private readonly int _length;

    /// <summary>The memory of a contiguous tensor on the CPU, of the same type of number.</summary>
    public UnmanagedSpan(Tensor tensor)
        : this(MemoryMarshal.Cast<byte, T>(tensor.bytes)) { }

    /// <summary>Memory that the caller has pinned, or that no collector moves.</summary>
    public UnmanagedSpan(ReadOnlySpan<T> fixedInPlace)
    {
        _first = (T*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(fixedInPlace));
        _length = fixedInPlace.Length;
    }

    /// <summary>The numbers.</summary>
    public Span<T> Span => new(_first, _length);

    /// <summary>Whether there is nothing.</summary>
    public bool IsEmpty => _length == 0;
}
