using DiffEqLang.Benchmarks.Models;
using DiffEqLang.Runtime;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Benchmarks;

/// <summary>
/// Ornstein-Uhlenbeck processes and geometric Brownian motions, 16 dimensions, 4096 samples, 1000 steps of Euler and Maruyama, float32, one
/// thread: on registers and on tensors, along the same paths, beside the same numbers drawn and the same steps taken in C++.
/// </summary>
internal static class StochasticPaths
{
    private const int Samples = 4096, Dimensions = 16;

    public static void Run()
    {
        set_num_threads(1);
        var limit = Reference.Run("sde");
        using var start = ones(Samples, Dimensions);
        using (var model = new OrnsteinUhlenbeck()) Compare("ou", options => model.Solve(start, options), limit);
        using (var model = new GeometricBrownian()) Compare("gbm", options => model.Solve(start, options), limit);
    }

    private static void Compare(string name, Func<SolveOptions, Solution> solve, IReadOnlyDictionary<string, double> limit)
    {
        foreach (var target in new[] { SolveTarget.Simd, SolveTarget.Torch })
        {
            var options = new SolveOptions { Target = target, Seed = 1 };
            var forward = Measurement.OfProcessor($"{name}, {Word(target)}: forward", () => Forward(solve, options), count: 5, warmUp: 2);
            forward.Print();
            forward.PrintRatio(limit, name);
            Measurement.OfProcessor($"{name}, {Word(target)}: forward and gradient", () => Train(solve, options), count: 3, warmUp: 2).Print();
        }
    }

    private static void Forward(Func<SolveOptions, Solution> solve, SolveOptions options)
    {
        using var scope = NewDisposeScope();
        using var withoutGradient = no_grad();
        solve(options);
    }

    private static void Train(Func<SolveOptions, Solution> solve, SolveOptions options)
    {
        using var scope = NewDisposeScope();
        solve(options).Packed.square().mean().backward();
    }

    private static string Word(SolveTarget target) => target.ToString().ToLowerInvariant();
}
