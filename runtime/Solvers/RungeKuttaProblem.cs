using DiffEqLang.Tableaux;

namespace DiffEqLang.Runtime;

/// <summary>What a Runge-Kutta solve of any equations is about, checked.</summary>
/// <param name="Tableau">The method.</param>
/// <param name="Span">From where to where, and what is kept.</param>
/// <param name="Method">The method's options.</param>
/// <param name="Options">What else the caller decides.</param>
internal record RungeKuttaProblem(RungeKuttaTableau Tableau, SolveSpan Span, Method Method, SolveOptions Options)
{
    /// <summary>The relative tolerance.</summary>
    public double Rtol => Method.Rtol ?? Method.DefaultRtol;

    /// <summary>The absolute tolerance.</summary>
    public double Atol => Method.Atol ?? Method.DefaultAtol;

    /// <summary>The multistep method whose first step is one by the tableau; null where all are.</summary>
    public MultistepMethod? Multistep { get; } = Method.Tableau is null ? Catalogue.FindMultistep(Method.Name) : null;

    /// <summary>The exponential method; null where it is none. The tableau is then the method that it is without the linear part.</summary>
    public ExponentialMethod? Exponential { get; } = Method.Tableau is null ? Catalogue.FindExponential(Method.Name) : null;

    /// <summary>The method that takes over where the equations prove stiff; null where the method does not change.</summary>
    public RungeKuttaTableau? Stiff { get; } = Method.Tableau is null && Method.Name == Methods.AutoName ? Rodas5P.Tableau : null;

    /// <summary>Whether the method estimates its error.</summary>
    public bool EstimatesError => Multistep is not null || Tableau.Error is not null;

    /// <summary>Whether steps follow the error.</summary>
    public bool IsAdaptive => Method.Adaptive ?? EstimatesError;

    /// <summary>How they do.</summary>
    public StepController Controller => Method.Controller ?? (Tableau.Spectrum is null ? StepController.PI : StepController.Predictive);

    /// <summary>Why the method does not run on SIMD registers, and what to do about it; null where it does.</summary>
    /// <param name="hasJacobian">Whether the model's code for registers has its Jacobian.</param>
    /// <param name="isSecondOrder">Whether it is that of equations of the second order without velocity.</param>
    public string? ObstacleOnRegisters(bool hasJacobian, bool isSecondOrder)
    {
        if (Multistep is not null)
            return $"Method {Multistep.Name} keeps past values, and those are kept by torch: take SolveTarget.Torch, or a one-step method such as {(Multistep.IsImplicit ? "rodas5p" : "tsit5")}.";
        if (Exponential is not null)
            return $"Method {Exponential.Name} steps by functions of a matrix, and those are computed by torch: take SolveTarget.Torch, or a one-step method such as rodas5p.";
        if (Stiff is not null)
            return $"Method {Method.Name} changes between two methods, and that is done by torch: take SolveTarget.Torch, or one of the two, {Tableau.Name} or {Stiff.Name}.";
        if (Tableau.IsPartitioned && !isSecondOrder)
            return $"Method {Tableau.Name} runs on registers where the equations are of the second order without velocity, q'' = a(t, q), and these are not: take SolveTarget.Torch, or one of {string.Join(", ", Methods.ExplicitNames)}.";
        if (Tableau.FitsRegisters && (!Tableau.IsImplicit || hasJacobian)) return null;
        return Tableau.FitsRegisters
            ? $"Method {Tableau.Name} solves with the Jacobian, and the model's code for registers was built without: name the method in the solve block, build with --jacobian, or take SolveTarget.Torch."
            : $"Method {Tableau.Name} solves nonlinear equations, and those are solved by torch: take SolveTarget.Torch, radau, a Rosenbrock method such as rodas5p, or an explicit one ({string.Join(", ", Methods.ExplicitNames)}).";
    }

