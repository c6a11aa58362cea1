using DiffEqLang.Tableaux;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>All that one solve of an ordinary differential equation needs, checked.</summary>
/// <param name="Equations">The right-hand side and its derivatives.</param>
/// <param name="Tableau">The method.</param>
/// <param name="Span">From where to where, and what is kept.</param>
/// <param name="Method">The method's options.</param>
/// <param name="Options">What else the caller decides.</param>
internal sealed record OdeProblem(
    OdeEquations Equations, RungeKuttaTableau Tableau, SolveSpan Span, Method Method, SolveOptions Options)
    : RungeKuttaProblem(Tableau, Span, Method, Options)
{
    /// <summary>The delays of the equations, as they were when the solve began.</summary>
    public IReadOnlyList<Delay> Delays { get; private init; } = [];

    /// <summary>The same, by the method that takes over where the equations prove stiff.</summary>
    public OdeProblem ByStiffMethod => this with { Tableau = Stiff! };

    /// <summary>How many lanes step on their own from a state [samples, N].</summary>
    public int LanesOf(Tensor state) => Options.Coupling == StepCoupling.Batch ? 1 : (int)state.size(0);

    /// <exception cref="ArgumentException">The method is unknown, or its options do not fit it or the equations.</exception>
    /// <exception cref="NotSupportedException">The equations have delays, and the method or the gradient is for equations without.</exception>
    public static OdeProblem Of(OdeEquations equations, SolveSpan span, SolveOptions options)
    {
        if (equations.Algebraic is not null && options.Method is null) options = options with { Method = Methods.Rodas5P() };
        var problem = Of(span, options);
        if (problem.Tableau is { IsPartitioned: true, IsNystrom: false } && equations.Positions is null)
            throw new ArgumentException(
                $"Method {problem.Method.Name} needs positions and momenta, neither of which may depend on itself, and these equations do not fall into such; deqc check names the term where the solve block has the method.");
        if (problem.Tableau.IsSplit && !equations.IsSplit)
            throw new ArgumentException(
                $"Method {problem.Method.Name} takes one part of the right-hand side explicitly and the other implicitly, and these equations are not split: mark the stiff part by `implicit {{ ... }}`, or name the method in the solve block for the compiler to find their linear part.");
        if (problem.Exponential is not null && equations.ImplicitStructure is null)
            throw new ArgumentException(
                $"Method {problem.Method.Name} needs a part of the right-hand side that is linear with constant coefficients, and of these equations none is split off: mark it by `implicit {{ ... }}`, or name the method in the solve block for the compiler to find it.");
        if (problem.Tableau.IsNystrom && equations.Velocities is null)
            throw new ArgumentException(
                $"Method {problem.Method.Name} is for equations of the second order without velocity, q'' = a(t, q), and these are of another form; deqc check names the term where the solve block has the method. Take vern9, or dopri8.");
        if (equations.Algebraic is not null) CheckConstraints(problem);
        if (span.Lanes is { } lanes) CheckSpans(lanes, options);
        var complete = new OdeProblem(equations, problem.Tableau, span, problem.Method, options) { Delays = equations.Delays };
        if (complete.Delays.Count > 0) complete.CheckDelays();
        return complete;
    }

    private void CheckDelays()
    {
        foreach (var delay in Delays)
            if (!(delay.Value > 0 && double.IsFinite(delay.Value)))
                throw new ArgumentException($"A delay must be positive and finite, not {delay.Value}: what is not in the past cannot be looked up. Keep a trained delay positive by `in (0, inf)`.");
        var least = Delays.Min(delay => delay.Value);
        if (Stiff is not null)
            throw new NotSupportedException($"Method {Method.Name} may change to an implicit method, and equations with delays are solved by explicit methods: take one of {string.Join(", ", Methods.ExplicitNames)}.");
        if (Exponential is not null)
            throw new NotSupportedException($"Method {Method.Name} steps by functions of a matrix, and equations with delays are solved by Runge-Kutta methods: take one of {string.Join(", ", Methods.ExplicitNames)}.");
        if (Multistep is not null)
            throw new NotSupportedException($"Method {Method.Name} keeps past values of its own, and equations with delays are solved by Runge-Kutta methods: take one of {string.Join(", ", Methods.ExplicitNames)}.");
        if (Tableau.IsImplicit)
            throw new NotSupportedException($"Method {Method.Name} is implicit, and equations with delays are solved by explicit methods: take one of {string.Join(", ", Methods.ExplicitNames)}.");
        if (Array.Find(Span.Lanes ?? [Span], span => span.Direction < 0) is { } backwards)
            throw new NotSupportedException($"Equations with delays are solved forwards in time alone, not from {backwards.Start} to {backwards.End}: backwards they would need the future, and errors would grow without bound.");
        if (!IsAdaptive && Method.Dt > least * (1 + 1e-12))
            throw new ArgumentException($"The step dt = {Method.Dt} is larger than the delay {least}, so that a step would ask for itself: take dt <= {least}, best a fraction of it.");
        if (Options.Resumable)
            throw new NotSupportedException("A solve of equations with delays does not go on later (SolveOptions.Resumable): their past is not kept.");
        if (!Options.KeepsAllStates)
            throw new NotSupportedException($"The {Options.GradientInWords} gradient does not go through delays, whose adjoint asks for what lies ahead: take GradientMode.Discrete, without checkpoints, which is exact there.");
    }

    private static void CheckSpans(SolveSpan[] lanes, SolveOptions options)
    {
        if (options.Coupling == StepCoupling.Batch && lanes.Length > 1)
            throw new ArgumentException("Samples with times of their own cannot share their steps: solve with StepCoupling.PerSample.");
        if (options.Resumable && Array.FindIndex(lanes, lane => lane.Direction != lanes[0].Direction) is var other and > 0)
            throw new ArgumentException($"Samples 0 and {other} go opposite ways in time, and a solve that goes on later has one (SolveOptions.Resumable): solve them apart.");
    }

    private static void CheckConstraints(RungeKuttaProblem problem)
    {
        var obstacle = problem.Multistep is null ? problem.Tableau.ObstacleToConstraints : "its past values do not fulfil them";
        if (obstacle is not null)
            throw new ArgumentException(
                $"Method {problem.Method.Name} does not solve algebraic constraints: {obstacle}. Take one of {string.Join(", ", Catalogue.ForConstraints.Select(tableau => tableau.Name))}.");
        if (!problem.Options.KeepsAllStates)
            throw new ArgumentException("Of equations with algebraic constraints there is the discrete gradient alone, without checkpoints: take gradient = discrete.");
    }
}
