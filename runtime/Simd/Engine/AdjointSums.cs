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

    /// <summary>Copies the sums over all lanes.</summary>
    public void CopyTo(Span<double> gradients)
    {
        Flush();
        _sums.CopyTo(gradients);
    }

    private void Flush()
    {
        _products = 0;
        var lanes = _lanes.Span;
        for (var i = 0; i < _sums.Length; i++) _sums[i] += LaneNumbers<TLanes, T>.Sum(lanes[i]);

        lanes.Clear();
    }
}
