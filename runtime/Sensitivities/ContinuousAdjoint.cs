using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// The continuous adjoint: adjoint and parameter gradient solved together backwards in time, by the method and the tolerances of the
/// forward solve, with a jump at every saved time; the state is solved beside them, starting anew there
/// (<see cref="BacksolveEquations"/>), or the forward solve's (<see cref="InterpolatedEquations"/>).
/// dx/dt = f,  dλ/dt = -(∂f/∂x)ᵀλ,  dg/dt = -(∂f/∂θ)ᵀλ.
/// </summary>
/// <remarks>
/// Pontryagin et al. (1962); Chen, Rubanova, Bettencourt and Duvenaud (2018), Neural ordinary differential equations,
/// algorithm 1. Each interval goes on with the last one's step. Samples share their steps: where they have times of their own, along
/// <see cref="AdjointInterval"/>.
/// </remarks>
internal sealed class ContinuousAdjoint
{
    private readonly OdeProblem _problem;
    private readonly AdjointEquations _backwards;
    private double _step;       // in units of time

    private ContinuousAdjoint(OdeProblem problem, AdjointEquations backwards, double step)
    {
        _problem = problem with
        {
            Equations = backwards,
            Options = problem.Options with { Coupling = StepCoupling.Batch, Progress = null },
        };
        (_backwards, _step) = (backwards, step);
    }

    /// <summary>
    /// d loss / d initial state, [samples, N], in no dispose scope; adds d loss / d parameter to <paramref name="into"/>.
    /// </summary>
    /// <param name="problem">What was solved.</param>
    /// <param name="backwards">The adjoint's equations.</param>
    /// <param name="initial">From which state: [samples, N].</param>
    /// <param name="times">Its saved times, where all samples share them.</param>
    /// <param name="values">The states there: [times, samples, N].</param>
    /// <param name="step">The size of the first step backwards where steps follow the error, as the forward solve left it; 0: not known.</param>
    /// <param name="cotangents">d loss / d those.</param>
    /// <param name="into">The parameters' gradients.</param>
    /// <returns>The gradient; and a warning, where it deserves no trust.</returns>
    public static (Tensor Initial, SolveWarning? Warning) Run(
        OdeProblem problem, AdjointEquations backwards, Tensor initial, double[] times, Tensor values, double step, Tensor cotangents,
        ParameterGradients into)
    {
        using var scope = NewDisposeScope();
        var adjoint = new ContinuousAdjoint(problem, backwards, step);
        var gradient = zeros_like(initial);
        for (var i = (int)values.size(0) - 1; i >= 0; i--)
        {
            using var ofInterval = NewDisposeScope();
            using var interval = AdjointInterval.Before(problem.Span, times, i);
            var jumped = gradient.add(cotangents.select(0, i), Scalars.One);
            gradient.Dispose();
            if (interval.Longest > 0)
            {
                using var vector = adjoint.Solve(backwards.Pack(values.select(0, i), jumped), interval);
                backwards.Arrive(interval.To, vector, i > 0 ? values.select(0, i - 1) : initial);
                jumped = backwards.Adjoint(vector);
            }

            gradient = jumped.MoveToOuterDisposeScope();
        }

        backwards.AddIntegrals(into);
        return (gradient.contiguous().DetachFromDisposeScope(), backwards.Judge(problem));
    }

    /// <summary>The vector at the end of an interval, in no dispose scope.</summary>
    private Tensor Solve(Tensor vector, AdjointInterval interval)
    {
        _backwards.Interval = interval;
        var dt = _problem.IsAdaptive && _step > 0 ? _step : _problem.Method.Dt;
        var run = OdeIntegrator.Run(
            _problem with { Span = interval.Span, Method = _problem.Method with { Dt = dt / interval.Unit } }, vector);
        run.Values.Dispose();
        _step = run.NextStep[0] * interval.Unit;
        if (run.Status[0] == SolveStatus.Success) return run.LastState;
        run.LastState.Dispose();
        var where = interval.IsShared ? $"at t = {run.LastTime[0]}" : $"after {run.LastTime[0]:p0} of it, and of the intervals of the other samples";
        throw new InvalidOperationException(
            $"The adjoint could not be solved backwards from t = {interval.From[0]} to {interval.To[0]}: {run.Status[0]} {where}. Take gradient = discrete.");
    }
}