    /// <exception cref="ArgumentException">The method is unknown, or its options do not fit it.</exception>
    public static RungeKuttaProblem Of(SolveSpan span, SolveOptions options)
    {
        var method = options.Method ?? Methods.Tsit5();
        if (ReversibleScheme.Find(method.Name) is not null)
            throw new ArgumentException($"Method {method.Name} is reversible, and those run on torch, without ensembles: take SolveTarget.Torch, or one of {string.Join(", ", Methods.ExplicitNames)}.");
        var tableau = method.Tableau ?? Catalogue.Find(method.Name) ?? Catalogue.FindMultistep(method.Name)?.Start
            ?? Catalogue.FindExponential(method.Name)?.Underlying
            ?? (method.Name == Methods.AutoName ? Tsit5.Tableau : null)
            ?? throw new ArgumentException($"There is no method {method.Name} for ordinary differential equations.{Spelling.Suggest(method.Name, [.. Methods.OdeNames, .. Methods.SymplecticNames, .. Methods.NystromNames, .. Methods.SplitNames, .. Methods.ExponentialNames, .. Methods.ReversibleNames, Methods.AutoName])}");
        var problem = new RungeKuttaProblem(tableau, span, method, options);
        problem.Check();
        return problem;
    }

    private void Check()
    {
        if (IsAdaptive && !EstimatesError)
            throw new ArgumentException($"Method {Method.Name} does not estimate its error, so that its step cannot follow it: give dt and leave Adaptive out.");
        if (Stiff is not null && !IsAdaptive)
            throw new ArgumentException($"Method {Method.Name} tells stiffness by the steps that follow the error: leave Adaptive out.");
        if (!IsAdaptive && Method.Dt is null)
            throw new ArgumentException($"Method {Method.Name} takes fixed steps: give their size, as in {Method.Name}(dt = 0.01).");
        if (Method.Dt is { } dt && !(dt > 0 && double.IsFinite(dt)))
            throw new ArgumentException($"The step dt must be positive (in both directions of time), not {dt}.");
        if (!(Rtol >= 0 && Atol >= 0 && Rtol + Atol > 0))
            throw new ArgumentException($"Tolerances must not be negative, and not both zero: rtol = {Rtol}, atol = {Atol}.");
        if (Method.Order is { } order && (Multistep is null || order < 1 || order > Multistep.MostOrder))
            throw new ArgumentException(Multistep is null
                ? $"Method {Method.Name} has one order: leave Order out, or take a method of variable order ({string.Join(", ", Methods.MultistepNames)})."
                : $"The highest order of {Method.Name} is {Multistep.MostOrder}: Order is from 1 to that, not {order}.");
        CheckGradient();
        if (Options.MaxSteps < 1)
            throw new ArgumentException($"MaxSteps must be positive, not {Options.MaxSteps}.");
    }

    private void CheckGradient()
    {
        if (Options.Checkpoints is < 1)
            throw new ArgumentException($"Checkpoints are at least one, not {Options.Checkpoints}; left out, all states are kept.");
        if (Options.Checkpoints is not null && Options.GradientOrDefault != GradientMode.Discrete)
            throw new ArgumentException($"Checkpoints are the discrete gradient's, and the gradient is {Options.Gradient}: leave them out, or take GradientMode.Discrete.");
        if (Options.Gradient == GradientMode.Reversible)
            throw new ArgumentException($"Steps of {Method.Name} cannot be undone, which the reversible gradient does: take {string.Join(" or ", Methods.ReversibleNames)}, or gradient = discrete(checkpoints = 50).");
        if (Stiff is not null && !Options.KeepsAllStates)
            throw new ArgumentException($"Method {Method.Name} changes between two methods, and gradients through it are those of its steps, all of them kept: take gradient = discrete, without checkpoints.");
        if (Multistep is not null && !Options.KeepsAllStates)
            throw new ArgumentException($"Gradients through the multistep method {Method.Name} are those of its steps, all of them kept: take gradient = discrete, without checkpoints.");
        if (Exponential is not null && !Options.KeepsAllStates)
            throw new ArgumentException($"Gradients through the exponential method {Method.Name} are those of its steps, all of them kept: take gradient = discrete, without checkpoints.");
        if (Tableau.IsImplicit && Options.Gradient == GradientMode.Backsolve)
            throw new ArgumentException($"Method {Method.Name} is implicit, and the backsolve gradient solves backwards what is stiff forwards: take gradient = discrete.");
        if (Tableau.IsImplicit && Options.Gradient == GradientMode.Interpolated)
            throw new ArgumentException($"Method {Method.Name} is implicit, and the interpolated gradient solves the adjoint by explicit methods alone: take gradient = discrete.");
        if (Tableau.IsPartitioned && Options.Gradient is (GradientMode.Backsolve or GradientMode.Interpolated))
            throw new ArgumentException($"Method {Method.Name} moves positions and momenta apart, and the equations of the {Options.GradientInWords} gradient do not fall into such: take gradient = discrete.");
    }
}
