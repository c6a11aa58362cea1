using DiffEqLang.Runtime;
using DiffEqLang.Runtime.Simd;
using static TorchSharp.torch;

namespace DiffEqLang.Benchmarks;

/// <summary>
/// Seven stars and the outer planets by our methods of high order on registers, one thread: one trajectory, and what a trajectory of an
/// ensemble of 1,000 takes, whose starts differ by up to a hundred-thousandth; the least of some runs each, in turn, with the errors that they reach.
/// </summary>
internal static class CelestialOrbits
{
    private const int Samples = 1000;

    // The processor's clock ticks in milliseconds.
    private const int Repeats = 20;

    private const int Rounds = 5;

    public static void Run()
    {
        set_num_threads(1);
        Console.WriteLine($"{"problem",-14} {"method",-8} {"rtol",6} {"error",9} {"steps",7} {"one",11} {"of 1,000",11} {"gain",6}");
        foreach (var problem in ReferenceProblem.Celestial())
            using (problem.Model)
                foreach (var name in (string[])["dprkn12", "vern9", "dopri8"])
                    foreach (var rtol in (double[])[1e-10, 1e-11, 1e-12, 1e-13])
                        Compare(problem, new Method(name) { Rtol = rtol, Atol = rtol });
    }

    private static void Compare(ReferenceProblem problem, Method method)
    {
        var options = new SolveOptions { Threads = 1, Method = method };
        var initial = problem.Start();
        var (alone, many) = (new double[initial.Length], new double[Samples * initial.Length]);
        var one = new Ensemble<double>(problem.Model).From(initial);
        double[] starts = [.. Enumerable.Range(0, Samples).SelectMany(i => initial.Select(x => x * (1 + 1e-8 * i)))];
        var ensemble = new Ensemble<double>(problem.Model).From(starts);
        var steps = one.Solve(options, alone).Accepted;
        var (single, together) = (double.PositiveInfinity, double.PositiveInfinity);
        for (var round = 0; round < Rounds; round++)
        {
            single = Math.Min(single, Least(() => Repeat(() => one.Solve(options, alone)), 9, round) / Repeats);
            together = Math.Min(together, Least(() => ensemble.Solve(options, many), 1, round) / Samples);
        }

        Console.WriteLine(
            $"{problem.Name,-14} {method.Name,-8} {method.Rtol,6:0e-0} {problem.ErrorOf(alone),9:0.0e-00} {steps,7:N0} {Measurement.Format(single),11} {Measurement.Format(together),11} {single / together,6:0.00}");
    }

    /// <summary>The least of some runs, in seconds of the processor; before the first round they warm up.</summary>
    private static double Least(Action action, int count, int round) => Measurement.OfProcessor("", action, count, round == 0 ? 0.5 : 0).Least;

    private static void Repeat(Action action)
    {
        for (var i = 0; i < Repeats; i++) action();
    }
}
