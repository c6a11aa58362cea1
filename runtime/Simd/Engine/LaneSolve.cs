using System.Numerics;

namespace DiffEqLang.Runtime.Simd;

/// <summary>One solve: what is given and where the results go. Different samples may be worked on by different threads.</summary>
/// <typeparam name="T">float or double.</typeparam>
internal sealed class LaneSolve<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <param name="problem">What is solved.</param>
    /// <param name="samples">How many samples there are.</param>
    /// <param name="size">N, the numbers of a state.</param>
    public LaneSolve(RungeKuttaProblem problem, int samples, int size)
    {
        (Problem, Samples, Size) = (problem, samples, size);
        Times = problem.Span.Times ?? FixedTimes(problem);
        (Status, LastTime) = (new SolveStatus[samples], new double[samples]);
        (Accepted, Rejected, Iterations) = (new long[samples], new long[samples], new long[samples]);
    }

    /// <summary>What is solved.</summary>
    public RungeKuttaProblem Problem { get; }

    /// <summary>How many samples there are.</summary>
    public int Samples { get; }

    /// <summary>N, the numbers of a state.</summary>
    public int Size { get; }

    /// <summary>The saved times.</summary>
    public double[] Times { get; }

    /// <summary>The numbers of the parameters in registers, shared by all samples.</summary>
    public T[] Parameters { get; init; } = [];

    /// <summary>The initial states: [samples, N].</summary>
    public UnmanagedSpan<T> Initial { get; set; }

    /// <summary>The parameters in registers, by sample: [samples, size]; empty where all share them.</summary>
    public UnmanagedSpan<T> ParametersBySample { get; set; }

    /// <summary>Receives the states at the saved times: [times, samples, N]; NaN where a sample did not get.</summary>
    public UnmanagedSpan<T> Values { get; set; }

    /// <summary>Receives d state / d time there; empty where not asked for.</summary>
    public UnmanagedSpan<T> Slopes { get; set; }

    /// <summary>Receives the last good state of each sample: [samples, N].</summary>
    public UnmanagedSpan<T> LastState { get; set; }

    /// <summary>How each sample ended.</summary>
    public SolveStatus[] Status { get; }

    /// <summary>The time it reached.</summary>
    public double[] LastTime { get; }

    /// <summary>Its accepted steps.</summary>
    public long[] Accepted { get; }

    /// <summary>Its rejected steps.</summary>
    public long[] Rejected { get; }

    /// <summary>Its Newton iterations.</summary>
    public long[] Iterations { get; }

    /// <summary>The events of each sample; null where the equations have none.</summary>
    public EventLog? Events { get; set; }

    /// <summary>Attempted steps of the sample that took most of them.</summary>
    public long Attempts
    {
        get
        {
            var most = 0L;
            for (var sample = 0; sample < Samples; sample++) most = Math.Max(most, Accepted[sample] + Rejected[sample]);
            return most;
        }
    }

    /// <summary>
    /// Evaluations of the right-hand side, of the sample that took most of them: in every attempt, or iteration, one a stage; and one behind every
    /// event.
    /// </summary>
    public long Evaluations
    {
        get
        {
            var first = !Problem.IsAdaptive ? 0 : Problem.Method.Dt is null ? 2 : 1;
            var ofSteps = (Problem.Tableau.Spectrum is null ? Attempts : Iterations.Max()) * Problem.Tableau.Evaluations;
            return first + ofSteps + (Events?.MostMoments ?? 0);
        }
    }

    /// <summary>The place of a sample's state at a saved time in <see cref="Values"/>.</summary>
    public int Place(int time, int sample) => (time * Samples + sample) * Size;

    /// <summary>The start and the end of every step of a fixed size.</summary>
    private static double[] FixedTimes(RungeKuttaProblem problem)
    {
        var rules = new StepRules(problem);
        var steps = (int)Math.Min(rules.FixedSteps, problem.Options.MaxSteps);
        return [problem.Span.Start, .. Enumerable.Range(1, steps).Select(step => rules.FixedTarget(new(step))[0])];
    }
}
