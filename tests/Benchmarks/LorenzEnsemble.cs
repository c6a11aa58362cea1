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
        double[] rho = [.. Enumerable.Range(0, Samples).Select(i => 21.0 * i / (Samples - 1))];
        var limit = Reference.Run("lorenz");
        foreach (var (model, count) in ((OdeModel, int)[])[(new LorenzRk4(), 9), (new Lorenz(), 31), (new LorenzTsit5(), 31)])
            using (model)
                Compare(new Ensemble<double>(model).From(new double[] { 1, 0, 0 }).Vary("rho", rho), model.Defaults.Method!.Name, count, limit);
    }

    private static void Compare(Ensemble<double> ensemble, string method, int count, IReadOnlyDictionary<string, double> limit)
    {
        var (values, options) = (new double[Samples * 3], new SolveOptions { Threads = 1 });
        var measured = Measurement.OfProcessor(method, () => ensemble.Solve(options, values), count);
        measured.Print();
        var summary = ensemble.Solve(options, values);
        Console.WriteLine($"{"",-58} {summary.Accepted / (double)Samples:0.0} steps accepted a trajectory, {summary.Rejected / (double)Samples:0.00} rejected");
        measured.PrintRatio(limit, method);
    }
}
