namespace DiffEqLang.Runtime.Simd;

/// <summary>
/// The equations of a model with noise over SIMD registers: what <see cref="SdeEquations"/> is to tensors. The drift is that of
/// <see cref="LaneKernel{TRegister}"/>.
/// </summary>
/// <typeparam name="TRegister">As for <see cref="LaneKernel{TRegister}"/>.</typeparam>
/// <remarks>
/// The derivatives of the diffusion are overridden where it depends on the state; <see cref="Milstein"/> and its product only where the
/// noise is commutative.
/// </remarks>
public abstract class StochasticKernel<TRegister> : LaneKernel<TRegister>
    where TRegister : struct
{
    /// <summary>M, the number of Wiener processes.</summary>
    public abstract int NoiseSize { get; }

    /// <summary>g(t, x) dW.</summary>
    /// <param name="t">The time of each lane.</param>
    /// <param name="state">x, length N.</param>
    /// <param name="parameters">Length <see cref="LaneKernel{TRegister}.ParameterSize"/>.</param>
    /// <param name="increments">dW, length M.</param>
    /// <param name="noise">Receives g dW, length N.</param>
    public abstract void Diffusion(
        TRegister t, ReadOnlySpan<TRegister> state, ReadOnlySpan<TRegister> parameters, ReadOnlySpan<TRegister> increments,
        Span<TRegister> noise);

    /// <summary>The vector-Jacobian products of <see cref="Diffusion"/>.</summary>
    /// <param name="t">The time of each lane.</param>
    /// <param name="state">x, length N.</param>
    /// <param name="parameters">Length <see cref="LaneKernel{TRegister}.ParameterSize"/>.</param>
    /// <param name="increments">dW, length M.</param>
    /// <param name="w">The cotangent of g dW, length N.</param>
    /// <param name="stateGradient">Is set to wᵀ ∂(g dW)/∂x, length N.</param>
    /// <param name="parameterGradients">wᵀ ∂(g dW)/∂θ is added to it; length <see cref="LaneKernel{TRegister}.GradientSize"/>.</param>
    public abstract void DiffusionVjp(
        TRegister t, ReadOnlySpan<TRegister> state, ReadOnlySpan<TRegister> parameters, ReadOnlySpan<TRegister> increments,
        ReadOnlySpan<TRegister> w, Span<TRegister> stateGradient, Span<TRegister> parameterGradients);

    /// <summary>½ Σᵢⱼ Lⁱgʲ dWᵢ dWⱼ, as <see cref="SdeEquations.Milstein"/>; parameters as for <see cref="Diffusion"/>.</summary>
    public virtual void Milstein(
        TRegister t, ReadOnlySpan<TRegister> state, ReadOnlySpan<TRegister> parameters, ReadOnlySpan<TRegister> increments,
        Span<TRegister> noise) => throw NoDerivatives();

    /// <summary>The vector-Jacobian products of <see cref="Milstein"/>; parameters as for <see cref="DiffusionVjp"/>.</summary>
    public virtual void MilsteinVjp(
        TRegister t, ReadOnlySpan<TRegister> state, ReadOnlySpan<TRegister> parameters, ReadOnlySpan<TRegister> increments,
        ReadOnlySpan<TRegister> w, Span<TRegister> stateGradient, Span<TRegister> parameterGradients) => throw NoDerivatives();

    /// <summary>½ Σⱼ Lʲgʲ, as <see cref="SdeEquations.ItoCorrection"/>.</summary>
    /// <param name="t">The time of each lane.</param>
    /// <param name="state">x, length N.</param>
    /// <param name="parameters">Length <see cref="LaneKernel{TRegister}.ParameterSize"/>.</param>
    /// <param name="correction">Receives it, length N.</param>
    public virtual void ItoCorrection(
        TRegister t, ReadOnlySpan<TRegister> state, ReadOnlySpan<TRegister> parameters, Span<TRegister> correction) =>
        throw NoDerivatives();

    /// <summary>The vector-Jacobian products of <see cref="ItoCorrection"/>.</summary>
    /// <param name="t">The time of each lane.</param>
    /// <param name="state">x, length N.</param>
    /// <param name="parameters">Length <see cref="LaneKernel{TRegister}.ParameterSize"/>.</param>
    /// <param name="w">The cotangent of the correction, length N.</param>
    /// <param name="stateGradient">Is set to wᵀ ∂/∂x of it, length N.</param>
    /// <param name="parameterGradients">wᵀ ∂/∂θ of it is added; length <see cref="LaneKernel{TRegister}.GradientSize"/>.</param>
    public virtual void ItoCorrectionVjp(
        TRegister t, ReadOnlySpan<TRegister> state, ReadOnlySpan<TRegister> parameters, ReadOnlySpan<TRegister> w,
        Span<TRegister> stateGradient, Span<TRegister> parameterGradients) => throw NoDerivatives();

    private static NotSupportedException NoDerivatives() =>
        new("This kernel was generated without the derivatives of its diffusion.");
}
