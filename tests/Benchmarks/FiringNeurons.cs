using DiffEqLang.Benchmarks.Models;
using DiffEqLang.Runtime;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Benchmarks;

/// <summary>
/// 10,000 integrate-and-fire neurons with currents from 1.1 to 2.1 over 200 ms, tsit5 at 1e-6, float64, one thread, each with steps and times
/// of fire of its own: on registers and on tensors; and the same without events, to see what these cost.
/// </summary>
internal static class FiringNeurons
{
    private const int Samples = 10_000;

    public static void Run()
    {
        set_num_threads(1);
        using var scope = NewDisposeScope();
        using var withoutGradient = no_grad();
        using var firing = new Neurons();
        using var silent = new SilentNeurons();
        var currents = linspace(1.1, 2.1, Samples, float64);
        var nothing = zeros_like(currents);
        Measure("firing, simd", options => firing.Solve(nothing, nothing, currents, options), SolveTarget.Simd, count: 9);
        Measure("silent, simd", options => silent.Solve(nothing, nothing, currents, options), SolveTarget.Simd, count: 9);
        Measure("firing, torch", options => firing.Solve(nothing, nothing, currents, options), SolveTarget.Torch, count: 1);
    }

    private static void Measure(string name, Func<SolveOptions, Solution> solve, SolveTarget target, int count)
    {
        var options = new SolveOptions { Target = target, Threads = 1 };
        var (events, steps) = (0, 0L);
        Measurement.OfProcessor(name, Once, count, warmUp: target == SolveTarget.Simd ? 3 : 0).Print();
        Console.WriteLine($"{"",-58} {events / (double)Samples:0.0} events and {steps / (double)Samples:0.0} steps a neuron");

        void Once()
        {
            using var scope = NewDisposeScope();
            var solution = solve(options);
            (events, steps) = ((int)solution.EventTimes.isnan().logical_not().sum().item<long>(), solution.Statistics.Accepted.Sum());
        }
    }
}
