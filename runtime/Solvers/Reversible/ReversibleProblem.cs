using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// What a solve by a reversible scheme is about, checked. The time from one saved time to the next is divided into equal steps of at most
/// dt, for all samples alike: nothing about the steps need be kept for the way back.
/// </summary>
/// <param name="Equations">The right-hand side and its derivatives.</param>
/// <param name="Scheme">The method.</param>
/// <param name="Span">From where to where, and what is kept.</param>
/// <param name="Dt">The longest step.</param>
/// <param name="Options">What else the caller decides.</param>
internal sealed record ReversibleProblem(OdeEquations Equations, ReversibleScheme Scheme, SolveSpan Span, double Dt, SolveOptions Options)
{
    /// <summary>The saved times: those of the span, or of all steps.</summary>
    public double[] Times { get; } = Span.Times ?? EveryStep(EqualSteps.Between(Span.Start, Span.End, Dt), Span.End);

    /// <summary>The solve from saved time to saved time, up to the end, in steps.</summary>
    public IEnumerable<EqualSteps> Intervals
    {
        get
        {
            double[] path = [Span.Start, .. Times, Span.End];
            return path.Zip(path.Skip(1)).Where(ends => ends.First != ends.Second).Select(ends => EqualSteps.Between(ends.First, ends.Second, Dt));
        }
    }

    /// <exception cref="ArgumentException">An option does not fit the method.</exception>
    public static ReversibleProblem Of(OdeEquations equations, ReversibleScheme scheme, SolveSpan span, SolveOptions options)
    {
        var method = options.Method!;
        if (method is { Adaptive: true } or { Rtol: not null } or { Atol: not null })
            throw new ArgumentException($"Method {method.Name} does not estimate its error, so that its step cannot follow it: give dt alone.");
        if (method.Dt is not { } dt || !(dt > 0 && double.IsFinite(dt)))
            throw new ArgumentException($"Method {method.Name} takes fixed steps: give their size, as in {method.Name}(dt = 0.01).");
        if (options.Gradient is { } gradient and not GradientMode.Reversible)
            throw new ArgumentException($"Method {method.Name} steps back by itself, which is exact as well: take gradient = reversible, not {gradient.ToString().ToLowerInvariant()}.");
        if (options.Checkpoints is not null)
            throw new ArgumentException($"Method {method.Name} keeps no states, so that there are no checkpoints: leave them out.");
        if (equations.Algebraic is not null)
            throw new ArgumentException($"Method {method.Name} does not solve algebraic constraints: take an implicit method such as rodas5p.");
        if (equations.Delays.Count > 0)
            throw new NotSupportedException($"Method {method.Name} keeps no states, and equations with delays ask for them: take a Runge-Kutta method such as tsit5.");
        if (equations.Events.Count > 0)
            throw new NotSupportedException($"Method {method.Name} does not go through events: take a Runge-Kutta method such as tsit5.");
        if (span.Source is { requires_grad: true })
            throw new ArgumentException($"Steps of {method.Name} end on the saved times, so that no gradient flows to these: pass them as numbers or detached.");
        if (options.Resumable)
            throw new NotSupportedException($"A solve by {method.Name} does not go on later (SolveOptions.Resumable): take a Runge-Kutta method such as tsit5.");
        if (options.MaxSteps < 1) throw new ArgumentException($"MaxSteps must be positive, not {options.MaxSteps}.");
        return new ReversibleProblem(equations, scheme, span.Shared($"Samples that {method.Name} solves share their equal steps"), dt, options);
    }

    private static double[] EveryStep(EqualSteps steps, double end) =>
        [.. Enumerable.Range(0, checked((int)steps.Count)).Select(i => steps.Time(i)), end];
}

/// <summary>An interval of time in equal steps.</summary>
/// <param name="From">Where the first begins.</param>
/// <param name="To">Where the last ends.</param>
/// <param name="Size">Their signed size.</param>
/// <param name="Count">Their number.</param>
internal readonly record struct EqualSteps(double From, double To, double Size, long Count)
{
    /// <summary>As few as there are of at most dt. A length that is a multiple of dt but for rounding counts as one.</summary>
    public static EqualSteps Between(double from, double to, double dt)
    {
        var count = Math.Max(1, (long)Math.Ceiling(Math.Abs(to - from) / dt * (1 - 1e-12)));
        return new EqualSteps(from, to, (to - from) / count, count);
    }

    /// <summary>Where a step begins.</summary>
    public double Time(long step) => From + step * Size;
}
