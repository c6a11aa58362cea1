using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace DiffEqLang.Runtime.Simd;

/// <summary>
/// The time, step and status of the lanes of some registers, in float64: what <see cref="LaneClock"/> is to samples on tensors, by the
/// same <see cref="StepRules"/>, all lanes at once. A lane that rests takes steps of size 0.
/// </summary>
internal sealed class RegisterClock
{
    private readonly StepRules _rules;
    private readonly bool _isAdaptive;
    private readonly double _direction;
    private readonly Vector<double> _end;
    private readonly Vector<double> _mostSteps;
    private readonly double _startTime;
    private readonly Vector<double>[] _time, _step, _moved;
    private readonly ClockLanes[] _lanes;
    private readonly Vector<double>[]? _limits;    // where there are events: the times that lanes may not step over, infinite where there is none
    private int _vectors;    // of those, in use

    /// <param name="problem">What is solved.</param>
    /// <param name="lanes">How many lanes there are at most, a multiple of those of <c>Vector&lt;double&gt;</c>.</param>
    /// <param name="hasEvents">Whether events may cut steps, or happen at times that steps are to land on.</param>
    public RegisterClock(RungeKuttaProblem problem, int lanes, bool hasEvents = false)
    {
        (_rules, _isAdaptive) = (new StepRules(problem), problem.IsAdaptive);
        (_direction, _end, _startTime) = (problem.Span.Direction, new(problem.Span.End), problem.Span.Start);
        _mostSteps = new(problem.Options.MaxSteps);
        var vectors = lanes / Vector<double>.Count;
        (_time, _step, _moved) = (new Vector<double>[vectors], new Vector<double>[vectors], new Vector<double>[vectors]);
        _lanes = new ClockLanes[vectors];
        _limits = hasEvents ? new Vector<double>[vectors] : null;
        Reset(lanes);
    }

    /// <summary>The time that each lane has reached.</summary>
    public ReadOnlySpan<Vector<double>> Time => _time.AsSpan(0, _vectors);

    /// <summary>The signed step of the attempt; 0 where a lane rests.</summary>
    public ReadOnlySpan<Vector<double>> Step => _step.AsSpan(0, _vectors);

    /// <summary>1 for the lanes that the last attempt moved, 0 for the others.</summary>
    public ReadOnlySpan<Vector<double>> Moved => _moved.AsSpan(0, _vectors);

    /// <summary>Whether the last attempt moved a lane.</summary>
    public bool MovesAny { get; private set; }

    /// <summary>Whether it moved every lane that did not rest.</summary>
    public bool MovesAllLive { get; private set; }

    /// <summary>Whether a lane that moved has come to its next saved time.</summary>
    public bool Crosses { get; private set; }

    /// <summary>Whether every lane takes steps, as <see cref="Plan"/> and <see cref="Advance"/> leave it.</summary>
    public bool AllLive { get; private set; }

    /// <summary>Whether any lane takes steps.</summary>
    public bool AnyLive => Resting < _vectors * Vector<double>.Count;

    /// <summary>How many lanes take none.</summary>
    public int Resting
    {
        get
        {
            var live = Vector<long>.Zero;
            foreach (ref readonly var lanes in _lanes.AsSpan(0, _vectors)) live -= lanes.IsLive;
            return _vectors * Vector<double>.Count - (int)Vector.Sum(live);
        }
    }

    /// <summary>Whether lanes have ended that do not rest yet.</summary>
    public bool HasEnded
    {
        get
        {
            var ended = Vector<long>.Zero;
            foreach (ref readonly var lanes in _lanes.AsSpan(0, _vectors)) ended |= lanes.Ended;
            return ended != Vector<long>.Zero;
        }
    }

    /// <summary>The first lane, from one on, that has ended and does not rest yet; -1 where there is none.</summary>
    public int NextEnded(int from)
    {
        for (var lane = from; lane < _vectors * Vector<double>.Count; lane++)
        {
            if (Of(lane).Ended == Vector<long>.Zero) lane |= Vector<double>.Count - 1;
            else if (Of(lane).Ended[Place(lane)] != 0) return lane;
        }

        return -1;
    }

