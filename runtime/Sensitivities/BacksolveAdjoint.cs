using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// The continuous adjoint: state, adjoint and parameter gradient solved together backwards in time, by the method and the
/// tolerances of the forward solve, starting anew from the saved state at every saved time.
/// dx/dt = f,  dλ/dt = -(∂f/∂x)ᵀλ,  dg/dt = -(∂f/∂θ)ᵀλ.
/// </summary>
/// <remarks>
/// Pontryagin et al. (1962); Chen, Rubanova, Bettencourt and Duvenaud (2018), Neural ordinary differential equations,
/// algorithm 1. Solving the state backwards is unstable where the forward equations contract strongly.
/// The parameter gradients are integrals that nothing else depends on, so that errors are measured without them: Kidger, Chen
/// and Lyons (2021), "Hey, that's not an ODE": Faster ODE adjoints via seminorms. Each interval goes on with the last one's step.
/// </remarks>
internal static class BacksolveAdjoint
{
    /// <summary>
    /// d loss / d initial state, [samples, N], in no dispose scope; adds d loss / d parameter to <paramref name="into"/>.
    /// </summary>
    /// <param name="problem">What was solved.</param>
    /// <param name="times">Its saved times.</param>
    /// <param name="values">The states there: [times, samples, N].</param>
    /// <param name="cotangents">d loss / d those.</param>
    /// <param name="into">The parameters' gradients.</param>
    public static Tensor Run(OdeProblem problem, double[] times, Tensor values, Tensor cotangents, ParameterGradients into)
    {
        using var scope = NewDisposeScope();
        var backwards = new AugmentedEquations(problem.Equations, values.size(1), values.size(2), into, values);
        var augmented = backwards.Pack(values.select(0, -1), zeros_like(values.select(0, -1)));
        double? step = null;
        for (var i = times.Length - 1; i >= 0; i--)
        {
            var adjoint = backwards.Adjoint(augmented).add(cotangents.select(0, i), Scalars.One);
            augmented = backwards.Pack(values.select(0, i), adjoint, augmented);
            var next = i > 0 ? times[i - 1] : problem.Span.Start;
            if (next != times[i]) (augmented, step) = Solve(problem, backwards, augmented, times[i], next, step);
        }

        backwards.AddParameters(augmented, into);
        return backwards.Adjoint(augmented).clone().DetachFromDisposeScope();
    }

    /// <summary>The vector at the end of an interval, and the size of the step to go on with.</summary>
    private static (Tensor, double?) Solve(
        OdeProblem problem, AugmentedEquations backwards, Tensor augmented, double from, double to, double? step)
    {
        var span = new SolveSpan(from, to, [to], null);
        var options = problem.Options with { Coupling = StepCoupling.Batch, Progress = null };
        var method = problem.IsAdaptive && step is not null ? problem.Method with { Dt = step } : problem.Method;
        var run = OdeIntegrator.Run(
            problem with { Equations = backwards, Span = span, Options = options, Method = method, ErrorSize = backwards.DynamicSize },
            augmented);
        using (run.LastState)
        using (run.Values)
        {
            if (run.Status[0] != SolveStatus.Success)
                throw new InvalidOperationException(
                    $"The adjoint could not be solved backwards from t = {from} to {to}: {run.Status[0]} at t = {run.LastTime[0]}. Take gradient = discrete.");
            return (run.LastState.clone(), run.NextStep[0]);
        }
    }
}
