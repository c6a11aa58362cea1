using System.Diagnostics;
using DiffEqLang.Runtime;
using static TorchSharp.torch;

namespace DiffEqLang.Benchmarks;

/// <summary>How much the process grows while the spiral trains, after a warm-up that fills caches and pools.</summary>
internal static class Memory
{
    private const int WarmUp = 1_000, Steps = 10_000;

    public static void Run()
    {
        set_num_threads(1);
        foreach (var mode in new[] { GradientMode.Discrete, GradientMode.Backsolve })
        {
            // A rate so small that the dynamics, and with them the steps a solve takes, stay as they are.
            using var training = new SpiralTrainingStep.SpiralStep(StepCoupling.PerSample, mode, learningRate: 1e-6);
            for (var i = 0; i < WarmUp; i++) training.Train();
            var before = ResidentMegabytes();
            for (var i = 0; i < Steps; i++) training.Train();
            Console.WriteLine($"{Steps:N0} steps, {mode.ToString().ToLowerInvariant()} gradient: the process grew by {ResidentMegabytes() - before:0.0} MB");
        }
    }

    private static double ResidentMegabytes()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        using var process = Process.GetCurrentProcess();
        return process.WorkingSet64 / 1e6;
    }
}
