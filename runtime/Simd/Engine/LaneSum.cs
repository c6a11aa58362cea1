using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace DiffEqLang.Runtime.Simd;

/// <summary>A weighted sum of the slopes of some stages, on some numbers of the state; hides the type of the lanes.</summary>
/// <typeparam name="TRegister">The register.</typeparam>
internal abstract class LaneSum<TRegister>
    where TRegister : struct
{
    /// <summary>The sum over one kind of register.</summary>
    /// <param name="size">N, the numbers of a state.</param>
    /// <param name="components">On which of them.</param>
    /// <param name="targets">As which numbers of the result: as many.</param>
    /// <param name="weights">The stages that have a weight, ascending, and their weights.</param>
    /// <param name="part">By what part of the step the sum leads on along its result, where it does.</param>
    public static LaneSum<TRegister> Of(int size, int[] components, int[] targets, (int Stage, double Weight)[] weights, double part = 0)
    {
        object sum = default(TRegister) switch
        {
            Vector<double> => new LaneSum<Vector<double>, double, Fused64>(size, components, targets, weights, part),
            Vector<float> => new LaneSum<Vector<float>, float, Fused32>(size, components, targets, weights, part),
            Vector512<double> => new LaneSum<Vector512<double>, double, Fused512Of64>(size, components, targets, weights, part),
            _ => new LaneSum<Vector512<float>, float, Fused512Of32>(size, components, targets, weights, part),
        };
        return (LaneSum<TRegister>)sum;
    }

    /// <summary>result[target] = state[component] + h Σⱼ weightⱼ slopeⱼ[component]; other numbers are left as they are.</summary>
    /// <param name="state">The state before the step, length N.</param>
    /// <param name="h">The step.</param>
    /// <param name="slopes">Those of the stages, N each.</param>
    /// <param name="result">Length N; other memory than the state.</param>
    /// <param name="onward">
    /// Empty, or where the result, taken as a slope, leads to: onward[target] = state[target] + h part result[target]; length N.
    /// </param>
    public abstract void AddTo(
        ReadOnlySpan<TRegister> state, TRegister h, ReadOnlySpan<TRegister> slopes, Span<TRegister> result, Span<TRegister> onward = default);
}

