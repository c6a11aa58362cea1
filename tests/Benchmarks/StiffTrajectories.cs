using DiffEqLang.Runtime;
using DiffEqLang.Runtime.Simd;
using static TorchSharp.torch;

namespace DiffEqLang.Benchmarks;

/// <summary>
/// Five stiff problems by rodas5p on registers, one thread: one trajectory, and what a trajectory of an ensemble of 1,000 takes, with
/// the errors that they reach.
/// </summary>
internal static class StiffTrajectories
{
    private const int Samples = 1000;

    public static void Run()
    {
        set_num_threads(1);
        Console.WriteLine($"{"problem",-20} {"rtol",6} {"error",9} {"steps",7} {"one",11} {"of 1,000",11}");
        foreach (var problem in ReferenceProblem.Stiff())
            using (problem.Model)
                foreach (var rtol in (double[])[1e-4, 1e-6, 1e-8])
                    Compare(problem, rtol);
    }

    private static void Compare(ReferenceProblem problem, double rtol)
    {
        var options = new SolveOptions { Threads = 1, Method = Methods.Rodas5P(rtol, rtol * problem.Atol) };
        var initial = problem.Start();
        var (alone, many) = (new double[initial.Length], new double[Samples * initial.Length]);
        double[] starts = [.. Enumerable.Repeat(initial, Samples).SelectMany(start => start)];
        var one = new Ensemble<double>(problem.Model).From(initial);
        var ensemble = new Ensemble<double>(problem.Model).From(starts);
        var steps = one.Solve(options, alone).Accepted;
        var single = Measurement.OfProcessor(problem.Name, () => Repeat(() => one.Solve(options, alone)), 9, 1);
        var together = Measurement.OfProcessor(problem.Name, () => ensemble.Solve(options, many), 3, 1);
        Console.WriteLine(
            $"{problem.Name,-20} {rtol,6:0e-0} {problem.ErrorOf(alone),9:0.0e-00} {steps,7:N0} {Measurement.Format(single.Median / Repeats),11} {Measurement.Format(together.Median / Samples),11}");
    }

    // The processor's clock ticks in milliseconds.
    private const int Repeats = 50;

    private static void Repeat(Action action)
    {
        for (var i = 0; i < Repeats; i++) action();
    }
}
