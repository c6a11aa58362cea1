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
    /// <param name="onward">By what part of the step <see cref="AddOnward"/> goes on along the result.</param>
    public static LaneSum<TRegister> Of(int size, int[] components, int[] targets, (int Stage, double Weight)[] weights, double onward = 0)
    {
        object sum = default(TRegister) switch
        {
            Vector<double> => new LaneSum<Vector<double>, double, Fused64>(size, components, targets, weights, onward),
            Vector<float> => new LaneSum<Vector<float>, float, Fused32>(size, components, targets, weights, onward),
            Vector512<double> => new LaneSum<Vector512<double>, double, Fused512Of64>(size, components, targets, weights, onward),
            _ => new LaneSum<Vector512<float>, float, Fused512Of32>(size, components, targets, weights, onward),
        };
        return (LaneSum<TRegister>)sum;
    }

    /// <summary>result[target] = state[component] + h Σⱼ weightⱼ slopeⱼ[component]; other numbers are left as they are.</summary>
    /// <param name="state">The state before the step, length N.</param>
    /// <param name="h">The step.</param>
    /// <param name="slopes">Those of the stages, N each.</param>
    /// <param name="result">Length N; other memory than the state.</param>
    public abstract void AddTo(ReadOnlySpan<TRegister> state, TRegister h, ReadOnlySpan<TRegister> slopes, Span<TRegister> result);

    /// <summary>As <see cref="AddTo"/>, and onward[target] = state[target] + h · part · result[target]: where the result, taken as a slope, leads to.</summary>
    public abstract void AddOnward(
        ReadOnlySpan<TRegister> state, TRegister h, ReadOnlySpan<TRegister> slopes, Span<TRegister> result, Span<TRegister> onward);
}

/// <summary>Those sums, eight at once: so many chains of additions, which do not wait for each other, keep a processor's multiply-adds busy.</summary>
/// <remarks>
/// Beside the right-hand side this is where a step of high order spends its time. Memory is addressed without checks, which took as long as the
/// sums, but for those of whole lengths before; components are below N by construction.
/// </remarks>
internal sealed class LaneSum<TRegister, T, TFused> : LaneSum<TRegister>
    where TRegister : struct
    where T : unmanaged, INumberBase<T>
    where TFused : IFusedProducts<TRegister, T>
{
    private const int AtOnce = 8;

    private readonly nint[] _components, _targets;    // in bytes; the last repeated up to a multiple of eight
    private readonly nint[] _stages;                  // where the slopes begin, in bytes
    private readonly T[] _weights;
    private readonly T _onward;
    private readonly int _size, _length;              // of a state, and of the slopes up to the last one

    public LaneSum(int size, int[] components, int[] targets, (int Stage, double Weight)[] weights, double onward)
    {
        (_size, _length) = (size, weights.Length == 0 ? 0 : (weights[^1].Stage + 1) * size);
        (_components, _targets) = (InBytes(Padded(components)), InBytes(Padded(targets)));
        _stages = InBytes(weights.Select(pair => pair.Stage * size));
        _weights = [.. weights.Select(pair => T.CreateTruncating(pair.Weight))];
        _onward = T.CreateTruncating(onward);
    }

    /// <inheritdoc/>
    public override void AddTo(ReadOnlySpan<TRegister> state, TRegister h, ReadOnlySpan<TRegister> slopes, Span<TRegister> result)
    {
        ref var before = ref MemoryMarshal.GetReference(state[.._size]);
        ref var first = ref MemoryMarshal.GetReference(slopes[.._length]);
        ref var after = ref MemoryMarshal.GetReference(result[.._size]);
        for (var i = 0; i < _components.Length; i += AtOnce) AddEight(i, ref before, h, ref first, ref after);
    }

    /// <inheritdoc/>
    public override void AddOnward(
        ReadOnlySpan<TRegister> state, TRegister h, ReadOnlySpan<TRegister> slopes, Span<TRegister> result, Span<TRegister> onward)
    {
        ref var before = ref MemoryMarshal.GetReference(state[.._size]);
        ref var first = ref MemoryMarshal.GetReference(slopes[.._length]);
        ref var after = ref MemoryMarshal.GetReference(result[.._size]);
        ref var next = ref MemoryMarshal.GetReference(onward[.._size]);
        for (var i = 0; i < _components.Length; i += AtOnce)
        {
            AddEight(i, ref before, h, ref first, ref after);
            foreach (var target in _targets.AsSpan(i, AtOnce))
            {
                var slope = TFused.Fma(_onward, Unsafe.AddByteOffset(ref after, target), default);
                Unsafe.AddByteOffset(ref next, target) = TFused.Fma(h, slope, Unsafe.AddByteOffset(ref before, target));
            }
        }
    }

    private void AddEight(int from, ref TRegister state, TRegister h, ref TRegister slopes, ref TRegister result)
    {
        ReadOnlySpan<nint> components = _components.AsSpan(from, AtOnce);
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

        ReadOnlySpan<nint> targets = _targets.AsSpan(from, AtOnce);
        Unsafe.AddByteOffset(ref result, targets[0]) = TFused.Fma(h, s0, Unsafe.AddByteOffset(ref state, c0));
        Unsafe.AddByteOffset(ref result, targets[1]) = TFused.Fma(h, s1, Unsafe.AddByteOffset(ref state, c1));
        Unsafe.AddByteOffset(ref result, targets[2]) = TFused.Fma(h, s2, Unsafe.AddByteOffset(ref state, c2));
        Unsafe.AddByteOffset(ref result, targets[3]) = TFused.Fma(h, s3, Unsafe.AddByteOffset(ref state, c3));
        Unsafe.AddByteOffset(ref result, targets[4]) = TFused.Fma(h, s4, Unsafe.AddByteOffset(ref state, c4));
        Unsafe.AddByteOffset(ref result, targets[5]) = TFused.Fma(h, s5, Unsafe.AddByteOffset(ref state, c5));
        Unsafe.AddByteOffset(ref result, targets[6]) = TFused.Fma(h, s6, Unsafe.AddByteOffset(ref state, c6));
        Unsafe.AddByteOffset(ref result, targets[7]) = TFused.Fma(h, s7, Unsafe.AddByteOffset(ref state, c7));
    }

    private static IEnumerable<int> Padded(int[] components) =>
        [.. components, .. Enumerable.Repeat(components.LastOrDefault(), (AtOnce - components.Length % AtOnce) % AtOnce)];

    private static nint[] InBytes(IEnumerable<int> registers) => [.. registers.Select(n => (nint)n * Unsafe.SizeOf<TRegister>())];
}
