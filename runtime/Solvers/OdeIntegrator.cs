using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>What one forward integration gives. Its tensors belong to no dispose scope.</summary>
/// <param name="Times">The saved times.</param>
/// <param name="Values">The states there: [times, samples, N]; NaN where a sample did not get.</param>
/// <param name="Slopes">d state / d time there, where asked for.</param>
/// <param name="Status">How each lane ended.</param>
/// <param name="LastTime">The time each lane reached.</param>
/// <param name="LastState">The states there: [samples, N].</param>
/// <param name="NextStep">The size of the step that each lane would take next.</param>
/// <param name="Statistics">The cost, by lane.</param>
internal sealed record OdeRun(
    double[] Times,
    Tensor Values,
    Tensor? Slopes,
    SolveStatus[] Status,
    double[] LastTime,
    Tensor LastState,
    double[] NextStep,
    Statistics Statistics)
{
    /// <summary>The events by lane; null where the equations have none.</summary>
    public Lazy<IReadOnlyList<IReadOnlyList<EventOccurrence>>>? Events { get; init; }

    /// <summary>Their times by lane, [lanes, most of a lane]; null where the equations have none.</summary>
    public Tensor? EventTimes { get; init; }

    /// <summary>By which method each lane was solved from when on, where that changes; else null.</summary>
    public IReadOnlyList<IReadOnlyList<MethodChange>>? MethodChanges { get; init; }

    /// <summary>What the solve goes on from, as <see cref="ResumePoint"/> kept it; null where that was not asked for.</summary>
    public IReadOnlyDictionary<string, Tensor>? Memory { get; init; }

    /// <summary>The shape of <see cref="Values"/>, which outlives them.</summary>
    public long[] ValuesShape { get; } = Values.shape;
}

/// <summary>
/// The loop of a solve by steps: plan, attempt, judge, save, commit. States are [samples, N]; every lane keeps its own
/// time (see <see cref="StepGeometry"/>). Runs without autograd.
/// </summary>
internal sealed class OdeIntegrator : IDisposable
{
    private readonly OdeProblem _problem;
    private readonly StepKernel _kernel;
    private readonly LaneClock _clock;
    private readonly ErrorNorm _norm;
    private readonly SavedStates? _saved;
    private readonly List<(double Time, Tensor State, Tensor? Slope)>? _everyStep;
    private readonly IStepRecorder? _recorder;
    private readonly LaneEvents? _events;
    private readonly Past? _past;
    private readonly Discontinuities? _discontinuities;
    private readonly ResumePoint? _resumePoint;
    private readonly SolverState? _from;
    private readonly bool _withSlopes;
    private readonly int _lanes;
    private Tensor _state;
    private Tensor? _slope;     // f at the state; null until it is needed
    private Tensor[]? _terms;   // those of that slope; null where they are not kept, or of another state in some lane
    private bool _startsAnew;   // whether the next step's first slope is not the last one's end slope

    private OdeIntegrator(OdeProblem problem, Tensor state, IStepRecorder? recorder, bool withSlopes, SolverState? from)
    {
        (_problem, _recorder, _withSlopes, _from) = (problem, recorder, withSlopes, from);
        _lanes = problem.LanesOf(state);
        _state = state.detach().DetachFromDisposeScope();
        if (problem.Delays.Count > 0)
        {
            _past = new Past(problem, _state, _lanes, keepsAll: recorder is not null);
            _discontinuities = new Discontinuities(problem.Delays, problem.Tableau.Order, problem.Span, _lanes);
            if (recorder is StepTape tape) tape.Past = _past;
        }

        _kernel = problem.Multistep is { } multistep
            ? new MultistepKernel(problem, multistep, _lanes, _state)
            : problem.Exponential is not null ? new ExponentialKernel(problem, _state)
            : problem.Stiff is not null ? new SwitchingKernel(problem, _lanes, _state.dtype, keepsTerms: recorder is { WantsTerms: true })
            : new RungeKuttaKernel(problem, _lanes, _state.dtype, keepsTerms: recorder is { WantsTerms: true }, _past);
        _clock = new LaneClock(problem, _lanes);
        _norm = new ErrorNorm(problem.Rtol, problem.Atol, _lanes);
        _events = LaneEvents.Of(problem, _kernel, _state, _lanes);
        if (from is not null || problem.Options.Resumable) _resumePoint = new ResumePoint(_clock, _kernel, _events, problem.Span, _lanes);
        _clock.Limits = Limits();
        _clock.Longest = _past?.Least ?? double.PositiveInfinity;
        if (problem.Span.Times is not null) _saved = new SavedStates(problem.Span, state, _lanes, withSlopes);
        else _everyStep = (problem.IsAdaptive || problem.Span.Lanes is not null) && _lanes > 1
            ? throw new ArgumentException("SaveAt.Steps needs steps that all samples share: solve with StepCoupling.Batch, or with fixed steps.")
            : [];
    }

