using System.Numerics;

namespace DiffEqLang.Runtime.Simd;

/// <summary>
/// Solves samples that step on their own, as many side by side as a register has lanes: a lane whose sample has ended takes the next
/// one, so that none idles. No sample's result depends on its neighbours. Allocates nothing once it is made.
/// </summary>
/// <param name="stepper">The equations and the method.</param>
/// <param name="problem">What is solved.</param>
internal sealed class LaneIntegrator<TRegister, TLanes, T>(LaneStepper<TRegister, TLanes> stepper, RungeKuttaProblem problem)
    where TRegister : struct
    where TLanes : struct, ILanes<TLanes>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>How often, in attempted steps, cancellation is looked for and progress told.</summary>
    private const int AttemptsBetweenReports = 256;

    private readonly LaneGroup<TRegister, TLanes, T> _group = new(stepper, problem);
    private readonly SampleSource<TRegister, TLanes, T> _source = new(stepper, problem);
    private readonly RegisterClock _clock = new(problem, Lanes);
    private readonly Vector<double>[] _errors = new Vector<double>[Lanes / Vector<double>.Count];

    private bool _isCancelled;

    private static int Lanes => LaneNumbers<TLanes, T>.Count;

    /// <summary>Solves some samples.</summary>
    /// <param name="solve">The solve.</param>
    /// <param name="first">The first of them.</param>
    /// <param name="count">How many.</param>
    /// <param name="tape">Receives the accepted steps, where given.</param>
    public void Run(LaneSolve<T> solve, int first, int count, StepTape<TLanes>? tape)
    {
        Open(solve, first, count, tape);
        for (var attempts = 1; Plan(); attempts++)
        {
            LaneNumbers<TLanes, T>.ToDoubles(_group.Attempt(_clock, combines: true).First, _errors);
            _clock.Judge(_errors);
            if (_clock.MovesAny)
            {
                _group.Accept(_clock);
                _clock.Commit();
            }

            if (attempts % AttemptsBetweenReports == 0) Report(attempts);
        }
    }

    private void Open(LaneSolve<T> solve, int first, int count, StepTape<TLanes>? tape)
    {
        _isCancelled = problem.Options.CancellationToken.IsCancellationRequested;
        _clock.Reset();
        _group.Tape = tape;
        _group.Open(solve);
        _source.Open(solve, first, count);
        for (var lane = 0; lane < Lanes && !_source.IsEmpty; lane++) Refill(lane);
        for (var lane = count; lane < Lanes; lane++) _group.Follow(lane, 0);
    }

    /// <summary>Plans the next attempt; lanes that have ended are filled again. False where all samples have ended.</summary>
    private bool Plan()
    {
        while (true)
        {
            while (_clock.HasEnded) Replace();
            _clock.Plan();
            if (!_clock.HasEnded) return _clock.AnyLive;
        }
    }

    private void Replace()
    {
        for (var lane = 0; lane < Lanes; lane++)
        {
            if (_clock.Ended(lane) is not { } status) continue;
            _group.End(lane, status, _clock);
            _clock.Rest(lane);
            if (!_source.IsEmpty) Refill(lane);
        }

        if (!_clock.HasEnded && _clock.AnyLive && _source.IsEmpty) FollowLive();
    }

    private void Refill(int lane)
    {
        var (size, nextSave) = _group.Take(lane, _source);
        _clock.Start(lane, size, nextSave);
        if (_isCancelled) _clock.Cancel();
    }

    private void FollowLive()
    {
        var live = 0;
        while (!_clock.IsLive(live)) live++;
        for (var lane = 0; lane < Lanes; lane++)
        {
            if (_clock.IsLive(lane)) continue;
            _group.Follow(lane, live);
            _clock.Follow(lane, live);
        }
    }

    private void Report(int attempts)
    {
        _isCancelled = problem.Options.CancellationToken.IsCancellationRequested;
        if (_isCancelled) _clock.Cancel();
        if (problem.Options.Progress is not { } progress) return;
        var (span, slowest) = (problem.Span, double.PositiveInfinity);
        for (var lane = 0; lane < Lanes; lane++)
            if (_clock.IsLive(lane))
                slowest = Math.Min(slowest, (RegisterClock.Lane(_clock.Time, lane) - span.Start) / (span.End - span.Start));
        if (double.IsFinite(slowest))
            progress.Report(new SolveProgress(span.Start + slowest * (span.End - span.Start), slowest, attempts));
    }
}
