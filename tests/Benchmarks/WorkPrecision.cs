using System.Diagnostics;
using DiffEqLang.Plots;
using DiffEqLang.Runtime;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Benchmarks;

/// <summary>
/// Work against precision: what our methods take for six problems at relative tolerances from 1e-3 to 1e-8, all on tensors, so
/// that methods are compared and not targets. Writes work_precision.png.
/// </summary>
internal static class WorkPrecision
{
    private static readonly double[] Tolerances = [1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8];
    private static readonly string[] Stiff = ["radau", "kvaerno3", "kvaerno5", "rodas4", "rodas5p", "trbdf2"];
    private static readonly string[] Explicit = ["bosh3", "dopri5", "tsit5", "dopri8"];
    private const double MostSeconds = 1;    // a method that takes longer is not followed further

    public static void Run()
    {
        set_num_threads(1);
        using var withoutGradient = no_grad();
        var figure = new Figure("Work and precision: seconds on tensors against the error reached") { Width = 1500 };
        (IReadOnlyList<ReferenceProblem>, string[])[] rows = [(ReferenceProblem.Gentle(), Explicit), ([.. ReferenceProblem.Stiff().Take(2)], Stiff), ([.. ReferenceProblem.Stiff().Skip(2).Take(2)], Stiff)];
        foreach (var (problems, methods) in rows)
        {
            figure.AddRow(420);
            foreach (var problem in problems)
                using (problem.Model)
                    Draw(figure.AddPanel($"{problem.Name}: log10 error", "log10 seconds"), problem, methods);
        }

        figure.Save("work_precision.png");
        Console.WriteLine("Wrote work_precision.png.");
    }

    private static void Draw(Panel panel, ReferenceProblem problem, string[] methods)
    {
        foreach (var (colour, method) in methods.Index())
        {
            List<(double Error, double Seconds)> points = [];
            foreach (var rtol in Tolerances)
            {
                var (error, seconds) = Measure(problem, method, rtol);
                if (error > 0) points.Add((Math.Log10(error), Math.Log10(seconds)));
                Console.WriteLine($"{problem.Name,-20} {method,-10} {rtol,6:0e-0} {error,9:0.0e-00} {Measurement.Format(seconds),10}");
                if (seconds > MostSeconds) break;
            }

            double[] errors = [.. points.Select(point => point.Error)], times = [.. points.Select(point => point.Seconds)];
            panel.Line(errors, times, method, colour).Points(errors, times, null, colour);
        }
    }

    /// <summary>The error reached, 0 where the solve did not end well; and the faster of two runs.</summary>
    private static (double Error, double Seconds) Measure(ReferenceProblem problem, string method, double rtol)
    {
        var options = new SolveOptions { Method = new Method(method) { Rtol = rtol, Atol = rtol * problem.Atol }, Target = SolveTarget.Torch };
        var (error, best) = (0.0, double.PositiveInfinity);
        for (var run = 0; run < 2 && (run == 0 || best < MostSeconds); run++)
        {
            using var scope = NewDisposeScope();
            var clock = Stopwatch.StartNew();
            var solution = problem.Model.Solve(null, options);
            best = Math.Min(best, clock.Elapsed.TotalSeconds);
            error = solution.Succeeded ? problem.ErrorOf([.. solution.LastState.data<double>()]) : 0;
        }

        return (error, best);
    }
}