    /// <summary>Integrates from a state [samples, N].</summary>
    /// <param name="problem">What to solve.</param>
    /// <param name="state">The initial state; not changed, not disposed.</param>
    /// <param name="recorder">What follows the steps for the sake of the gradient; it stays the caller's to dispose.</param>
    /// <param name="withSlopes">Whether derivatives by time are saved.</param>
    /// <param name="from">What to go on from; the initial state alone where null.</param>
    public static OdeRun Run(OdeProblem problem, Tensor state, IStepRecorder? recorder = null, bool withSlopes = false, SolverState? from = null)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using var integrator = new OdeIntegrator(problem, state, recorder, withSlopes, from);
        // Calls cost a quarter less where torch tracks neither views nor versions; but tensors made there are of no use to autograd, so
        // that what is handed out is made before or after.
        using (inference_mode()) integrator.Advance();
        return integrator.End();
    }

    private void Advance()
    {
        if (_from is null) Begin();
        else Resume(_from);
        while (_clock.AnyActive)
        {
            if (_problem.Options.CancellationToken.IsCancellationRequested) _clock.Cancel();
            if (_events is not null && _discontinuities is not null) _clock.Limits = Limits();
            _clock.Plan();
            if (!_clock.AnyActive) break;
            _kernel.Choose(_clock);
            if (_problem.Options.Resumable) _resumePoint!.Note(_state, _slope);
            using (NewDisposeScope()) Attempt();
            Report();
        }

        if (_withSlopes && _slope is null) EvaluateAt(AtRest());
    }

    private void Begin()
    {
        if (_problem.Options.Resumable && _kernel.ObstacleToResume is { } obstacle)
            throw new NotSupportedException($"A solve by {_problem.Method.Name} cannot go on later (SolveOptions.Resumable): {obstacle}.");
        if (_kernel.Constraints is { } constraints) MakeConsistent(constraints);
        if (_clock.AnyActive && _problem.IsAdaptive)
        {
            EvaluateAt(AtRest());
            _clock.Start(_problem.Method.Dt is { } dt
                ? [.. Enumerable.Repeat(dt, _lanes)]
                : InitialStep.Choose(_kernel, _norm, _problem.Span.UpTo(_past?.Least ?? double.PositiveInfinity), _state, Derivative(TimeOfStart())!, _lanes));
        }

        if (_slope is null && (_withSlopes || !_clock.AnyActive)) EvaluateAt(AtRest());
        _events?.Start(TimeOfStart(), _state);
        _saved?.Start(_state, _withSlopes ? Derivative(TimeOfStart()) : _state);
        _everyStep?.Add((_problem.Span.Start, Kept(_state), _withSlopes ? Kept(Derivative(TimeOfStart())) : null));
    }

    /// <summary>Goes on where another solve has ended.</summary>
    private void Resume(SolverState from)
    {
        var isKnown = _resumePoint!.Recall(from.Tensors);
        _saved?.Continue(_clock.Time);
        if (isKnown.Contains(true))
        {
            var slope = from.Tensors[ResumePoint.Slope].reshape(_state.shape);
            if (isKnown.Contains(false))
            {
                EvaluateAt(AtRest());
                slope = where(tensor(isKnown, [_lanes, 1], device: _state.device), slope, _slope!);
            }

            Replace(ref _slope, slope);
        }

        _everyStep?.Add((_clock.Time[0], Kept(_state), null));
    }

    /// <summary>Finds the algebraic unknowns at the start; lanes without such take no step.</summary>
    private void MakeConsistent(AlgebraicConstraints constraints)
    {
        using var scope = NewDisposeScope();
        var found = ConsistentState.Find(constraints, TimeOfStart(), _state);
        _state.Dispose();
        _state = found.State.DetachFromDisposeScope();
        if (!found.Failed.Contains(true)) return;
        _clock.Refuse(_lanes == found.Failed.Length ? found.Failed : [true], SolveStatus.ConstraintsUnsolved);
        _problem.Options.Tell(found.Warning(_clock.Time[_lanes == 1 ? 0 : Array.IndexOf(found.Failed, true)]));
    }

    private void Attempt()
    {
        var geometry = _kernel.GeometryOf(_clock.Time, _clock.Step, _state, _events?.Breaks(_clock));
        if (_slope is null && _kernel.NeedsSlope) EvaluateAt(geometry);
        var step = _kernel.Attempt(geometry, _state, _slope, _terms);
        var (moved, isSound) = _problem.IsAdaptive ? JudgeError(step) : JudgeFinite(step.After);
        if (!moved) return;

        var isComplete = false;
        var cut = _events?.Cut(step, _clock, Complete);
        var rows = _saved?.Cross(step, _clock.Moves, cut);
        _clock.Commit(cut);
        if (rows is not null || _past is not null) Complete();
        var endSlope = isComplete || _withSlopes || (_problem.IsAdaptive && _clock.AnyActive && _kernel.NeedsSlope) ? step.EndSlope() : null;
        _kernel.Commit(step, _clock.Moves, cut, hasEndSlope: endSlope is not null);
        if (rows is not null) _saved!.Write(rows, step);

        _past?.Add(geometry.OfMoved(_clock.Moves), step, _clock);
        _recorder?.Add(new AcceptedStep(
            step, _clock.Moves, isSound, endSlope is not null, rows, _everyStep?.Count ?? -1, cut?.Record, _startsAnew));
        var after = step.After;
        endSlope ??= _kernel.SharedSlope(step);
        if (cut is not null) (after, endSlope) = (cut.After, null);
        _startsAnew = (PassDiscontinuities(cut) || cut is not null) && _clock.AnyActive;
        if (_startsAnew) endSlope = null;
        Commit(after, endSlope, cut is null && !_startsAnew ? step.EndTerms : null, isSound);

        void Complete()
        {
            if (!isComplete) step.Extend();
            isComplete = true;
        }
    }

    /// <summary>Compares the error with the tolerance. Sound: every lane's stages are finite, the rejected ones' too.</summary>
    private (bool Moved, bool IsSound) JudgeError(StepAttempt step)
    {
        var errors = step.Errors(_norm);
        return (_clock.Judge(errors, _kernel.Failed, _kernel.StepFactor), _kernel.Failed is null && !Array.Exists(errors, e => !double.IsFinite(e)));
    }

    /// <summary>One number says whether all is finite; only where it is not are the samples asked.</summary>
    private (bool Moved, bool IsSound) JudgeFinite(Tensor after)
    {
        if (_kernel.Failed is null && double.IsFinite(after.sum().to(ScalarType.Float64).item<double>())) return (_clock.JudgeFinite(null, null), true);
        using var finite = after.reshape(_lanes, -1).isfinite().all(1).to(ScalarType.Float64);
        return (_clock.JudgeFinite([.. HostVector.ToHost(finite).Select(value => value != 0)], _kernel.Failed), false);
    }

    /// <summary>
    /// Moves on the lanes that were accepted; the others keep their state and slope. Of a lane that rests a sound step, of size zero, has
    /// changed neither.
    /// </summary>
    private void Commit(Tensor after, Tensor? endSlope, Tensor[]? endTerms, bool isSound)
    {
        if (!isSound || _clock.AnyStays)
        {
            endTerms = null;
            var moves = tensor(_clock.Moves, [_lanes, 1], device: _state.device);
            after = where(moves, after, _state);
            // The slope of a lane that stays may be unknown: a method that needs none has completed its step for the sake of what is saved.
            endSlope = endSlope is null || _slope is null ? null : where(moves, endSlope, _slope);
        }

        var before = _state;
        _state = after.DetachFromDisposeScope();
        if (_recorder is not { TakesStates: true }) before.Dispose();
        if (endSlope is null) Drop(ref _slope);
        else Replace(ref _slope, endSlope);
        _terms = Kept(endTerms);    // those before are the recorder's
        _everyStep?.Add((_clock.TimeOfMoved, Kept(_state), _withSlopes ? Kept(Derivative(TimeOfLanes())) : null));
    }

    private OdeRun End()
    {
        SolveStatus[] status = [.. _clock.Status.Select(s => s!.Value)];
        double[] times;
        Tensor values;
        Tensor? slopes;
        if (_saved is not null)
        {
            _saved.Finish(_state, _withSlopes ? Derivative(TimeOfLanes()) : _state, _clock.Status);
            (times, values, slopes) = (_problem.Span.Times!, _saved.Values, _saved.Slopes);
        }
        else
        {
            (times, values, slopes) = EveryStep();
        }

        var last = _state.clone().DetachFromDisposeScope();
        var held = status.Contains(SolveStatus.Stopped) ? _saved?.Held(_clock.Status) : null;
        _recorder?.Close(new SolveEnd(Kept(_state), _terms, held, _clock.Status));
        return new OdeRun(
            times, values.DetachFromDisposeScope(), slopes?.DetachFromDisposeScope(), status, _clock.Time, last, _clock.NextStep,
            new Statistics(_clock.Accepted, _clock.Rejected, _kernel.Evaluations)
            {
                Jacobians = _kernel.Jacobians,
                Factorizations = _kernel.Factorizations,
            })
        {
            Events = _events?.Log.Occurrences(last),
            EventTimes = _events?.Log.Times(last),
            MethodChanges = _kernel.Changes,
            Memory = _problem.Options.Resumable ? _resumePoint!.Close(_state, _slope) : null,
        };
    }

    /// <summary>The states at all steps; NaN from where a lane has failed.</summary>
    private (double[] Times, Tensor Values, Tensor? Slopes) EveryStep()
    {
        double[] times = [.. _everyStep!.Select(step => step.Time)];
        var values = stack([.. _everyStep!.Select(step => step.State)]);
        var slopes = _withSlopes ? stack([.. _everyStep!.Select(step => step.Slope!)]) : null;
        if (_clock.Time.All(time => time == times[^1])) return (times, values, slopes);
        bool[] missing = [.. times.SelectMany(time => _clock.Time.Select(last => (time - last) * _problem.Span.Direction > 0))];
        values.view(times.Length, _lanes, -1).masked_fill_(tensor(missing, [times.Length, _lanes, 1], device: values.device), Scalars.NaN);
        return (times, values, slopes);
    }

    /// <summary>The times that lanes may not step over: those of events, and discontinuities.</summary>
    private double[]? Limits() => (_events, _discontinuities) switch
    {
        (not null, not null) => [.. _events.Limits.Zip(_discontinuities.Next, Math.Min)],
        _ => _events?.Limits ?? _discontinuities?.Next,
    };

    /// <summary>
    /// Goes on behind the discontinuities that lanes have landed on, and notes those that events make; true where lanes have landed on one.
    /// </summary>
    private bool PassDiscontinuities(StepCut? cut)
    {
        var anyPassed = false;
        for (var lane = 0; lane < _lanes && _discontinuities is not null; lane++)
        {
            anyPassed |= _clock.Moves[lane] && _discontinuities.Pass(lane, _clock.Time[lane]);
            if (cut?.TimeOf(lane) is { } time) _discontinuities.Add(lane, time);
        }

        return anyPassed;
    }

    /// <summary>A step of size zero, where the lanes are.</summary>
    private StepGeometry AtRest() => _kernel.GeometryOf(_clock.Time, new double[_lanes], _state);

    /// <summary>dx/dt at the present state.</summary>
    private Tensor Derivative(Tensor time) => _kernel.Derivative(time, _state, _slope!);

    private Tensor TimeOfStart() => _problem.Span.StartTime(_state);

    private Tensor TimeOfLanes() => HostVector.ToDevice(_clock.Time, [_lanes], _state.dtype, _state.device);

    private void EvaluateAt(StepGeometry geometry)
    {
        Replace(ref _slope, _kernel.Drift(geometry, 0, _state, out var terms));
        _terms = Kept(terms);
    }

    private void Report()
    {
        if (_problem.Options.Progress is not { } progress) return;
        var slowest = Enumerable.Range(0, _lanes).MinBy(FractionOf);
        progress.Report(new SolveProgress(_clock.Time[slowest], FractionOf(slowest), _clock.Accepted.Max() + _clock.Rejected.Max()));
    }

    /// <summary>How much of its span lies behind a lane, 0 to 1.</summary>
    private double FractionOf(int lane)
    {
        var span = _problem.Span.Of(lane);
        return span.Start == span.End ? 1 : (_clock.Time[lane] - span.Start) / (span.End - span.Start);
    }

    /// <summary>Keeps a slope beyond its step: an alias, since the equations may return a tensor of their own.</summary>
    private static void Replace(ref Tensor? kept, Tensor slope)
    {
        var alias = Kept(slope);
        Drop(ref kept);
        kept = alias;
    }

    private static Tensor Kept(Tensor tensor) => tensor.alias().DetachFromDisposeScope();

    private static Tensor[]? Kept(Tensor[]? terms)
    {
        foreach (var term in terms ?? []) term.DetachFromDisposeScope();
        return terms;
    }

    private static void Drop(ref Tensor? kept)
    {
        kept?.Dispose();
        kept = null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _norm.Dispose();
        _kernel.Dispose();
        if (_recorder is not StepTape) _past?.Dispose();    // else it is the tape's
        Drop(ref _slope);
        _state.Dispose();
        foreach (var (_, state, slope) in _everyStep ?? [])
        {
            state.Dispose();
            slope?.Dispose();
        }
    }
}
