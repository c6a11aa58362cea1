using System.Globalization;
using DiffEqLang.Runtime.Noise;
using DiffEqLang.Runtime.Sensitivities.Stochastic;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime.Solvers.Stochastic;

/// <summary>A stochastic differential equation and how to solve it.</summary>
/// <param name="Equations">Drift and diffusion.</param>
/// <param name="Calculus">The sense they are written in.</param>
/// <param name="Noise">The structure of the diffusion.</param>
/// <param name="NoiseSize">The number of Wiener processes of one sample.</param>
/// <param name="CorrelationFactor">L with L Lᵀ the increments' correlation, [M, M]; null: independent.</param>
/// <param name="Span">From where to where, and what is kept.</param>
/// <param name="Options">What else the caller decides.</param>
internal sealed record SdeProblem(
    SdeEquations Equations,
    Calculus Calculus,
    NoiseStructure Noise,
    long NoiseSize,
    Tensor? CorrelationFactor,
    SolveSpan Span,
    SolveOptions Options);

/// <summary>What a solve gave; the states are those of a flat batch, [T, B, N].</summary>
internal sealed record SdeResult(
    Tensor Saved, double[] Times, SolveStatus[] Status, double[] LastTimes, Tensor LastState, Statistics Statistics);

/// <summary>Solves stochastic differential equations with fixed steps.</summary>
internal static class SdeSolver
{
    /// <summary>The steps of a solve that names no dt.</summary>
    private const int DefaultSteps = 1000;

    /// <summary>Solves from the initial states of a flat batch, [B, N].</summary>
    /// <exception cref="ArgumentException">The method does not fit the equations, or an option makes no sense.</exception>
    public static SdeResult Solve(SdeProblem problem, Tensor initial)
    {
        GradientFault.ThrowIfAny();
        var scheme = SchemeOf(problem, MethodOf(problem), initial);
        var differentiable = is_grad_enabled()
            && (initial.requires_grad || problem.Equations.Parameters.Any(parameter => parameter.requires_grad));
        var saved = problem.Span.Times is { } times
            ? times.Select(scheme.Grid.StepsUntil).ToArray()
            : [.. Enumerable.Range(0, scheme.Grid.Steps + 1)];
        var request = new StochasticRequest(
            saved, problem.Options.MaxSteps, differentiable && problem.Options.Gradient != GradientMode.Backsolve,
            problem.Options.CancellationToken, problem.Options.Progress);

        var run = StochasticRun.Start(scheme, request, initial);
        var steps = run.Status.Select((_, sample) => run.GoodSteps(sample)).ToArray();
        var result = new SdeResult(
            differentiable ? Tie(problem, scheme, request, initial, run) : run.Saved.alias(),
            problem.Span.Times ?? scheme.Grid.Times,
            run.Status,
            [.. steps.Select(step => scheme.Grid.Times[step])],
            run.LastState.alias(),
            new Statistics(steps, new long[steps.Length], run.Steps));
        if (!differentiable) run.Dispose();
        return result;
    }

    private static Tensor Tie(SdeProblem problem, StochasticScheme scheme, StochasticRequest request, Tensor initial, StochasticRun run)
    {
        var start = initial.detach().DetachFromDisposeScope();
        var again = request with { Progress = null, CancellationToken = default, MostSteps = run.Steps };
        var gradient = new SdeGradient(problem, start, run, () => StochasticRun.Start(scheme, again, start));
        return SdeSolveFunction.Tie(gradient, initial, problem.Equations.Parameters);
    }

    private static StochasticMethod MethodOf(SdeProblem problem)
    {
        var name = problem.Options.Method?.Name
            ?? (problem.Calculus == Calculus.Ito ? "euler_maruyama" : "euler_heun");
        var method = StochasticMethod.All.FirstOrDefault(known => known.Name == name)
            ?? throw new ArgumentException(
                $"There is no method '{name}' for stochastic differential equations.{Spelling.Suggest(name, Methods.SdeNames)}");
        var others = StochasticMethod.All.Where(other => other.Takes(problem.Noise)).Select(other => other.Name);
        return method.Takes(problem.Noise)
            ? method
            : throw new ArgumentException(
                $"Method {name} does not converge for {Word(problem.Noise)} noise, which these equations have; take {string.Join(" or ", others)}.");
    }

    private static StochasticScheme SchemeOf(SdeProblem problem, StochasticMethod method, Tensor initial)
    {
        var (span, options) = (problem.Span, problem.Options);
        if (span.Source is { requires_grad: true })
            throw new ArgumentException("Paths of an SDE have no derivative in time, so that no gradient flows to the saved times; pass them as numbers or detached.");
        if (options.MaxSteps < 1) throw new ArgumentException($"MaxSteps must be positive, not {options.MaxSteps}.");
        var dt = options.Method?.Dt ?? (span.End - span.Start) / DefaultSteps;
        if (!(dt > 0 && double.IsFinite(dt)))
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"The step dt must be positive and finite, not {dt}."));

        var grid = new StepGrid(span.Start, span.End, dt, span.Times ?? []);
        var driver = new BrownianDriver(
            options.Seed, initial.size(0), problem.NoiseSize, options.FirstSample, options.Antithetic,
            problem.CorrelationFactor?.detach().to(initial.dtype).to(initial.device), initial.device, initial.dtype);
        var equations = ConvertedEquations.In(method.Calculus, problem.Equations, problem.Calculus, problem.Noise);
        return new StochasticScheme(equations, method, grid, new BrownianIncrements(driver, grid));
    }

    private static string Word(NoiseStructure noise) => noise.ToString().ToLowerInvariant();
}