/// <summary>
/// Those sums, eight at once: so many chains of additions, which do not wait for each other, keep a processor's multiply-adds busy. Up to four
/// that are left over, or are all that there are, go together.
/// </summary>
/// <remarks>
/// Beside the right-hand side this is where a step of high order spends its time. Memory is addressed without checks, which took as long as the
/// sums, but for those of whole lengths before; components are below N by construction.
/// </remarks>
internal sealed class LaneSum<TRegister, T, TFused> : LaneSum<TRegister>
    where TRegister : struct
    where T : unmanaged, INumberBase<T>
    where TFused : IFusedProducts<TRegister, T>
{
    private readonly nint[] _components, _targets;    // in bytes; the last repeated up to a multiple of four
    private readonly nint[] _stages;                  // where the slopes begin, in bytes
    private readonly T[] _weights;
    private readonly T _part;
    private readonly int _size, _length;              // of a state, and of the slopes up to the last one

    public LaneSum(int size, int[] components, int[] targets, (int Stage, double Weight)[] weights, double part)
    {
        (_size, _length) = (size, weights.Length == 0 ? 0 : (weights[^1].Stage + 1) * size);
        (_components, _targets) = (InBytes(Padded(components)), InBytes(Padded(targets)));
        _stages = InBytes(weights.Select(pair => pair.Stage * size));
        _weights = [.. weights.Select(pair => T.CreateTruncating(pair.Weight))];
        _part = T.CreateTruncating(part);
    }

    /// <inheritdoc/>
    public override void AddTo(
        ReadOnlySpan<TRegister> state, TRegister h, ReadOnlySpan<TRegister> slopes, Span<TRegister> result, Span<TRegister> onward = default)
    {
        ref var before = ref MemoryMarshal.GetReference(state[.._size]);
        ref var first = ref MemoryMarshal.GetReference(slopes[.._length]);
        ref var after = ref MemoryMarshal.GetReference(result[.._size]);
        ref var next = ref onward.IsEmpty ? ref Unsafe.NullRef<TRegister>() : ref MemoryMarshal.GetReference(onward[.._size]);
        var i = 0;
        for (; i + 8 <= _components.Length; i += 8) AddEight(i, ref before, h, ref first, ref after, ref next);
        if (i < _components.Length) AddFour(i, ref before, h, ref first, ref after, ref next);
    }

    // A method of its own, as the next: so many sums and addresses fill the processor's registers.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void AddEight(int from, ref TRegister state, TRegister h, ref TRegister slopes, ref TRegister result, ref TRegister onward)
    {
        ReadOnlySpan<nint> components = _components.AsSpan(from, 8);
        var (c0, c1, c2, c3) = (components[0], components[1], components[2], components[3]);
        var (c4, c5, c6, c7) = (components[4], components[5], components[6], components[7]);
        TRegister s0 = default, s1 = default, s2 = default, s3 = default, s4 = default, s5 = default, s6 = default, s7 = default;
        ref var stage = ref MemoryMarshal.GetArrayDataReference(_stages);
        ref var weight = ref MemoryMarshal.GetArrayDataReference(_weights);
        for (var count = _weights.Length; count > 0; count--)
        {
            ref var slope = ref Unsafe.AddByteOffset(ref slopes, stage);
            s0 = TFused.Fma(weight, Unsafe.AddByteOffset(ref slope, c0), s0);
            s1 = TFused.Fma(weight, Unsafe.AddByteOffset(ref slope, c1), s1);
            s2 = TFused.Fma(weight, Unsafe.AddByteOffset(ref slope, c2), s2);
            s3 = TFused.Fma(weight, Unsafe.AddByteOffset(ref slope, c3), s3);
            s4 = TFused.Fma(weight, Unsafe.AddByteOffset(ref slope, c4), s4);
            s5 = TFused.Fma(weight, Unsafe.AddByteOffset(ref slope, c5), s5);
            s6 = TFused.Fma(weight, Unsafe.AddByteOffset(ref slope, c6), s6);
            s7 = TFused.Fma(weight, Unsafe.AddByteOffset(ref slope, c7), s7);
            stage = ref Unsafe.Add(ref stage, 1);
            weight = ref Unsafe.Add(ref weight, 1);
        }

        ReadOnlySpan<nint> targets = _targets.AsSpan(from, 8);
        Deliver(s0, c0, targets[0], ref state, h, ref result, ref onward);
        Deliver(s1, c1, targets[1], ref state, h, ref result, ref onward);
        Deliver(s2, c2, targets[2], ref state, h, ref result, ref onward);
        Deliver(s3, c3, targets[3], ref state, h, ref result, ref onward);
        Deliver(s4, c4, targets[4], ref state, h, ref result, ref onward);
        Deliver(s5, c5, targets[5], ref state, h, ref result, ref onward);
        Deliver(s6, c6, targets[6], ref state, h, ref result, ref onward);
        Deliver(s7, c7, targets[7], ref state, h, ref result, ref onward);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void AddFour(int from, ref TRegister state, TRegister h, ref TRegister slopes, ref TRegister result, ref TRegister onward)
    {
        ReadOnlySpan<nint> components = _components.AsSpan(from, 4);
        var (c0, c1, c2, c3) = (components[0], components[1], components[2], components[3]);
        TRegister s0 = default, s1 = default, s2 = default, s3 = default;
        ref var stage = ref MemoryMarshal.GetArrayDataReference(_stages);
        ref var weight = ref MemoryMarshal.GetArrayDataReference(_weights);
        for (var count = _weights.Length; count > 0; count--)
        {
            ref var slope = ref Unsafe.AddByteOffset(ref slopes, stage);
            s0 = TFused.Fma(weight, Unsafe.AddByteOffset(ref slope, c0), s0);
            s1 = TFused.Fma(weight, Unsafe.AddByteOffset(ref slope, c1), s1);
            s2 = TFused.Fma(weight, Unsafe.AddByteOffset(ref slope, c2), s2);
            s3 = TFused.Fma(weight, Unsafe.AddByteOffset(ref slope, c3), s3);
            stage = ref Unsafe.Add(ref stage, 1);
            weight = ref Unsafe.Add(ref weight, 1);
        }

        ReadOnlySpan<nint> targets = _targets.AsSpan(from, 4);
        Deliver(s0, c0, targets[0], ref state, h, ref result, ref onward);
        Deliver(s1, c1, targets[1], ref state, h, ref result, ref onward);
        Deliver(s2, c2, targets[2], ref state, h, ref result, ref onward);
        Deliver(s3, c3, targets[3], ref state, h, ref result, ref onward);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Deliver(
        TRegister sum, nint component, nint target, ref TRegister state, TRegister h, ref TRegister result, ref TRegister onward)
    {
        var value = TFused.Fma(h, sum, Unsafe.AddByteOffset(ref state, component));
        Unsafe.AddByteOffset(ref result, target) = value;
        if (Unsafe.IsNullRef(ref onward)) return;
        Unsafe.AddByteOffset(ref onward, target) =
            TFused.Fma(h, TFused.Fma(_part, value, default), Unsafe.AddByteOffset(ref state, target));
    }

    private static IEnumerable<int> Padded(int[] components) =>
        [.. components, .. Enumerable.Repeat(components.LastOrDefault(), (4 - components.Length % 4) % 4)];

    private static nint[] InBytes(IEnumerable<int> registers) => [.. registers.Select(n => (nint)n * Unsafe.SizeOf<TRegister>())];
}
