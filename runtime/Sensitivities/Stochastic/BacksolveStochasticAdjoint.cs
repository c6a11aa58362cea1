using DiffEqLang.Runtime.Solvers.Stochastic;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime.Sensitivities.Stochastic;

/// <summary>
/// The continuous adjoint: in Stratonovich's sense state and adjoint obey dx = f dt + g ∘ dW and
/// dλ = −λᵀ ∂f/∂x dt − λᵀ ∂(g ∘ dW)/∂x, both solved backwards along the same path by the Euler-Heun method. No states are
/// recorded; the state starts anew from each saved one.
/// </summary>
/// <remarks>
/// Li, Wong, Chen and Duvenaud (2020), Scalable gradients for stochastic differential equations, AISTATS, theorem 3.1 and
/// algorithm 2.
/// </remarks>
/// <param name="run">The run whose gradient it is.</param>
/// <param name="equations">Its equations in Stratonovich's sense.</param>
internal sealed class BacksolveStochasticAdjoint(StochasticRun run, SdeEquations equations) : StochasticAdjoint(run), IDisposable
{
    private static readonly Scalar Half = 0.5, MinusHalf = -0.5, Two = 2;

    private Tensor _state = run.LastState.alias().DetachFromDisposeScope();

    protected override void AtSaved(int place)
    {
        // Where a sample did not come so far, its saved state is NaN and it still stands at its last good one.
        var saved = Run.Saved.select(0, place);
        Move(where(saved.isnan(), _state, saved));
    }

    protected override Tensor PullStep(in StochasticStep step, int index, Tensor? alive, Tensor w, ParameterGradients into)
    {
        using Scalar backwards = -step.Length.ToDouble();
        var noise = equations.Diffusion(step.End, _state, step.Increment);
        var halfNoiseAdjoint = equations.DiffusionVjp(step.End, _state, step.Increment, w * Half, into);
        var predicted = _state - noise;
        var predictedAdjoint = w.add(halfNoiseAdjoint, Two);

        var before = w
            .add(equations.DriftVjp(step.End, _state, w * step.Length, into), Scalars.One)
            .add_(halfNoiseAdjoint, Scalars.One)
            .add_(equations.DiffusionVjp(step.Start, predicted, step.Increment, predictedAdjoint * Half, into), Scalars.One);
        var state = _state
            .add(equations.Drift(step.End, _state), backwards)
            .add_(noise, MinusHalf)
            .add_(equations.Diffusion(step.Start, predicted, step.Increment), MinusHalf);
        Move(alive is null ? state : where(alive, state, _state));
        return before;
    }

    public void Dispose() => _state.Dispose();

    private void Move(Tensor state)
    {
        _state.Dispose();
        _state = state.DetachFromDisposeScope();
    }
}
