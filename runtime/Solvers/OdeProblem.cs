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
    /// <summary>How many lanes step on their own from a state [samples, N].</summary>
    public int LanesOf(Tensor state) => Options.Coupling == StepCoupling.Batch ? 1 : (int)state.size(0);

    /// <exception cref="ArgumentException">The method is unknown, or its options do not fit it.</exception>
    public static OdeProblem Of(OdeEquations equations, SolveSpan span, SolveOptions options)
    {
        if (equations.Algebraic is not null && options.Method is null) options = options with { Method = Methods.Rodas5P() };
        var problem = Of(span, options);
        if (problem.Tableau.IsPartitioned && equations.Positions is null)
            throw new ArgumentException(
                $"Method {problem.Method.Name} needs positions and momenta, neither of which may depend on itself, and these equations do not fall into such; deqc check names the term where the solve block has the method.");
        if (equations.Algebraic is not null) CheckConstraints(problem);
        return new OdeProblem(equations, problem.Tableau, span, problem.Method, options);
    }

    private static void CheckConstraints(RungeKuttaProblem problem)
    {
        if (problem.Tableau.ObstacleToConstraints is { } obstacle)
            throw new ArgumentException(
                $"Method {problem.Method.Name} does not solve algebraic constraints: {obstacle}. Take one of {string.Join(", ", Catalogue.ForConstraints.Select(tableau => tableau.Name))}.");
        if (!problem.Options.KeepsAllStates)
            throw new ArgumentException("Of equations with algebraic constraints there is the discrete gradient alone, without checkpoints: take gradient = discrete.");
    }
}