    /// <summary>How a lane ended; null while it has not.</summary>
    public SolveStatus? Ended(int lane) => Of(lane).Ended[Place(lane)] is > 0 and var status ? (SolveStatus)(status - 1) : null;

    /// <summary>The time that the attempt of a lane reaches.</summary>
    public double Target(int lane) => Of(lane).Target[Place(lane)];

    /// <summary>Whether the last attempt moved a lane.</summary>
    public bool Moves(int lane) => Lane(Moved, lane) != 0;

    /// <summary>The place in its step at which an event has cut a lane's, of as many lanes as a vector has; infinite where none has.</summary>
    public Vector<double> Cut(int vector) => _lanes[vector].Cut;

    /// <summary>Whether a lane takes steps.</summary>
    public bool IsLive(int lane) => Of(lane).IsLive[Place(lane)] != 0;

    /// <summary>Whether one of some lanes, that fill vectors, has come to its next saved time by the last attempt.</summary>
    public bool HasCrossed(int first, int count)
    {
        var crosses = Vector<long>.Zero;
        foreach (ref readonly var lanes in _lanes.AsSpan(first / Vector<double>.Count, count / Vector<double>.Count)) crosses |= lanes.Crosses;
        return crosses != Vector<long>.Zero;
    }

    /// <summary>Whether the last attempt took one of some lanes, that fill vectors, to the time that it may not step over.</summary>
    public bool HasLanded(int first, int count)
    {
        var landed = Vector<long>.Zero;
        for (var v = first / Vector<double>.Count; v < (first + count) / Vector<double>.Count; v++)
            landed |= Vector.Equals(_lanes[v].Target, _limits![v]) & Vector.Equals(_moved[v], Vector<double>.One);
        return landed != Vector<long>.Zero;
    }

    /// <summary>A lane's number in one of the vectors above.</summary>
    public static double Lane(ReadOnlySpan<Vector<double>> vectors, int lane) => MemoryMarshal.Cast<Vector<double>, double>(vectors)[lane];

    /// <summary>A lane's accepted and rejected steps.</summary>
    public (long Accepted, long Rejected) Steps(int lane) => ((long)Of(lane).Accepted[Place(lane)], (long)Of(lane).Rejected[Place(lane)]);

    /// <summary>Puts so many lanes to rest at the start.</summary>
    public void Reset(int lanes)
    {
        _vectors = lanes / Vector<double>.Count;
        Array.Fill(_time, new Vector<double>(_startTime));
        Array.Clear(_step);
        Array.Clear(_lanes);
        foreach (ref var own in _lanes.AsSpan()) own.Cut = new Vector<double>(double.PositiveInfinity);
        AllLive = false;
    }

    /// <summary>Starts a lane anew at the start of the solve.</summary>
    /// <param name="lane">Which.</param>
    /// <param name="size">The size of its first step; it ends where that is not finite.</param>
    /// <param name="nextSave">The first time that is saved after the start.</param>
    public void Start(int lane, double size, double nextSave)
    {
        ref var lanes = ref Of(lane);
        var place = Place(lane);
        Set(ref _time[lane / Vector<double>.Count], place, _startTime);
        Set(ref lanes.Size, place, size);
        Set(ref lanes.NextSave, place, nextSave);
        Set(ref lanes.Previous, place, 0);
        Set(ref lanes.BeforePrevious, place, 0);
        Set(ref lanes.PreviousStep, place, 0);
        Set(ref lanes.Diverged, place, 0);
        Set(ref lanes.Grid, place, 0);
        Set(ref lanes.Accepted, place, 0);
        Set(ref lanes.Rejected, place, 0);
        Set(ref lanes.NonFinite, place, 0);
        Set(ref lanes.WasRejected, place, 0);
        Set(ref lanes.Ended, place, 0);
        Set(ref lanes.IsLive, place, -1);
        if (!double.IsFinite(size)) End(lane, SolveStatus.NonFinite);
    }

