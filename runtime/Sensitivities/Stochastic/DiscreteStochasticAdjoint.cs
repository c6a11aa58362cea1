using DiffEqLang.Runtime.Solvers.Stochastic;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime.Sensitivities.Stochastic;

/// <summary>The exact gradient of the scheme along its path: each step's own vector-Jacobian product, last to first.</summary>
internal sealed class DiscreteStochasticAdjoint(StochasticRun run) : StochasticAdjoint(run)
{
    private Tensor[] _states = [];

    protected override void BeginChunk(StochasticChunk steps, int chunk) => _states = Run.StatesOf(steps, chunk);

    protected override void EndChunk()
    {
        foreach (var state in _states) state.Dispose();
        _states = [];
    }

    protected override Tensor PullStep(in StochasticStep step, int index, Tensor? alive, Tensor w, ParameterGradients into) =>
        Run.Scheme.Method.AdvanceVjp(Run.Scheme.Equations, step, _states[index], w, into);
}
