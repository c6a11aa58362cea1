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
        StochasticGradient.RethrowFailure();
        var method = MethodOf(problem);
        var scheme = SchemeOf(problem, method, initial);
        var differentiable = is_grad_enabled()
            && (initial.requires_grad || problem.Equations.Parameters.Any(parameter => parameter.requires_grad));
        var gradient = problem.Options.Gradient ?? GradientMode.Discrete;
        var saved = problem.Span.Times is { } times
            ? times.Select(scheme.Grid.StepsUntil).ToArray()
            : [.. Enumerable.Range(0, scheme.Grid.Steps + 1)];
        var request = new StochasticRequest(
            saved, problem.Options.MaxSteps, differentiable && gradient == GradientMode.Discrete,
            problem.Options.CancellationToken, problem.Options.Progress);

        var run = StochasticRun.Start(scheme, request, initial);
        return new SdeResult(
            differentiable ? StochasticGradient.Attach(run.Saved, initial, problem.Equations.Parameters, PullbackOf(run, problem, gradient)) : run.Saved,
            problem.Span.Times ?? scheme.Grid.Times,
            run.Status,
            [.. run.Status.Select((_, sample) => scheme.Grid.Times[run.GoodSteps(sample)])],
            run.LastState,
            StatisticsOf(run));
    }

    private static Func<Tensor, ParameterGradients, Tensor> PullbackOf(StochasticRun run, SdeProblem problem, GradientMode gradient) =>
        gradient switch
        {
            GradientMode.Discrete => new DiscreteStochasticAdjoint(run).Pull,
            GradientMode.Backsolve => (output, into) =>
            {
                var equations = ConvertedEquations.In(Calculus.Stratonovich, problem.Equations, problem.Calculus, problem.Noise);
                using var adjoint = new BacksolveStochasticAdjoint(run, equations);
                return adjoint.Pull(output, into);
            },
            _ => throw new ArgumentException($"Gradients of SDEs are discrete or backsolve, not {gradient}."),
        };

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

    private static Statistics StatisticsOf(StochasticRun run)
    {
        var accepted = run.Status.Select((_, sample) => run.GoodSteps(sample)).ToArray();
        return new Statistics(accepted, new long[accepted.Length], run.Steps);
    }

    private static string Word(NoiseStructure noise) => noise.ToString().ToLowerInvariant();
}
