using DiffEqLang.Runtime.Noise;
using DiffEqLang.Runtime.Sensitivities.Stochastic;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime.Solvers.Stochastic;

/// <summary>What a solve gave; the states are those of a flat batch, [T, B, N].</summary>
internal sealed record SdeResult(
    Tensor Saved, double[] Times, SolveStatus[] Status, double[] LastTimes, Tensor LastState, Statistics Statistics);

/// <summary>Solves stochastic differential equations with fixed steps, on tensors.</summary>
internal static class SdeSolver
{
    /// <summary>Solves from the initial states of a flat batch, [B, N].</summary>
    /// <param name="problem">What is solved.</param>
    /// <param name="equations">Drift and diffusion.</param>
    /// <param name="initial">[B, N].</param>
    public static SdeResult Solve(StochasticProblem problem, SdeEquations equations, Tensor initial)
    {
        GradientFault.ThrowIfAny();
        var scheme = SchemeOf(problem, equations, initial);
        var differentiable = is_grad_enabled()
            && (initial.requires_grad || equations.Parameters.Any(parameter => parameter.requires_grad));
        var request = new StochasticRequest(
            problem.SavedSteps, problem.Options.MaxSteps, differentiable && problem.Options.Gradient != GradientMode.Backsolve,
            problem.Options.CancellationToken, problem.Options.Progress);

        var run = StochasticRun.Start(scheme, request, initial);
        var steps = run.Status.Select((_, sample) => run.GoodSteps(sample)).ToArray();
        var result = new SdeResult(
            differentiable ? Tie(problem, equations, scheme, request, initial, run) : run.Saved.alias(),
            problem.Times,
            run.Status,
            [.. steps.Select(step => scheme.Grid.Times[step])],
            run.LastState.alias(),
            new Statistics(steps, new long[steps.Length], run.Steps));
        if (!differentiable) run.Dispose();
        return result;
    }

    private static Tensor Tie(
        StochasticProblem problem, SdeEquations equations, StochasticScheme scheme, StochasticRequest request, Tensor initial,
        StochasticRun run)
    {
        var start = initial.detach().DetachFromDisposeScope();
        var again = request with { Progress = null, CancellationToken = default, MostSteps = run.Steps };
        var gradient = new SdeGradient(problem, equations, start, run, () => StochasticRun.Start(scheme, again, start));
        return SdeSolveFunction.Tie(gradient, initial, equations.Parameters);
    }

    private static StochasticScheme SchemeOf(StochasticProblem problem, SdeEquations equations, Tensor initial)
    {
        var options = problem.Options;
        var driver = new BrownianDriver(
            options.Seed, initial.size(0), problem.NoiseSize, options.FirstSample, options.Antithetic,
            problem.CorrelationFactor?.to(initial.dtype).to(initial.device), initial.device, initial.dtype);
        var converted = ConvertedEquations.In(problem.Method.Calculus, equations, problem);
        return new StochasticScheme(converted, problem.Method, problem.Grid, new BrownianIncrements(driver, problem.Grid));
    }
}
