using DiffEqLang.Runtime;
using DiffEqLang.Runtime.Simd;
using static TorchSharp.torch;

namespace DiffEqLang.Benchmarks;

/// <summary>
/// Five stiff problems by rodas5p and radau on registers, one thread: one trajectory, and what a trajectory of an ensemble of 1,000 takes, with
/// the errors that they reach; beside them Radau IIA written by hand for each problem, with its own error.
/// </summary>
internal static class StiffTrajectories
{
    private const int Samples = 1000;

    public static void Run()
    {
        set_num_threads(1);
        var reference = Reference.Run("stiff");
        Console.WriteLine($"{"problem",-20} {"method",-8} {"rtol",6} {"error",9} {"steps",7} {"one",11} {"of 1,000",11}   {"C++ error",9} {"one",11}");
        foreach (var problem in ReferenceProblem.Stiff())
            using (problem.Model)
                foreach (var rtol in (double[])[1e-4, 1e-6, 1e-8])
                    foreach (var method in (Method[])[Methods.Rodas5P(rtol, rtol * problem.Atol), Methods.Radau(rtol, rtol * problem.Atol)])
                        Compare(problem, method, rtol, reference);
    }

    private static void Compare(ReferenceProblem problem, Method method, double rtol, IReadOnlyDictionary<string, double> reference)
    {
        var options = new SolveOptions { Threads = 1, Method = method };
        var initial = problem.Start();
        var (alone, many) = (new double[initial.Length], new double[Samples * initial.Length]);
        double[] starts = [.. Enumerable.Repeat(initial, Samples).SelectMany(start => start)];
        var one = new Ensemble<double>(problem.Model).From(initial);
        var ensemble = new Ensemble<double>(problem.Model).From(starts);
        var steps = one.Solve(options, alone).Accepted;
        var single = Measurement.OfProcessor(problem.Name, () => Repeat(() => one.Solve(options, alone)), 9, 1);
        var together = Measurement.OfProcessor(problem.Name, () => ensemble.Solve(options, many), 3, 1);
        var byHand = $"{problem.Name.Split(',')[0].Replace(' ', '-')}-{rtol:0e-0}";
        Console.WriteLine(
            $"{problem.Name,-20} {method.Name,-8} {rtol,6:0e-0} {problem.ErrorOf(alone),9:0.0e-00} {steps,7:N0} {Measurement.Format(single.Least / Repeats),11} {Measurement.Format(together.Least / Samples),11}"
            + (reference.TryGetValue(byHand, out var seconds) ? $"   {reference[byHand + "-error"],9:0.0e-00} {Measurement.Format(seconds),11}" : ""));
    }

    // The processor's clock ticks in milliseconds.
    private const int Repeats = 50;

    private static void Repeat(Action action)
    {
        for (var i = 0; i < Repeats; i++) action();
    }
}
