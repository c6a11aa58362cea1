using DiffEqLang.Benchmarks.Models;
using DiffEqLang.Runtime;
using DiffEqLang.Runtime.Simd;
using static TorchSharp.torch;

namespace DiffEqLang.Benchmarks;

/// <summary>
/// 10,000 Lorenz systems with rho from 0 to 21 over t = 0 .. 1, float64, one thread: rk4 at 1e-3, and adaptive at 1e-6 with every
/// trajectory's own step; beside the same written in C++.
/// </summary>
internal static class LorenzEnsemble
{
    private const int Samples = 10_000;

    public static void Run()
    {
        set_num_threads(1);
        using var model = new Lorenz();
        double[] rho = [.. Enumerable.Range(0, Samples).Select(i => 21.0 * i / (Samples - 1))];
        var ensemble = new Ensemble<double>(model).From(new double[] { 1, 0, 0 }).Vary("rho", rho);
        var (values, limit) = (new double[Samples * 3], Reference.Run("lorenz"));
        foreach (var (method, count) in ((Method, int)[])[(Methods.Rk4(1e-3), 9), (Methods.Dopri5(1e-6, 1e-6), 31), (Methods.Tsit5(1e-6, 1e-6), 31)])
        {
            var options = new SolveOptions { Method = method, Threads = 1 };
            var measured = Measurement.OfProcessor(method.Name, () => ensemble.Solve(options, values), count);
            measured.Print();
            var summary = ensemble.Solve(options, values);
            Console.WriteLine($"{"",-58} {summary.Accepted / (double)Samples:0.0} steps accepted a trajectory, {summary.Rejected / (double)Samples:0.00} rejected");
            measured.PrintRatio(limit, method.Name);
        }
    }
}
