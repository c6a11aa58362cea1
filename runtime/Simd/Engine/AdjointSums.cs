using System.Numerics;

namespace DiffEqLang.Runtime.Simd;

/// <summary>Vector-Jacobian products of a right-hand side whose parameter gradients are summed up.</summary>
/// <param name="stepper">The equations.</param>
internal sealed class AdjointSums<TRegister, TLanes, T>(LaneStepper<TRegister, TLanes> stepper)
    where TRegister : struct
    where TLanes : struct, ILanes<TLanes>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly LaneSums<TLanes, T> _sums = new(stepper.Kernel.GradientSize, stepper.Kernel.SummedOverLanes);

    /// <summary>Forgets all sums.</summary>
    public void Clear() => _sums.Clear();

    /// <summary>wᵀ ∂f/∂x; adds wᵀ ∂f/∂θ to the sums.</summary>
    public void Run(
        TLanes t, ReadOnlySpan<TLanes> state, ReadOnlySpan<TLanes> parameters, ReadOnlySpan<TLanes> terms, ReadOnlySpan<TLanes> w,
        Span<TLanes> stateGradient)
    {
        stepper.DriftVjp(t, state, parameters, terms, w, stateGradient, _sums.Lanes);
        _sums.Count();
    }

    /// <summary>Copies the sums over all lanes.</summary>
    public void CopyTo(Span<double> gradients) => _sums.CopyTo(gradients);
}
