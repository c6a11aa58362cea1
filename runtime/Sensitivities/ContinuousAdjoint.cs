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
/// algorithm 1. Each interval goes on with the last one's step.
/// </remarks>
internal sealed class ContinuousAdjoint
{
    private readonly OdeProblem _problem;
    private double _step;

    private ContinuousAdjoint(OdeProblem problem, AdjointEquations backwards, double step)
    {
        _problem = problem with
        {
            Equations = backwards,
            Options = problem.Options with { Coupling = StepCoupling.Batch, Progress = null },
        };
        _step = step;
    }

    /// <summary>
    /// d loss / d initial state, [samples, N], in no dispose scope; adds d loss / d parameter to <paramref name="into"/>.
    /// </summary>
    /// <param name="problem">What was solved.</param>
    /// <param name="backwards">The adjoint's equations.</param>
    /// <param name="initial">From which state: [samples, N].</param>
    /// <param name="times">Its saved times.</param>
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
        for (var i = times.Length - 1; i >= 0; i--)
        {
            using var ofInterval = NewDisposeScope();
            var (start, known) = i > 0 ? (times[i - 1], values.select(0, i - 1)) : (problem.Span.Start, initial);
            var jumped = gradient.add(cotangents.select(0, i), Scalars.One);
            gradient.Dispose();
            if (start != times[i])
            {
                using var vector = adjoint.Solve(backwards.Pack(values.select(0, i), jumped), times[i], start);
                backwards.Arrive(start, vector, known);
                jumped = backwards.Adjoint(vector);
            }

            gradient = jumped.MoveToOuterDisposeScope();
        }

        backwards.AddIntegrals(into);
        return (gradient.contiguous().DetachFromDisposeScope(), backwards.Judge(problem));
    }

    /// <summary>The vector at the end of an interval, in no dispose scope.</summary>
    private Tensor Solve(Tensor vector, double from, double to)
    {
        var method = _problem.IsAdaptive && _step > 0 ? _problem.Method with { Dt = _step } : _problem.Method;
        var run = OdeIntegrator.Run(_problem with { Span = new SolveSpan(from, to, [], null), Method = method }, vector);
        run.Values.Dispose();
        _step = run.NextStep[0];
        if (run.Status[0] == SolveStatus.Success) return run.LastState;
        run.LastState.Dispose();
        throw new InvalidOperationException(
            $"The adjoint could not be solved backwards from t = {from} to {to}: {run.Status[0]} at t = {run.LastTime[0]}. Take gradient = discrete.");
    }
}