    /// <summary>Lets a lane rest from now on.</summary>
    public void Rest(int lane)
    {
        Set(ref Of(lane).IsLive, Place(lane), 0);
        Set(ref Of(lane).Ended, Place(lane), 0);
    }

    /// <summary>Puts a resting lane at another's time.</summary>
    public void Follow(int lane, int other) => Set(ref _time[lane / Vector<double>.Count], Place(lane), Lane(_time, other));

    /// <summary>Sets the next time that a lane saves.</summary>
    public void SetNextSave(int lane, double time) => Set(ref Of(lane).NextSave, Place(lane), time);

    /// <summary>Sets the time that a lane may not step over, and lands on; infinite where there is none.</summary>
    public void SetLimit(int lane, double time) => Set(ref _limits![lane / Vector<double>.Count], Place(lane), time);

    /// <summary>
    /// Lets the step by which a lane has moved end where events have acted. What follows them is another solution: the errors before them say
    /// nothing about its steps.
    /// </summary>
    /// <param name="lane">The lane.</param>
    /// <param name="arrival">Where they have acted.</param>
    /// <param name="limit">The next time that it may not step over.</param>
    /// <param name="ending">How the lane ends there; null where it goes on.</param>
    public void Shorten(int lane, EventArrival arrival, double limit, SolveStatus? ending)
    {
        ref var lanes = ref Of(lane);
        var (place, time) = (Place(lane), arrival.Time);
        var isOnGrid = time == lanes.Target[place] && Forced(lanes, lane / Vector<double>.Count)[place] == 0;
        if (!_isAdaptive) Set(ref lanes.Grid, place, _rules.StepsBehind(time, lanes.Grid[place] - (isOnGrid ? 0 : 1)));
        Set(ref lanes.Target, place, time);
        Set(ref lanes.Cut, place, arrival.Theta);
        Set(ref lanes.Previous, place, 0);
        Set(ref lanes.BeforePrevious, place, 0);
        Set(ref lanes.PreviousStep, place, 0);
        SetLimit(lane, limit);
        if (ending is { } status) End(lane, status);
    }

    /// <summary>Lets go of the cuts of the last attempt.</summary>
    public void ForgetCuts()
    {
        foreach (ref var lanes in _lanes.AsSpan(0, _vectors)) lanes.Cut = new Vector<double>(double.PositiveInfinity);
    }

    /// <summary>Ends the lanes that have not ended.</summary>
    public void Cancel()
    {
        foreach (ref var lanes in _lanes.AsSpan()) lanes.End(Vector<long>.AllBitsSet, SolveStatus.Cancelled);
        AllLive = false;
    }

    /// <summary>Chooses the step of every lane for the next attempt, and ends those that may not take one.</summary>
    public void Plan()
    {
        var live = Vector<long>.AllBitsSet;
        for (var v = 0; v < _vectors; v++) live &= ChooseStep(ref _lanes[v], v);
        AllLive = live == Vector<long>.AllBitsSet;
    }

