using System.Numerics;

namespace DiffEqLang.Runtime.Simd;

/// <summary>
/// Solves samples that step on their own, as many side by side as some registers have lanes: a lane whose sample has ended takes the next
/// one, so that none idles. No sample's result depends on its neighbours. Allocates nothing once it is made.
/// </summary>
internal sealed class LaneIntegrator<TRegister, TLanes, T>
    where TRegister : struct
    where TLanes : struct, ILanes<TLanes>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>How often, in attempted steps, cancellation is looked for and progress told.</summary>
    private const int AttemptsBetweenReports = 256;

    /// <summary>
    /// Registers that take fused steps together. Each waits for the last result of its own most of the time; the processor works on the
    /// others meanwhile. With more, too many lanes idle at the end.
    /// </summary>
    private const int FusedRegisters = 4;

    private readonly RungeKuttaProblem _problem;
    private readonly LaneGroup<TRegister, TLanes, T> _group;
    private readonly SampleSource<TRegister, TLanes, T> _source;
    private readonly RegisterClock _clock;
    private readonly Vector<double>[] _errors;
    private readonly int _mostRegisters;

    private int _lanes;    // in use
    private bool _isCancelled;

    /// <param name="stepper">The equations and the method.</param>
    /// <param name="problem">What is solved.</param>
    public LaneIntegrator(LaneStepper<TRegister, TLanes> stepper, RungeKuttaProblem problem)
    {
        _mostRegisters = (stepper.IsFused || stepper.HasFusedStages) && problem.IsAdaptive ? FusedRegisters : 1;
        (_problem, _group, _source) = (problem, new(stepper, problem, _mostRegisters), new(stepper, problem));
        _clock = new(problem, _mostRegisters * Lanes);
        _errors = new Vector<double>[_mostRegisters * Lanes / Vector<double>.Count];
    }

    private static int Lanes => LaneNumbers<TLanes, T>.Count;

    /// <summary>Solves some samples.</summary>
    /// <param name="solve">The solve.</param>
    /// <param name="first">The first of them.</param>
    /// <param name="count">How many.</param>
    /// <param name="tape">Receives the accepted steps, where given.</param>
    public void Run(LaneSolve<T> solve, int first, int count, StepTape<TLanes>? tape)
    {
        Open(solve, first, count, tape);
        var errors = _errors.AsSpan(0, _lanes / Vector<double>.Count);
        for (var attempts = 1; _clock.AllLive || Refill(); attempts++)
        {
            _group.Attempt(_clock, errors);
            _clock.Judge(errors, _group.Diverged);
            if (_clock.MovesAny) _group.Accept(_clock);
            _clock.Advance();
            if (attempts % AttemptsBetweenReports == 0) Report(attempts);
        }
    }

    private void Open(LaneSolve<T> solve, int first, int count, StepTape<TLanes>? tape)
    {
        var registers = tape is null ? Math.Min(_mostRegisters, (count + Lanes - 1) / Lanes) : 1;    // a tape is one register's
        _lanes = registers * Lanes;
        _isCancelled = _problem.Options.CancellationToken.IsCancellationRequested;
        _clock.Reset(_lanes);
        _group.Tape = tape;
        _group.Open(solve, registers);
        _source.Open(solve, first, count);
        for (var lane = 0; lane < _lanes; lane++)
        {
            if (_source.IsEmpty) _group.Follow(lane, 0);
            else Take(lane);
        }

        _clock.Plan();
    }

    /// <summary>Fills lanes that have ended again. False where all samples have ended.</summary>
    private bool Refill()
    {
        while (_clock.HasEnded)
        {
            Replace();
            _clock.Plan();
        }

        return _clock.AnyLive;
    }

    private void Replace()
    {
        for (var lane = _clock.NextEnded(0); lane >= 0; lane = _clock.NextEnded(lane + 1))
        {
            _group.End(lane, _clock.Ended(lane)!.Value, _clock);
            _clock.Rest(lane);
            if (!_source.IsEmpty) Take(lane);
        }

        if (_source.IsEmpty && !_clock.HasEnded && _clock.AnyLive) FollowLive();
    }

    private void Take(int lane)
    {
        var (size, nextSave) = _group.Take(lane, _source);
        _clock.Start(lane, size, nextSave);
        if (_isCancelled) _clock.Cancel();
    }

    private void FollowLive()
    {
        var live = 0;
        while (!_clock.IsLive(live)) live++;
        for (var lane = 0; lane < _lanes; lane++)
        {
            if (_clock.IsLive(lane)) continue;
            _group.Follow(lane, live);
            _clock.Follow(lane, live);
        }
    }

    private void Report(int attempts)
    {
        _isCancelled = _problem.Options.CancellationToken.IsCancellationRequested;
        if (_isCancelled) _clock.Cancel();
        if (_problem.Options.Progress is not { } progress) return;
        var (span, slowest) = (_problem.Span, double.PositiveInfinity);
        for (var lane = 0; lane < _lanes; lane++)
            if (_clock.IsLive(lane))
                slowest = Math.Min(slowest, (RegisterClock.Lane(_clock.Time, lane) - span.Start) / (span.End - span.Start));
        if (double.IsFinite(slowest))
            progress.Report(new SolveProgress(span.Start + slowest * (span.End - span.Start), slowest, attempts));
    }
}
