using DiffEqLang.Runtime.Solvers.Stochastic;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime.Sensitivities.Stochastic;

/// <summary>
/// Pulls the gradient with respect to the states that a run saved back to its initial states and parameters: backwards
/// over the steps, along increments that are drawn again.
/// </summary>
internal abstract class StochasticAdjoint(StochasticRun run)
{
    /// <summary>The run whose gradient it is.</summary>
    protected StochasticRun Run => run;

    /// <summary>
    /// From ∂loss/∂saved, [T, B, N], gives ∂loss/∂initial, [B, N], and adds ∂loss/∂θ to <paramref name="into"/>. What a
    /// sample did not reach counts as no part of the loss.
    /// </summary>
    public Tensor Pull(Tensor gradient, ParameterGradients into)
    {
        using var guard = no_grad();
        using var scope = NewDisposeScope();
        var reached = where(run.Saved.isnan(), zeros_like(gradient), gradient);
        var adjoint = zeros_like(run.LastState);
        var place = run.SavedSteps.Length;
        while (place > 0 && run.SavedSteps[place - 1] > run.Steps) place--;

        for (var chunk = run.Scheme.Increments.Chunks - 1; chunk >= 0; chunk--)
        {
            if (run.Scheme.Increments.FirstStep(chunk) >= run.Steps) continue;
            using var steps = run.Scheme.Chunk(chunk, run.LastState);
            using var chunkScope = NewDisposeScope();
            BeginChunk(steps, chunk);
            for (var step = Math.Min(steps.End, run.Steps) - 1; step >= steps.First; step--)
            {
                using var stepScope = NewDisposeScope();
                for (; place > 0 && run.SavedSteps[place - 1] == step + 1; place--)
                {
                    adjoint = adjoint + reached.select(0, place - 1);
                    AtSaved(place - 1);
                }

                var alive = run.Alive(step);
                var w = alive is null ? adjoint : where(alive, adjoint, zeros_like(adjoint));
                var pulled = PullStep(steps[step], step - steps.First, alive, w, into);
                adjoint = alive is null ? pulled : where(alive, pulled, adjoint);
                adjoint = adjoint.MoveToOuterDisposeScope();
            }

            adjoint = adjoint.MoveToOuterDisposeScope();
            EndChunk();
        }

        for (; place > 0; place--) adjoint = adjoint + reached.select(0, place - 1);
        return adjoint.MoveToOuterDisposeScope();
    }

    /// <summary>Called before the steps of a chunk are gone back over.</summary>
    protected virtual void BeginChunk(StochasticChunk steps, int chunk) { }

    /// <summary>Called after them.</summary>
    protected virtual void EndChunk() { }

    /// <summary>Called where the state that was saved at a place is passed.</summary>
    protected virtual void AtSaved(int place) { }

    /// <summary>Takes the adjoint over one step: from after it, <paramref name="w"/>, to before it.</summary>
    /// <param name="step">The step.</param>
    /// <param name="index">Its number in the chunk.</param>
    /// <param name="alive">The samples that took it, [B, 1]; null: all.</param>
    /// <param name="w">The adjoint after it, zero for the others: [B, N].</param>
    /// <param name="into">Collects the parameters' part.</param>
    protected abstract Tensor PullStep(in StochasticStep step, int index, Tensor? alive, Tensor w, ParameterGradients into);
}
