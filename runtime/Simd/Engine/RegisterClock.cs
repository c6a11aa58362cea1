using System.Numerics;
using System.Runtime.InteropServices;

namespace DiffEqLang.Runtime.Simd;

/// <summary>
/// The time, step and status of the lanes of one register, in float64: what <see cref="LaneClock"/> is to samples on tensors, by the
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
    private readonly Vector<double>[] _time, _step, _target, _nextSave, _moved;
    private readonly Vector<double>[] _size;                  // of the next step
    private readonly Vector<double>[] _previous, _before;     // log₂ of the errors of the last accepted steps
    private readonly Vector<double>[] _accepted, _rejected, _nonFinite;
    private readonly Vector<long>[] _isLive, _wasRejected;
    private readonly SolveStatus?[] _ended;

    /// <param name="problem">What is solved.</param>
    /// <param name="lanes">How many lanes there are, a multiple of those of <c>Vector&lt;double&gt;</c>.</param>
    public RegisterClock(RungeKuttaProblem problem, int lanes)
    {
        (_rules, _isAdaptive) = (new StepRules(problem), problem.IsAdaptive);
        (_direction, _end, _startTime) = (problem.Span.Direction, new(problem.Span.End), problem.Span.Start);
        _mostSteps = new(problem.Options.MaxSteps);
        var vectors = lanes / Vector<double>.Count;
        (_time, _step, _target, _nextSave, _moved) = (New(), New(), New(), New(), New());
        (_size, _previous, _before) = (New(), New(), New());
        (_accepted, _rejected, _nonFinite) = (New(), New(), New());
        (_isLive, _wasRejected) = (new Vector<long>[vectors], new Vector<long>[vectors]);
        _ended = new SolveStatus?[lanes];
        Reset();

        Vector<double>[] New() => new Vector<double>[vectors];
    }

    /// <summary>The time that each lane has reached.</summary>
    public ReadOnlySpan<Vector<double>> Time => _time;

    /// <summary>The signed step of the attempt; 0 where a lane rests.</summary>
    public ReadOnlySpan<Vector<double>> Step => _step;

    /// <summary>1 for the lanes that the last attempt moved, 0 for the others.</summary>
    public ReadOnlySpan<Vector<double>> Moved => _moved;

    /// <summary>Whether the last attempt moved a lane.</summary>
    public bool MovesAny { get; private set; }

    /// <summary>Whether it moved every lane that does not rest.</summary>
    public bool MovesAllLive { get; private set; }

    /// <summary>Whether it moved every lane of the register.</summary>
    public bool MovesAll { get; private set; }

    /// <summary>Whether a lane that moved has come to its next saved time.</summary>
    public bool Crosses { get; private set; }

    /// <summary>Whether lanes have ended that the last call of <see cref="Plan"/> or <see cref="Commit"/> did not rest yet.</summary>
    public bool HasEnded { get; private set; }

    /// <summary>Whether any lane takes steps.</summary>
    public bool AnyLive
    {
        get
        {
            var any = Vector<long>.Zero;
            foreach (var live in _isLive) any |= live;
            return any != Vector<long>.Zero;
        }
    }

    /// <summary>How a lane ended; null while it has not.</summary>
    public SolveStatus? Ended(int lane) => _ended[lane];

    /// <summary>Whether a lane takes steps.</summary>
    public bool IsLive(int lane) => MemoryMarshal.Cast<Vector<long>, long>(_isLive.AsSpan())[lane] != 0;

    /// <summary>A lane's number in one of the vectors above.</summary>
    public static double Lane(ReadOnlySpan<Vector<double>> vectors, int lane) => MemoryMarshal.Cast<Vector<double>, double>(vectors)[lane];

    /// <summary>A lane's accepted and rejected steps.</summary>
    public (long Accepted, long Rejected) Steps(int lane) => ((long)Lane(_accepted, lane), (long)Lane(_rejected, lane));

    /// <summary>Where a lane's attempt ends.</summary>
    public double Target(int lane) => Lane(_target, lane);

    /// <summary>Puts all lanes to rest at the start.</summary>
    public void Reset()
    {
        for (var lane = 0; lane < _ended.Length; lane++) Rest(lane);
        Array.Fill(_time, new Vector<double>(_startTime));
        Array.Clear(_step);
        Array.Clear(_target);
    }

    /// <summary>Starts a lane anew at the start of the solve.</summary>
    /// <param name="lane">Which.</param>
    /// <param name="size">The size of its first step, where steps follow the error; it ends where that is not finite.</param>
    /// <param name="nextSave">The first time that is saved after the start.</param>
    public void Start(int lane, double size, double nextSave)
    {
        Set(_time, lane, _startTime);
        Set(_size, lane, size);
        Set(_nextSave, lane, nextSave);
        foreach (var vectors in (ReadOnlySpan<Vector<double>[]>)[_previous, _before, _accepted, _rejected, _nonFinite]) Set(vectors, lane, 0);
        MemoryMarshal.Cast<Vector<long>, long>(_wasRejected.AsSpan())[lane] = 0;
        MemoryMarshal.Cast<Vector<long>, long>(_isLive.AsSpan())[lane] = -1;
        _ended[lane] = null;
        if (_isAdaptive && !double.IsFinite(size)) End(lane, SolveStatus.NonFinite);
    }

    /// <summary>Lets a lane rest from now on.</summary>
    public void Rest(int lane)
    {
        MemoryMarshal.Cast<Vector<long>, long>(_isLive.AsSpan())[lane] = 0;
        _ended[lane] = null;
        HasEnded = Array.Exists(_ended, status => status is not null);
    }

    /// <summary>Puts a resting lane at another's time.</summary>
    public void Follow(int lane, int other) => Set(_time, lane, Lane(_time, other));

    /// <summary>Sets the next time that a lane saves.</summary>
    public void SetNextSave(int lane, double time) => Set(_nextSave, lane, time);

    /// <summary>Ends the lanes that have not ended.</summary>
    public void Cancel()
    {
        for (var lane = 0; lane < _ended.Length; lane++)
            if (IsLive(lane) && _ended[lane] is null)
                End(lane, SolveStatus.Cancelled);
    }

    /// <summary>Chooses the step of every lane for the next attempt, and ends those that may not take one.</summary>
    public void Plan()
    {
        for (var v = 0; v < _time.Length; v++)
        {
            var time = _time[v];
            var target = _isAdaptive ? _rules.AdaptiveTarget(time, _size[v]) : _rules.FixedTarget(_accepted[v] + Vector<double>.One);
            var stops = Vector.GreaterThanOrEqual(_accepted[v] + _rejected[v], _mostSteps);
            if (_isAdaptive) stops |= _rules.IsLostInRounding(time, target);
            stops &= _isLive[v];
            _target[v] = target;
            _step[v] = Vector.AsVectorDouble(Vector.AsVectorInt64(target - time) & Vector.AndNot(_isLive[v], stops));
            if (stops != Vector<long>.Zero) Stop(v, stops);
        }
    }

    /// <summary>Judges an attempt, whose squared errors are in units of the tolerance; not a number where a state is not finite.</summary>
    public void Judge(ReadOnlySpan<Vector<double>> squaredErrors)
    {
        var (any, allLive, all, crosses) = (Vector<long>.Zero, Vector<long>.AllBitsSet, Vector<long>.AllBitsSet, Vector<long>.Zero);
        for (var v = 0; v < _time.Length; v++)
        {
            var squared = squaredErrors[v];
            var moves = Vector.LessThanOrEqual(squared, Vector<double>.One) & _isLive[v];
            if (_isAdaptive) Adapt(v, squared, moves);
            else if ((_isLive[v] & ~moves) is var failed && failed != Vector<long>.Zero) Fail(v, failed);
            _moved[v] = Vector.AsVectorDouble(moves & Vector.AsVectorInt64(Vector<double>.One));
            _accepted[v] += _moved[v];
            any |= moves;
            all &= moves;
            allLive &= moves | ~_isLive[v];
            crosses |= moves & Vector.LessThanOrEqual((_nextSave[v] - _time[v]) * _direction, Vector.Abs(_step[v]));
        }

        (MovesAny, Crosses) = (any != Vector<long>.Zero, crosses != Vector<long>.Zero);
        (MovesAll, MovesAllLive) = (all == Vector<long>.AllBitsSet, allLive == Vector<long>.AllBitsSet);
    }

    /// <summary>Moves the lanes that were accepted, and ends those that have arrived: exactly at the end.</summary>
    public void Commit()
    {
        for (var v = 0; v < _time.Length; v++)
        {
            var moves = Vector.Equals(_moved[v], Vector<double>.One);
            _time[v] = Vector.ConditionalSelect(moves, _target[v], _time[v]);
            var arrived = moves & Vector.Equals(_target[v], _end);
            if (arrived != Vector<long>.Zero) EndAll(v, arrived, SolveStatus.Success);
        }
    }

    private void Adapt(int v, Vector<double> squared, Vector<long> moves)
    {
        var log = RoughLogarithm.Log2(squared) * 0.5;
        var factor = _rules.Factor(moves, _wasRejected[v], log, _previous[v], _before[v]);
        var live = _isLive[v];
        _size[v] = Vector.Abs(_step[v]) * factor;
        _before[v] = Vector.ConditionalSelect(moves, _previous[v], _before[v]);
        _previous[v] = Vector.ConditionalSelect(moves, StepRules.Remembered(log), _previous[v]);
        var rejected = Vector.AndNot(live, moves);
        _wasRejected[v] = rejected;
        if (rejected == Vector<long>.Zero)
        {
            _nonFinite[v] = Vector<double>.Zero;
            return;
        }

        var one = Vector.AsVectorInt64(Vector<double>.One);
        _rejected[v] += Vector.AsVectorDouble(rejected & one);
        var isNonFinite = Vector.AndNot(rejected, Vector.LessThan(squared, new Vector<double>(double.PositiveInfinity)));
        _nonFinite[v] = Vector.AsVectorDouble(Vector.AsVectorInt64(_nonFinite[v] + Vector<double>.One) & isNonFinite);
        var givenUp = Vector.Equals(_nonFinite[v], new Vector<double>(StepRules.MostNonFinite));
        if (givenUp != Vector<long>.Zero) Fail(v, givenUp);
    }

    private void Fail(int v, Vector<long> lanes) => EndAll(v, lanes, SolveStatus.NonFinite);

    private void Stop(int v, Vector<long> lanes)
    {
        for (var i = 0; i < Vector<double>.Count; i++)
        {
            if (lanes[i] == 0) continue;
            var lane = v * Vector<double>.Count + i;
            var hasUsedUp = _accepted[v][i] + _rejected[v][i] >= _mostSteps[i];
            End(lane, hasUsedUp ? SolveStatus.MaxSteps : _nonFinite[v][i] > 0 ? SolveStatus.NonFinite : SolveStatus.StepTooSmall);
        }
    }

    private void EndAll(int v, Vector<long> lanes, SolveStatus status)
    {
        for (var i = 0; i < Vector<double>.Count; i++)
            if (lanes[i] != 0)
                End(v * Vector<double>.Count + i, status);
    }

    private void End(int lane, SolveStatus status)
    {
        _ended[lane] ??= status;
        HasEnded = true;
    }

    private static void Set(Vector<double>[] vectors, int lane, double value) =>
        MemoryMarshal.Cast<Vector<double>, double>(vectors.AsSpan())[lane] = value;
}