    /// <summary>Judges an attempt.</summary>
    /// <param name="squaredErrors">In units of the tolerance; not a number where a state is not finite, or stages were not found.</param>
    /// <param name="diverged">The lanes whose implicit stages were not found; empty where the method has none.</param>
    public void Judge(ReadOnlySpan<Vector<double>> squaredErrors, ReadOnlySpan<Vector<long>> diverged)
    {
        var (any, stays, crosses) = (Vector<long>.Zero, Vector<long>.Zero, Vector<long>.Zero);
        for (var v = 0; v < _vectors; v++)
        {
            ref var lanes = ref _lanes[v];
            var (squared, step) = (squaredErrors[v], _step[v]);
            var moves = Vector.LessThanOrEqual(squared, Vector<double>.One) & lanes.IsLive;
            var rejected = Vector.AndNot(lanes.IsLive, moves);
            if (!diverged.IsEmpty) lanes.Diverged = diverged[v];
            var planned = lanes.Size;
            if (_isAdaptive) lanes.Adapt(_rules, step, squared, moves);
            else lanes.EndNonFinite(rejected);
            if (_limits is not null) lanes.Restore(planned, step, moves & (Vector.Equals(lanes.Target, _end) | Vector.Equals(lanes.Target, _limits[v])));
            _moved[v] = Vector.AsVectorDouble(moves & Vector.AsVectorInt64(Vector<double>.One));
            lanes.Grid += _moved[v];
            lanes.Accepted += _moved[v];
            lanes.Crosses = moves & Vector.LessThanOrEqual((lanes.NextSave - _time[v]) * _direction, Vector.Abs(step));
            any |= moves;
            stays |= rejected;
            crosses |= lanes.Crosses;
        }

        (MovesAny, MovesAllLive, Crosses) = (any != Vector<long>.Zero, stays == Vector<long>.Zero, crosses != Vector<long>.Zero);
    }

    /// <summary>
    /// Moves the lanes that were accepted, ends those that have arrived, exactly at the end, and plans the next attempt as
    /// <see cref="Plan"/>.
    /// </summary>
    public void Advance()
    {
        var live = Vector<long>.AllBitsSet;
        for (var v = 0; v < _vectors; v++)
        {
            ref var lanes = ref _lanes[v];
            var moves = Vector.Equals(_moved[v], Vector<double>.One);
            _time[v] = Vector.ConditionalSelect(moves, lanes.Target, _time[v]);
            lanes.End(moves & Vector.Equals(lanes.Target, _end), SolveStatus.Success);
            live &= ChooseStep(ref lanes, v);
        }

        AllLive = live == Vector<long>.AllBitsSet;
    }

    /// <summary>Chooses the steps of some lanes for the next attempt, and gives those that take it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Vector<long> ChooseStep(ref ClockLanes lanes, int v)
    {
        var time = _time[v];
        var target = _isAdaptive ? _rules.AdaptiveTarget(time, lanes.Size) : _rules.FixedTarget(lanes.Grid + Vector<double>.One);
        if (_limits is not null) target = _rules.LimitedTarget(time, target, _limits[v], new Vector<double>(double.PositiveInfinity));
        lanes.Target = target;
        var hasUsedUp = Vector.GreaterThanOrEqual(lanes.Accepted + lanes.Rejected, _mostSteps);
        var stops = _isAdaptive ? hasUsedUp | Vector.AndNot(_rules.IsLostInRounding(time, target), Forced(lanes, v)) : hasUsedUp;
        if ((stops & lanes.IsLive) != Vector<long>.Zero) lanes.Stop(stops, hasUsedUp);
        _step[v] = Vector.AsVectorDouble(Vector.AsVectorInt64(target - time) & lanes.IsLive);
        return lanes.IsLive;
    }

    /// <summary>The lanes whose attempt ends where it does because of a time that they may not step over, and not of their own step.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Vector<long> Forced(in ClockLanes lanes, int v) => _limits is null
        ? Vector<long>.Zero
        : Vector.AndNot(Vector.Equals(lanes.Target, _limits[v]), Vector.Equals(lanes.Target, _end));

    private void End(int lane, SolveStatus status)
    {
        var only = Vector<long>.Zero;
        Set(ref only, Place(lane), -1);
        Of(lane).End(only, status);
    }

    private ref ClockLanes Of(int lane) => ref _lanes[lane / Vector<double>.Count];

    private static int Place(int lane) => lane % Vector<double>.Count;

    private static void Set<T>(ref Vector<T> vector, int place, T value)
        where T : struct =>
        MemoryMarshal.Cast<Vector<T>, T>(new Span<Vector<T>>(ref vector))[place] = value;
}
