using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace DiffEqLang.Runtime.Simd;

/// <summary>What computes with lanes and calls kernels, which know the bare registers alone: the same bits, under the type that a kernel takes.</summary>
/// <typeparam name="TRegister">The kernel's register.</typeparam>
/// <typeparam name="TLanes">The same register with its arithmetic.</typeparam>
internal abstract class KernelCaller<TRegister, TLanes>
    where TRegister : struct
    where TLanes : struct, ILanes<TLanes>
{
    protected static TRegister Bare(TLanes lanes) => Unsafe.BitCast<TLanes, TRegister>(lanes);

    protected static Span<TRegister> Bare(Span<TLanes> lanes) => MemoryMarshal.Cast<TLanes, TRegister>(lanes);

    protected static ReadOnlySpan<TRegister> Bare(ReadOnlySpan<TLanes> lanes) => MemoryMarshal.Cast<TLanes, TRegister>(lanes);
}
