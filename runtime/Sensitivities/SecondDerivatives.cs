using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// The derivatives of a solve's gradient: with cotangents c of the saved states S(θ), the gradient is g = ∇(cᵀS), and uᵀg the derivative of
/// cᵀS along u. Its gradient is that of cᵀṠ, where Ṡ are the tangents of the saved states along u: the discrete adjoint of the variational
/// equations (<see cref="OdeEquations.Along"/>), by the solve's own steps. So it is the exact Hessian of the numerical scheme, times u.
/// </summary>
/// <remarks>
/// Griewank and Walther (2008), Evaluating Derivatives, 5.3. A step of a Runge-Kutta or Rosenbrock method of the variational equations is the
/// derivative of the step: Hairer, Nørsett and Wanner (1993), Solving Ordinary Differential Equations I, I.14.
/// </remarks>
internal static class SecondDerivatives
{
    /// <summary>Why there are none of a solve; null where there are.</summary>
    /// <param name="problem">What is solved.</param>
    /// <param name="flowsToTimes">Whether gradients flow to the saved times.</param>
    public static string? Obstacle(OdeProblem problem, bool flowsToTimes)
    {
        var equations = problem.Equations;
        if (problem.Options.GradientOrDefault != GradientMode.Discrete)
            return $"the {problem.Options.GradientInWords} gradient is differentiated once; take GradientMode.Discrete.";
        if (flowsToTimes) return "saved times are differentiated once; give times that require no gradient.";
        if (problem.Multistep is not null)
            return $"steps of {problem.Method.Name} go on from past values, which are differentiated once; take a Runge-Kutta method such as {(problem.Multistep.IsImplicit ? "kvaerno5" : "vern9")}.";
        if (problem.Tableau.IsSplit || problem.Exponential is not null)
            return $"method {problem.Method.Name} splits the equations, whose parts are differentiated once; take a method that does not, such as kvaerno5.";
        if (equations.Events.Count > 0) return "events are differentiated once.";
        if (equations.Delays.Count > 0) return "delays are differentiated once.";
        if (equations.Algebraic is not null) return "algebraic constraints are differentiated once.";
        return equations.Along(equations.Parameters) is null
            ? "it needs the variational equations, which are generated where the solve block says `gradient = discrete(order = 2)`, or by deqc build --second-derivatives; equations written by hand override OdeEquations.Along."
            : null;
    }

    /// <summary>What a backward pass with <c>create_graph</c> is answered where there are none.</summary>
    public static NotSupportedException Refusal(string obstacle) =>
        new($"There are no gradients of gradients through this solve, which create_graph asks for: {obstacle}");

    /// <summary>
    /// The tangents of the saved states, [times, samples, N], and d uᵀg / d initial state, [samples, N]; adds d uᵀg / d parameter to
    /// <paramref name="into"/>. In no dispose scope.
    /// </summary>
    /// <param name="problem">What was solved.</param>
    /// <param name="initial">From which state: [samples, N].</param>
    /// <param name="cotangents">c: [times, samples, N].</param>
    /// <param name="ofInitial">u of the initial state: [samples, N].</param>
    /// <param name="ofParameters">u of the parameters, of their shapes.</param>
    /// <param name="into">The parameters' derivatives.</param>
    public static (Tensor Tangents, Tensor Initial) Run(
        OdeProblem problem, Tensor initial, Tensor cotangents, Tensor ofInitial, IReadOnlyList<Tensor> ofParameters, ParameterGradients into)
    {
        using var scope = NewDisposeScope();
        var size = initial.size(1);
        var variational = problem with
        {
            Equations = problem.Equations.Along(ofParameters)!,
            // Steps are given: implicit stages are then found to rounding.
            Method = problem.Method with { Adaptive = false },
        };
        using var tape = new VariationalTape(variational, cat([initial, ofInitial], 1), problem.LanesOf(initial));
        var run = OdeIntegrator.Run(problem, initial, tape);
        run.Values.Dispose();
        run.LastState.Dispose();
        var tangents = tape.Values.narrow(2, size, size);
        int[] arrived = [.. Enumerable.Range(0, run.Status.Length).Where(lane => run.Status[lane] == SolveStatus.Success)];
        if (arrived.Length == run.Status.Length)
        {
            using var gradient = DiscreteAdjoint.Run(variational, tape.Steps, OfTangents(cotangents), into);
            return (Owned(tangents.clone()), Owned(gradient.narrow(1, 0, size).clone()));
        }

        // The other lanes have no gradient, wherever they are.
        var (ofSaved, ofState) = (Owned(zeros_like(cotangents)), Owned(zeros_like(initial)));
        if (arrived.Length == 0) return (ofSaved, ofState);
        var index = tensor([.. arrived.Select(lane => (long)lane)], ScalarType.Int64, initial.device);
        using var steps = tape.Steps.Of(arrived);
        using var part = DiscreteAdjoint.Run(variational with { Span = variational.Span.Select(arrived) }, steps, OfTangents(cotangents.index_select(1, index)), into);
        ofSaved.index_copy_(1, index, tangents.index_select(1, index));
        ofState.index_copy_(0, index, part.narrow(1, 0, size));
        return (ofSaved, ofState);
    }

    /// <summary>Cotangents of states and tangents from those of the latter.</summary>
    private static Tensor OfTangents(Tensor cotangents) => cat([zeros_like(cotangents), cotangents], 2);

    private static Tensor Owned(Tensor tensor) => tensor.DetachFromDisposeScope();
}
