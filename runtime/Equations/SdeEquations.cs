using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>The equations of an SDE: drift as in <see cref="OdeEquations"/>, and what its noise does.</summary>
/// <remarks>dW is [..., M]: the increments of all Wiener processes, packed as states are.</remarks>
public abstract class SdeEquations : OdeEquations
{
    /// <summary>g(t, x) dW: [..., N].</summary>
    public abstract Tensor Diffusion(Tensor t, Tensor state, Tensor dW);

    /// <summary>wᵀ ∂(g dW)/∂x, [..., N]; parameters as in <see cref="OdeEquations.DriftVjp(Tensor, Tensor, Tensor, ParameterGradients)"/>.</summary>
    public abstract Tensor DiffusionVjp(Tensor t, Tensor state, Tensor dW, Tensor w, ParameterGradients into);

    /// <summary>
    /// ½ Σᵢⱼ Lⁱgʲ dWᵢ dWⱼ: the double integrals' part of Milstein's scheme for commutative noise, without the Itô term
    /// (subtract h times <see cref="ItoCorrection"/> for Itô). Kloeden and Platen (1992), 10.3.
    /// </summary>
    public virtual Tensor Milstein(Tensor t, Tensor state, Tensor dW) => throw NoCorrection();

    /// <summary>wᵀ of the Jacobian of <see cref="Milstein"/>.</summary>
    public virtual Tensor MilsteinVjp(Tensor t, Tensor state, Tensor dW, Tensor w, ParameterGradients into) => throw NoCorrection();

    /// <summary>½ Σⱼ Lʲgʲ: [..., N]. The Stratonovich drift is the Itô drift minus this.</summary>
    public virtual Tensor ItoCorrection(Tensor t, Tensor state) => throw NoCorrection();

    /// <summary>wᵀ of the Jacobian of <see cref="ItoCorrection"/>.</summary>
    public virtual Tensor ItoCorrectionVjp(Tensor t, Tensor state, Tensor w, ParameterGradients into) => throw NoCorrection();

    private static NotSupportedException NoCorrection() =>
        new("These equations were generated without the derivatives of their diffusion.");
}
