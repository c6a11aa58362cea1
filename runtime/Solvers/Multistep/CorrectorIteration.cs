using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// Solves y = known + g f(t, y), the equations of an implicit multistep step, by simplified Newton iterations from the prediction with a
/// matrix that lasts over steps. Where a lane does not converge with an old Jacobian, it tries again with that at the prediction.
/// </summary>
internal sealed class CorrectorIteration : IDisposable
{
    private const int MostIterations = 4, MostIterationsToRounding = 12;

    private readonly StepKernel _kernel;
    private readonly ErrorNorm _norm;
    private readonly ConvergenceRules _rules;
    private readonly bool _isToRounding;

    /// <param name="problem">What is solved.</param>
    /// <param name="kernel">Evaluates the right-hand side.</param>
    /// <param name="lanes">How many lanes converge on their own.</param>
    /// <param name="like">A state: [samples, N].</param>
    public CorrectorIteration(OdeProblem problem, StepKernel kernel, int lanes, Tensor like)
    {
        (_kernel, _isToRounding, Failed) = (kernel, !problem.IsAdaptive, new bool[lanes]);
        _norm = Convergence.NormOf(problem, lanes, like.dtype);
        _rules = _isToRounding ? new(1, true) : ConvergenceRules.OfTolerance(problem.Rtol, Convergence.RoundingOf(like.dtype));
        Matrix = new LastingMatrix(NewtonMatrices.For(problem.Equations, like.size(1), lanes), lanes, isFresh: _isToRounding);
    }

    /// <summary>The matrices of the iteration.</summary>
    public LastingMatrix Matrix { get; }

    /// <summary>The lanes whose iteration has not converged.</summary>
    public bool[] Failed { get; }

    /// <summary>The solution, [samples, N].</summary>
    /// <param name="geometry">The step.</param>
    /// <param name="predicted">Where the iteration starts: [samples, N].</param>
    /// <param name="known">What does not depend on the solution: [samples, N].</param>
    /// <param name="leading">g of each lane; zero where it does not move.</param>
    public Tensor Solve(StepGeometry geometry, Tensor predicted, Tensor known, double[] leading)
    {
        Matrix.Open(geometry.TimeOf(_kernel.EndNode), predicted, leading);
        var (state, weights) = (predicted.clone(), LaneWeights.Column(leading, predicted));
        bool[] rests = [.. leading.Select(g => g == 0)];
        Iterate(geometry, state, known, weights, predicted, rests, Failed);
        if (!Matrix.Renew(Failed)) return state;
        bool[] stays = [.. Failed.Select(failed => !failed)];
        state = where(tensor(stays, [stays.Length, 1], device: state.device), state, predicted);
        Iterate(geometry, state, known, weights, predicted, stays, Failed);
        return state;
    }

    /// <summary>Iterates the lanes that do not rest, in place, and says which of them fail.</summary>
    private void Iterate(StepGeometry geometry, Tensor state, Tensor known, Tensor weights, Tensor predicted, bool[] rests, bool[] failed)
    {
        var sitsOut = (bool[])rests.Clone();
        var (tolerance, convergence) = (_norm.Tolerance(predicted), new Convergence(sitsOut, _rules));
        for (var iteration = 0; iteration < (_isToRounding ? MostIterationsToRounding : MostIterations) && convergence.AnyActive; iteration++)
        {
            using var ofIteration = NewDisposeScope();
            var residual = _kernel.Drift(geometry, _kernel.EndNode, state, out _).mul(weights).add_(known, Scalars.One).add_(state, Scalars.MinusOne);
            var change = Matrix.Solve(residual);
            if (convergence.AnyResting) change.view(failed.Length, -1).masked_fill_(convergence.Resting(change.device), Scalars.Of(0));
            convergence.Judge(_norm.Of(change, tolerance), iteration);
            state.add_(change, Scalars.One);
        }

        convergence.End();
        for (var lane = 0; lane < failed.Length; lane++) failed[lane] = sitsOut[lane] && !rests[lane];
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _norm.Dispose();
        Matrix.Dispose();
    }
}
