using System.Diagnostics;
using DiffEqLang.Benchmarks.Models;
using DiffEqLang.Runtime;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Benchmarks;

/// <summary>Waves of Fisher's equation on a line, whose Jacobian has three entries a row: how the time of a solve grows with the line.</summary>
internal static class SparseLine
{
    public static void Run()
    {
        set_num_threads(1);
        using var withoutGradient = no_grad();
        OdeModel[] lines = [new Line1250(), new Line2500(), new Line5000(), new Line10000()];
        foreach (var method in (Method[])[Methods.Rodas5P(1e-6, 1e-8), Methods.Bdf(1e-6, 1e-8), Methods.Kvaerno5(1e-6, 1e-8)])
        {
            var previous = 0.0;
            foreach (var line in lines)
            {
                var (seconds, cost) = Best(line, method);
                var growth = previous > 0 ? $"{seconds / previous:0.00} times half as many" : "";
                Console.WriteLine(
                    $"{method.Name,-9} N = {line.Layout.Size,6} {Measurement.Format(seconds),10}  {cost.Accepted[0]} steps, {cost.Jacobians} Jacobians, {cost.Factorizations} factorizations  {growth}");
                previous = seconds;
            }
        }

        foreach (var line in lines) line.Dispose();
    }

    /// <summary>The fastest of five solves.</summary>
    private static (double Seconds, Statistics Cost) Best(OdeModel line, Method method)
    {
        var (best, cost) = (double.PositiveInfinity, default(Statistics));
        for (var run = 0; run < 5; run++)
        {
            using var scope = NewDisposeScope();
            var place = linspace(0, 1, line.Layout.Size, ScalarType.Float64).add(Scalars.Of(-0.3), Scalars.One);
            var start = new Dictionary<string, Tensor> { ["c"] = place.square().mul(Scalars.Of(-200)).exp() };
            var clock = Stopwatch.StartNew();
            var solution = line.Solve(start, new SolveOptions { Method = method, Target = SolveTarget.Torch });
            best = Math.Min(best, clock.Elapsed.TotalSeconds);
            solution.EnsureSuccess();
            cost = solution.Statistics;
        }

        return (best, cost!);
    }
}
