using DiffEqLang.Tableaux;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// Solves the equations of implicit stages, M Zᵢ = M yᵢ + h Σⱼ aᵢⱼ f(tⱼ, Zⱼ), by simplified Newton iterations with the Jacobian at the step's
/// start. Each lane goes on until it has converged, and then rests: what becomes of it does not depend on its batch mates.
/// </summary>
/// <remarks>Hairer and Wanner (1996), Solving Ordinary Differential Equations II, IV.8.</remarks>
internal sealed class NewtonIteration : IDisposable
{
    private const int MostIterations = 12;

    /// <summary>To rounding: what converges slowly has no smaller step to go on with.</summary>
    private const int MostIterationsToRounding = 50;

    private readonly RungeKuttaKernel _kernel;
    private readonly IterationMatrix _matrix;
    private readonly ErrorNorm _norm;
    private readonly double _goal;      // in units of the tolerance
    private readonly bool _isToRounding;

    /// <param name="problem">What is solved.</param>
    /// <param name="kernel">Evaluates the right-hand side.</param>
    /// <param name="matrix">Gives the matrices.</param>
    /// <param name="lanes">How many lanes converge on their own.</param>
    /// <param name="dtype">Of the state.</param>
    public NewtonIteration(OdeProblem problem, RungeKuttaKernel kernel, IterationMatrix matrix, int lanes, ScalarType dtype)
    {
        (_kernel, _matrix, _isToRounding) = (kernel, matrix, !problem.IsAdaptive);
        (_norm, _goal) = Convergence.GoalOf(problem, lanes, dtype);
        Failed = new bool[lanes];
    }

    /// <summary>The lanes whose iteration has not converged in this attempt.</summary>
    public bool[] Failed { get; }

    /// <summary>Makes ready for an attempt.</summary>
    public void Open() => Array.Clear(Failed);

    /// <summary>Finds the states of a group of stages, and their slopes, which follow from them.</summary>
    public void Solve(StageGroup group, Stages stages)
    {
        var block = group.Block(_kernel.Tableau.A);
        var start = Enumerable.Range(0, group.Count).Select(i => _kernel.Known(stages, group, group.First + i)).ToArray();
        var states = start.Select((known, i) => Guess(stages, group, known, block, i)).ToArray();
        Iterate(group, stages, block, start, states);
        states.CopyTo(stages.States, group.First);
        SlopesOf(stages, group, block, start, states);
    }

    /// <summary>The stage's state if its slope were that of the last stage before it that evaluates the same.</summary>
    private Tensor Guess(Stages stages, StageGroup group, Tensor known, double[,] block, int row)
    {
        var reach = Enumerable.Range(0, group.Count).Sum(j => block[row, j]);
        using Scalar weight = reach * stages.Geometry.Scale;
        var last = group.First - 1;
        while (_kernel.Tableau.Drifts[last] != _kernel.Tableau.Drifts[group.First]) last--;
        return known.add(stages.Slopes[last], weight);
    }

    private void Iterate(StageGroup group, Stages stages, double[,] block, Tensor[] start, Tensor[] states)
    {
        var solve = _matrix.SolverOf(block);
        var tolerance = _norm.Tolerance(stages.States[0]).repeat(1, group.Count);
        var convergence = new Convergence(Failed, _goal, _isToRounding);
        _ = stages.Geometry.TimeOf(group.First);    // makes the stages' times here: an iteration's dispose scope would take them along
        var most = _isToRounding ? MostIterationsToRounding : MostIterations;
        for (var iteration = 0; iteration < most && convergence.AnyActive; iteration++)
        {
            using var ofIteration = NewDisposeScope();
            var change = solve(Residual(group, stages, block, start, states));
            if (convergence.AnyResting) change.view(Failed.Length, -1).masked_fill_(convergence.Resting(change.device), Scalars.Of(0));
            convergence.Judge(_norm.Of(change.reshape(change.size(0), -1), tolerance), iteration);
            for (var i = 0; i < states.Length; i++) states[i].add_(change.select(1, i), Scalars.One);
        }

        convergence.End();
    }

    /// <summary>M (yᵢ - Zᵢ) + h Σⱼ aᵢⱼ f(tⱼ, Zⱼ): [samples, m, N].</summary>
    private Tensor Residual(StageGroup group, Stages stages, double[,] block, Tensor[] start, Tensor[] states)
    {
        var geometry = stages.Geometry;
        Tensor[] slopes = [.. states.Select((state, j) => geometry.Scaled(_kernel.Drift(geometry, group.First + j, state, out _)))];
        return stack([.. states.Select((state, i) =>
            LinearCombination.Add(_kernel.TimesMass(start[i].add(state, Scalars.MinusOne)), Row(block, i), geometry.Scale, slopes))], 1);
    }

    /// <summary>
    /// kᵢ from h Σⱼ aᵢⱼ kⱼ = Zᵢ - yᵢ, without another evaluation, which would multiply what is left of the iteration's error by the
    /// stiffness. Of algebraic entries it is all that there is: Hairer and Wanner (1996), VI.1.12.
    /// </summary>
    private static void SlopesOf(Stages stages, StageGroup group, double[,] block, Tensor[] start, Tensor[] states)
    {
        var inverse = SmallMatrix.Inverse(block);
        Tensor[] increments = [.. states.Select((state, i) => state.add(start[i], Scalars.MinusOne))];
        for (var i = 0; i < group.Count; i++)
            stages.Slopes[group.First + i] = LinearCombination.Sum(Row(inverse, i), 1 / stages.Geometry.Scale, increments)!;
    }

    private static double[] Row(double[,] block, int row) => [.. Enumerable.Range(0, block.GetLength(1)).Select(j => block[row, j])];

    /// <inheritdoc/>
    public void Dispose() => _norm.Dispose();
}
