using System.Diagnostics;
using DiffEqLang.Benchmarks.Models;
using DiffEqLang.Runtime;
using DiffEqLang.Runtime.Simd;
using static TorchSharp.torch;

namespace DiffEqLang.Benchmarks;

/// <summary>
/// What an ensemble of Lorenz systems (dopri5, every trajectory with its own step) costs as it grows from a hundred to a million: time a
/// trajectory by the processor's clock, and memory beyond its own numbers; and two threads against one.
/// </summary>
internal static class Growth
{
    private const int OfThreads = 100_000;

    public static void Run()
    {
        set_num_threads(1);
        using var model = new Lorenz();
        for (var samples = 100; samples <= 1_000_000; samples *= 10) Grow(model, samples);
        CompareThreads(model);
    }

    private static void Grow(Lorenz model, int samples)
    {
        var ensemble = Of(model, samples);
        var last = 0.0;
        void Solve() => ensemble.Solve(new SolveOptions { Threads = 1 }, chunk => last += chunk.Values[^1]);
        var before = Megabytes();
        var measured = Measurement.OfProcessor($"{samples:N0} trajectories", Solve, count: samples < 100_000 ? 31 : 5, warmUp: 2);
        var fastest = measured.Seconds.Min();
        Console.WriteLine(
            $"{measured.Name,-30} {Measurement.Format(fastest),12}, {fastest / samples * 1e9:0} ns a trajectory; the process grew by {Megabytes() - before:0.0} MB");
        GC.KeepAlive(last);
    }

    /// <summary>
    /// By the clock, and by the processors' time, which tells on a busy machine whether the threads get into each other's way: it should
    /// be that of one thread.
    /// </summary>
    private static void CompareThreads(Lorenz model)
    {
        var ensemble = Of(model, OfThreads);
        void Solve(int threads) => ensemble.Solve(new SolveOptions { Threads = threads }, _ => { });
        var (one, two) = Measurement.InTurn("one thread", () => Solve(1), "two threads", () => Solve(2), count: 15);
        one.Print();
        two.Print();
        var work = Measurement.OfProcessor("two", () => Solve(2), count: 9, warmUp: 1).Seconds.Min()
            / Measurement.OfProcessor("one", () => Solve(1), count: 9, warmUp: 1).Seconds.Min();
        Console.WriteLine($"{"",-58} {one.Seconds.Min() / two.Seconds.Min():0.00} times as fast, with {work:0.00} times the processor's time");
    }

    private static Ensemble<double> Of(Lorenz model, int samples)
    {
        double[] rho = [.. Enumerable.Range(0, samples).Select(i => 21.0 * i / (samples - 1))];
        return new Ensemble<double>(model).From(new double[] { 1, 0, 0 }).Vary("rho", rho);
    }

    /// <summary>What the process holds when all that can be collected is.</summary>
    private static double Megabytes()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        using var process = Process.GetCurrentProcess();
        return process.WorkingSet64 / 1e6;
    }
}
