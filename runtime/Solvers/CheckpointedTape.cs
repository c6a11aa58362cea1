using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// The accepted steps of a solve with a few of their states. The others are computed again on the way back, by the same steps from the
/// same numbers, so that the gradient is that of <see cref="OdeTape"/> to the last bit.
/// </summary>
internal sealed class CheckpointedTape : StepTape
{
    private readonly OdeProblem _problem;
    private readonly StepLog _log;
    private readonly Checkpoints _checkpoints;
    private RungeKuttaKernel? _kernel;      // of the way back
    private EventActions? _actions;

    /// <param name="problem">What is solved.</param>
    /// <param name="lanes">How many lanes step on their own.</param>
    /// <param name="state">The initial state, [samples, N].</param>
    /// <param name="most">How many states are kept beside it, at most.</param>
    public CheckpointedTape(OdeProblem problem, int lanes, Tensor state, int most)
        : base(lanes)
    {
        (_problem, _checkpoints) = (problem, new Checkpoints(most));
        _log = new StepLog(problem.Tableau.C, lanes, state.dtype, state.device);
    }

    /// <inheritdoc/>
    public override int Count => _log.Count;

    private RungeKuttaKernel Kernel => _kernel ??= new RungeKuttaKernel(_problem, Lanes, Final!.dtype, keepsTerms: true);

    private EventActions Actions => _actions ??= new EventActions(_problem, Kernel, Lanes);

    /// <inheritdoc/>
    public override void Add(AcceptedStep step)
    {
        // Where the slope at the start is not the last step's, it is evaluated at the start of this one: by whoever comes back here.
        var hasSlope = !step.StartsAnew && (Count == 0 || _log.HasEndSlope(Count - 1) || _problem.Tableau.IsPartitioned);
        Keep(Count, step.Stages.States[0], hasSlope ? step.Stages.FirstSlope : null);
        _log.Add(step);
    }

    /// <inheritdoc/>
    public override StepRecord Step(int index)
    {
        while (_checkpoints.Last.Step < index) Advance();
        using var scope = NewDisposeScope();
        var reached = index == 0 ? _checkpoints.Last : _checkpoints.RemoveLast();
        var record = Record(reached with { State = Kept(reached.State) });
        if (index > 0) reached.Dispose();
        return Lend(record);
    }

    /// <summary>Takes the step from the last checkpoint, and keeps where it leads.</summary>
    private void Advance()
    {
        using var scope = NewDisposeScope();
        var from = _checkpoints.Last;
        var attempt = Attempt(from);
        var (after, slope) = Events(attempt, from.Step) is { } events
            ? (events.AfterAll(), null)
            : (attempt.After, _log.HasEndSlope(from.Step) ? attempt.EndSlope() : Kernel.SharedSlope(attempt));
        if (_log.Moves(from.Step) is { } lanes)
        {
            var moves = tensor(lanes, [Lanes, 1], device: after.device);
            after = where(moves, after, from.State);
            slope = slope is null ? null : where(moves, slope, attempt.Stages.FirstSlope);
        }

        Keep(from.Step + 1, after, slope);
    }

    /// <summary>The step from a checkpoint, whose state it takes over, as the full tape would have kept it.</summary>
    private StepRecord Record(Checkpoint from)
    {
        var (step, rows) = (from.Step, _log.Rows(from.Step));
        var attempt = Attempt(from);
        if (rows is not null && _log.Events(step) is null) attempt.Extend();
        var events = StepRecord.Own(Events(attempt, step));
        var geometry = _log.Moves(step) is { } moves ? attempt.Geometry.OfMoved(moves) : attempt.Geometry.Anew();
        var record = new StepRecord(geometry, from.State, null, null, rows, _log.SavedAtEnd(step), events, _log.StartsAnew(step));
        if (!_log.IsSound(step)) return record;
        var (states, terms) = (attempt.InnerStates, attempt.InnerTerms);
        foreach (var stage in states) stage?.DetachFromDisposeScope();
        foreach (var term in terms.SelectMany(ofStage => ofStage ?? [])) term.DetachFromDisposeScope();
        return record with { StageStates = states, Terms = terms };
    }

    /// <summary>What the events that cut a step make of it, once more; null where there are none.</summary>
    private EventRecord? Events(RungeKuttaStep attempt, int step)
    {
        if (_log.Events(step) is not { } moments) return null;
        attempt.Extend();
        return Actions.Act(attempt, moments).Record;
    }

    private RungeKuttaStep Attempt(Checkpoint from)
    {
        var geometry = _log.Geometry(from.Step);
        Tensor[]? terms = null;
        var slope = from.Slope ?? Kernel.Drift(geometry, 0, from.State, out terms);
        return (RungeKuttaStep)Kernel.Attempt(geometry, from.State, slope, terms);
    }

    private void Keep(int step, Tensor state, Tensor? slope) =>
        _checkpoints.Add(new Checkpoint(step, Kept(state), slope is null ? null : Kept(slope)));

    private static Tensor Kept(Tensor tensor) => tensor.alias().DetachFromDisposeScope();

    /// <inheritdoc/>
    public override void Dispose()
    {
        _kernel?.Dispose();
        _checkpoints.Dispose();
        base.Dispose();
    }
}
