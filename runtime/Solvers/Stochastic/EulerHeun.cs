using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime.Solvers.Stochastic;

/// <summary>
/// x̄ = x + g(t, x) dW, then x' = x + f(t, x) h + ½ (g(t, x) + g(t + h, x̄)) dW. W. Rümelin (1982), Numerical treatment of
/// stochastic differential equations, SIAM J. Numer. Anal. 19; Kloeden and Platen (1992), 11.1 and 15.1.
/// </summary>
internal sealed class EulerHeun : StochasticMethod
{
    private static readonly Scalar Half = 0.5;

    public override string Name => "euler_heun";

    public override Calculus Calculus => Calculus.Stratonovich;

    public override bool Takes(NoiseStructure noise) => true;

    public override double StrongOrder(NoiseStructure noise) => noise is NoiseStructure.General ? 0.5 : 1;

    public override Tensor Advance(SdeEquations equations, in StochasticStep step, Tensor state)
    {
        var noise = equations.Diffusion(step.Start, state, step.Increment);
        var predicted = state + noise;
        return state.add(equations.Drift(step.Start, state), step.Length)
            .add_(noise, Half)
            .add_(equations.Diffusion(step.End, predicted, step.Increment), Half);
    }

    public override Tensor AdvanceVjp(
        SdeEquations equations, in StochasticStep step, Tensor state, Tensor w, ParameterGradients into)
    {
        var half = w * Half;
        var predicted = state + equations.Diffusion(step.Start, state, step.Increment);
        var toPredicted = equations.DiffusionVjp(step.End, predicted, step.Increment, half, into);
        return w.add(toPredicted)
            .add_(equations.DriftVjp(step.Start, state, w * step.Length, into))
            .add_(equations.DiffusionVjp(step.Start, state, step.Increment, half + toPredicted, into));
    }
}
