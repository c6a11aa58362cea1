using System.Diagnostics;
using DiffEqLang.Benchmarks.Models;
using DiffEqLang.Runtime;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Benchmarks;

/// <summary>
/// What the gradient of a long solve keeps, by the number of its steps: tensors alive at most, looked at during the solve and its
/// backward pass, and by how much the process grew at most.
/// </summary>
internal static class GradientMemory
{
    private const double Length = 10;     // of the solve: reversible methods grow unstable on longer ones

    private static readonly (string Name, SolveOptions Options)[] Ways =
    [
        ("discrete", new SolveOptions { Method = Methods.Rk4(1) }),
        ("discrete(checkpoints = 50)", new SolveOptions { Method = Methods.Rk4(1), Checkpoints = 50 }),
        ("backsolve", new SolveOptions { Method = Methods.Rk4(1), Gradient = GradientMode.Backsolve }),
        ("reversible", new SolveOptions { Method = Methods.ReversibleHeun(1), Gradient = GradientMode.Reversible }),
    ];

    public static void Run()
    {
        set_num_threads(1);
        foreach (var (name, options) in Ways)
            foreach (var steps in (int[])[10_000, 100_000, 1_000_000])
                if (steps <= 100_000 || options is not { Gradient: null, Checkpoints: null })
                    Measure(name, options, steps);
    }

    private static void Measure(string name, SolveOptions options, int steps)
    {
        using var model = new PredatorPrey(dtype: ScalarType.Float64);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var (tensors, bytes) = (Tensor.TotalCount, Environment.WorkingSet);
        var (mostTensors, mostBytes) = (0L, 0L);
        using var ended = new ManualResetEventSlim();
        var watcher = new Thread(() =>
        {
            do (mostTensors, mostBytes) = (Math.Max(mostTensors, Tensor.TotalCount), Math.Max(mostBytes, Environment.WorkingSet));
            while (!ended.Wait(1));
        });
        watcher.Start();
        var clock = Stopwatch.StartNew();
        Differentiate(model, options with { Method = options.Method! with { Dt = Length / steps }, Start = 0, End = Length, MaxSteps = 2 * steps, Target = SolveTarget.Torch });
        ended.Set();
        watcher.Join();
        Console.WriteLine(
            $"{name,-28} {steps,9:N0} steps: {mostTensors - tensors,9:N0} tensors, {(mostBytes - bytes) / 1e6,7:0.0} MB at most, {clock.Elapsed.TotalSeconds,6:0.0} s");
    }

    private static void Differentiate(PredatorPrey model, SolveOptions options)
    {
        using var scope = NewDisposeScope();
        var start = ones([], dtype: ScalarType.Float64, requires_grad: true);
        var solution = model.Solve(x: start, options: options);
        solution.EnsureSuccess();
        solution.Packed.sum().backward();
        GradientFault.ThrowIfAny();
    }
}
