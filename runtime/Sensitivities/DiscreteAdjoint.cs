using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// The exact gradient of the numerical scheme: its steps in reverse. Step sizes, and orders where they vary, count as fixed.
/// </summary>
/// <remarks>
/// Griewank and Walther (2008), Evaluating Derivatives, ch. 3. What a step is, and with it what is handed back from one to the one before, is
/// the method's: <see cref="RungeKuttaAdjoint"/>, <see cref="MultistepAdjoint"/>, <see cref="ExponentialAdjoint"/>.
/// </remarks>
/// <param name="tape">The steps.</param>
/// <param name="cotangents">d loss / d saved state: [times, samples, N].</param>
/// <param name="into">The parameters' gradients.</param>
internal abstract class DiscreteAdjoint(StepTape tape, Tensor cotangents, ParameterGradients into) : IDisposable
{
    /// <summary>λ, the adjoint of the state at the end of the step that is reversed next: [samples, N].</summary>
    protected Tensor State { get; set; } = zeros_like(tape.Final!).DetachFromDisposeScope();

    /// <summary>The steps.</summary>
    protected StepTape Tape => tape;

    /// <summary>Where the parameters' gradients are added.</summary>
    protected ParameterGradients Into => into;

    /// <summary>
    /// d loss / d initial state, [samples, N], in no dispose scope; adds d loss / d parameter to <paramref name="into"/>.
    /// </summary>
    /// <param name="problem">What was solved.</param>
    /// <param name="tape">Its steps.</param>
    /// <param name="cotangents">d loss / d saved state: [times, samples, N].</param>
    /// <param name="into">The parameters' gradients.</param>
    /// <param name="eventTimes">d loss / d event time, [lanes, most events of a lane]; null where the loss has none.</param>
    public static Tensor Run(OdeProblem problem, StepTape tape, Tensor cotangents, ParameterGradients into, Tensor? eventTimes = null)
    {
        using var scope = NewDisposeScope();
        using DiscreteAdjoint adjoint = problem switch
        {
            { Multistep: not null } => new MultistepAdjoint(problem, tape, cotangents, eventTimes, into),
            { Exponential: not null } => new ExponentialAdjoint(problem, tape, cotangents, eventTimes, into),
            _ => new RungeKuttaAdjoint(problem, tape, cotangents, eventTimes, into),
        };
        return adjoint.GoBack(problem.Span);
    }

    private Tensor GoBack(SolveSpan span)
    {
        SaveCotangents.AddAt(span, ofLane => ofLane.End, cotangents, State);
        if (tape.Held is { } held) SaveCotangents.AddWhere(held, cotangents, State);
        StepRecord? next = null;
        for (var i = tape.Count - 1; i >= 0; i--)
        {
            using var ofStep = NewDisposeScope();
            var step = tape.Step(i);
            if (step.SavedAtEnd >= 0) State.add_(cotangents.select(0, step.SavedAtEnd), Scalars.One);
            Reverse(i, step, next);
            if (i == 0 || step.StartsAnew) ReverseFirstSlope(i, step);
            next = step;
        }

        if (span.Times is null) State.add_(cotangents.select(0, 0), Scalars.One);
        else SaveCotangents.AddAt(span, ofLane => ofLane.Start == ofLane.End ? double.NaN : ofLane.Start, cotangents, State);
        return OfGivenState(next?.State ?? tape.Final!);
    }

    /// <summary>Through one step: from the adjoints of what follows it to those of what it begins with.</summary>
    /// <param name="number">The step's number.</param>
    /// <param name="step">The step.</param>
    /// <param name="next">The step after it; null for the last.</param>
    protected abstract void Reverse(int number, StepRecord step, StepRecord? next);

    /// <summary>Through the slope that a step begins with, where that is not one of the step before.</summary>
    protected abstract void ReverseFirstSlope(int number, StepRecord step);

    /// <summary>From the adjoint of the state that the first step begins with to that of the state that was given.</summary>
    protected virtual Tensor OfGivenState(Tensor start) => State;

    /// <summary>The state after a step.</summary>
    protected Tensor After(StepRecord step, StepRecord? next) => step.Events?.EndState ?? next?.State ?? tape.Final!;

    /// <summary>
    /// What the states saved inside a step and the events that cut it give to the adjoint of its dense output; null where there are neither.
    /// Changes <see cref="State"/> where events cut.
    /// </summary>
    /// <param name="step">The step.</param>
    /// <param name="events">Goes back through events.</param>
    /// <param name="arrivals">See <see cref="EventAdjoint.Reverse"/>.</param>
    /// <param name="weights">Those of the dense output.</param>
    protected SaveCotangents? OfInside(StepRecord step, EventAdjoint events, Tensor? arrivals, Func<SaveRows, double[][]> weights)
    {
        var saved = step.Rows is null ? null : new SaveCotangents(step.Rows, weights(step.Rows), cotangents, tape.Lanes);
        return step.Events is null
            ? saved
            : SaveCotangents.Sum(saved, events.Reverse(step.Events, State, arrivals, weights(step.Events.Rows)));
    }

    /// <inheritdoc/>
    public abstract void Dispose();
}
