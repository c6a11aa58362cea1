using System.Numerics;
using System.Runtime.InteropServices;

namespace DiffEqLang.Runtime.Simd;

/// <summary>
/// Vector-Jacobian products whose parameter gradients are summed up: lane by lane in registers in memory, and from there,
/// before rounding has eaten much, into float64.
/// </summary>
/// <param name="stepper">The equations.</param>
internal sealed class AdjointSums<TRegister, TLanes, T>(LaneStepper<TRegister, TLanes> stepper)
    where TRegister : struct
    where TLanes : struct, ILanes<TLanes>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>
    /// So many products are summed in the state's precision: in float32 the sum of 64 terms loses at most 6 of 24 bits, and three
    /// on average.
    /// </summary>
    private const int ProductsAtOnce = 64;

    private readonly RegisterBuffer<TLanes> _lanes = new(stepper.Kernel.GradientSize);
    private readonly double[] _sums = new double[stepper.Kernel.GradientSize];
    private readonly Range[] _summed = [.. stepper.Kernel.SummedOverLanes];
    private readonly Range[] _byLane = [.. Between(stepper.Kernel.SummedOverLanes, stepper.Kernel.GradientSize)];
    private int _products;

    /// <summary>Forgets all sums.</summary>
    public void Clear()
    {
        _lanes.Span.Clear();
        Array.Clear(_sums);
        _products = 0;
    }

    /// <summary>wᵀ ∂f/∂x; adds wᵀ ∂f/∂θ to the sums.</summary>
    public void Run(
        TLanes t, ReadOnlySpan<TLanes> state, ReadOnlySpan<TLanes> parameters, ReadOnlySpan<TLanes> terms, ReadOnlySpan<TLanes> w,
        Span<TLanes> stateGradient)
    {
        stepper.DriftVjp(t, state, parameters, terms, w, stateGradient, _lanes.Span);
        if (++_products == ProductsAtOnce) Flush();
    }

    /// <summary>Adds the sums over all lanes.</summary>
    public void AddTo(Span<double> gradients)
    {
        Flush();
        for (var i = 0; i < gradients.Length; i++) gradients[i] += _sums[i];
    }

    private void Flush()
    {
        _products = 0;
        var lanes = _lanes.Span;
        foreach (var part in _byLane)
        {
            var sums = _sums.AsSpan(part);
            var registers = lanes[part];
            for (var i = 0; i < sums.Length; i++) sums[i] += LaneNumbers<TLanes, T>.Sum(registers[i]);
            registers.Clear();
        }

        foreach (var part in _summed)
        {
            var sums = _sums.AsSpan(part);
            var numbers = LaneNumbers<TLanes, T>.Of(lanes[part])[..sums.Length];
            for (var i = 0; i < sums.Length; i++) sums[i] += double.CreateTruncating(numbers[i]);
            numbers.Clear();
        }
    }

    /// <summary>What ascending ranges leave out of a whole.</summary>
    private static IEnumerable<Range> Between(IEnumerable<Range> ranges, int length)
    {
        var from = 0;
        foreach (var (start, size) in ranges.Select(range => range.GetOffsetAndLength(length)))
        {
            if (start > from) yield return from..start;
            from = start + size;
        }

        if (from < length) yield return from..length;
    }
}
