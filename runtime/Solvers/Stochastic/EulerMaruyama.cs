using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime.Solvers.Stochastic;

/// <summary>
/// x' = x + f h + g dW. G. Maruyama (1955), Continuous Markov processes and stochastic equations, Rend. Circ. Mat. Palermo
/// 4; Kloeden and Platen (1992), 10.2.
/// </summary>
internal sealed class EulerMaruyama : StochasticMethod
{
    public override string Name => "euler_maruyama";

    public override Calculus Calculus => Calculus.Ito;

    public override bool Takes(NoiseStructure noise) => true;

    public override double StrongOrder(NoiseStructure noise) =>
        noise is NoiseStructure.None or NoiseStructure.Additive ? 1 : 0.5;

    public override Tensor Advance(SdeEquations equations, in StochasticStep step, Tensor state) =>
        state.add(equations.Drift(step.Start, state), step.Length)
            .add_(equations.Diffusion(step.Start, state, step.Increment));

    public override Tensor AdvanceVjp(
        SdeEquations equations, in StochasticStep step, Tensor state, Tensor w, ParameterGradients into) =>
        w.add(equations.DriftVjp(step.Start, state, w * step.Length, into))
            .add_(equations.DiffusionVjp(step.Start, state, step.Increment, w, into));
}
