using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace DiffEqLang.Runtime.Simd;

/// <summary>
/// Registers in memory, at an address that is a multiple of 64: no load or store of a register is split between cache lines.
/// </summary>
internal sealed class RegisterBuffer<TLanes>
    where TLanes : struct
{
    private const int CacheLine = 64;

    private readonly byte[] _bytes;    // pinned: what is aligned stays so
    private readonly int _first;
    private readonly int _size;

    /// <param name="length">In registers; zeros.</param>
    public RegisterBuffer(int length)
    {
        (Length, _size) = (length, length * Unsafe.SizeOf<TLanes>());
        _bytes = GC.AllocateArray<byte>(_size + CacheLine, pinned: true);
        var address = Marshal.UnsafeAddrOfPinnedArrayElement(_bytes, 0);
        _first = (int)(CacheLine - address % CacheLine);
    }

    /// <summary>How many registers there are.</summary>
    public int Length { get; }

    /// <summary>The registers.</summary>
    public Span<TLanes> Span => MemoryMarshal.Cast<byte, TLanes>(_bytes.AsSpan(_first, _size));
}
