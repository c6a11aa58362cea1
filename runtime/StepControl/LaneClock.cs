using System.Numerics;

namespace DiffEqLang.Runtime;

/// <summary>
/// The time, step and status of every lane, in float64 on the host: plans each attempt, judges it by its error, and ends
/// lanes. Knows no tensors.
/// </summary>
internal sealed class LaneClock
{
    /// <summary>What rounding of times may add to a step, as a factor.</summary>
    private const double Rounded = 1 + 1e-12;

    private readonly RungeKuttaProblem _problem;
    private readonly StepRules[] _rules;                                      // of each lane
    private readonly double[] _end;                                           // where each lane ends
    private readonly double[] _proposed;                                      // size of the next step
    private readonly double[] _target;                                        // the time that the attempt reaches
    private readonly (double Previous, double BeforePrevious, double Step)[] _history;    // log₂ of accepted steps' errors, and the size of the last
    private readonly long[] _grid;                                            // steps of fixed size that lie behind
    private readonly bool[] _wasRejected;
    private readonly int[] _nonFinite;                                        // attempts in a row that gave no error
    private readonly bool[] _diverged;                                        // whether the last of them found no stages
    private readonly bool[] _rests;                                           // whether it takes no part in the attempt
    private readonly bool[] _isForced;                                        // whether it ends where it does because of the lane's limit alone
    private readonly SolveStatus?[] _status;

    public LaneClock(RungeKuttaProblem problem, int lanes)
    {
        _problem = problem;
        _rules = problem.Span.Lanes is { } own
            ? [.. own.Select(span => new StepRules(problem with { Span = span }))]
            : [.. Enumerable.Repeat(new StepRules(problem), lanes)];
        _end = [.. Enumerable.Range(0, lanes).Select(lane => problem.Span.Of(lane).End)];
        (_proposed, _target, _wasRejected, _nonFinite) = (new double[lanes], new double[lanes], new bool[lanes], new int[lanes]);
        (_history, _status, _diverged) = (new (double, double, double)[lanes], new SolveStatus?[lanes], new bool[lanes]);
        (_rests, _isForced) = (new bool[lanes], new bool[lanes]);
        (Accepted, Rejected, Moves) = (new long[lanes], new long[lanes], new bool[lanes]);
        _grid = new long[lanes];
        Time = [.. Enumerable.Range(0, lanes).Select(lane => problem.Span.Of(lane).Start)];
        Step = new double[lanes];
        for (var i = 0; i < lanes; i++)
            if (Time[i] == _end[i])
                _status[i] = SolveStatus.Success;
    }

    /// <summary>The time that each lane has reached. Replaced, not changed, so that a record may keep it.</summary>
    public double[] Time { get; private set; }

    /// <summary>The signed step of the attempt; zero for a lane that has ended.</summary>
    public double[] Step { get; private set; }

    /// <summary>The size of the step that each lane would take next: of one that the end has cut, not less than it would have been.</summary>
    public double[] NextStep => _proposed;

    /// <summary>Which lanes the last attempt moved forward.</summary>
    public bool[] Moves { get; }

    /// <summary>Whether the last attempt failed to move a lane that has not ended before.</summary>
    public bool AnyStays => Step.Where((step, i) => step != 0 && !Moves[i]).Any();

    /// <summary>The time that the lanes that moved last have reached.</summary>
    public double TimeOfMoved => Time[Array.IndexOf(Moves, true)];

    /// <summary>Times that the lanes may not step over, and land on; null where there are none.</summary>
    public double[]? Limits { get; set; }

    /// <summary>The largest step whose size follows the error.</summary>
    public double Longest { get; set; } = double.PositiveInfinity;

    /// <summary>The time that the attempt of a lane reaches.</summary>
    public double Target(int lane) => _target[lane];

    /// <summary>Accepted steps.</summary>
    public long[] Accepted { get; }

    /// <summary>Rejected steps.</summary>
    public long[] Rejected { get; }

    /// <summary>Whether a lane has still to go on.</summary>
    public bool AnyActive => Array.Exists(_status, status => status is null);

    /// <summary>The statuses; of a lane that has not ended, null.</summary>
    public IReadOnlyList<SolveStatus?> Status => _status;

    /// <summary>What a lane is planned and judged by: all that it goes on from, beside counts.</summary>
    public double[] Memory(int lane) =>
    [
        Time[lane], _proposed[lane], _history[lane].Previous, _history[lane].BeforePrevious, _history[lane].Step, _grid[lane],
        _wasRejected[lane] ? 1 : 0, _nonFinite[lane], _diverged[lane] ? 1 : 0,
    ];

    /// <summary>Lets a lane go on from there.</summary>
    public void Recall(int lane, double[] memory)
    {
        (Time[lane], _proposed[lane], _history[lane]) = (memory[0], memory[1], (memory[2], memory[3], memory[4]));
        (_grid[lane], _wasRejected[lane], _nonFinite[lane], _diverged[lane]) = ((long)memory[5], memory[6] != 0, (int)memory[7], memory[8] != 0);
    }

    /// <summary>Whether the attempt that is planned for a lane reaches for the end.</summary>
    public bool ReachesForEnd(int lane) => Step[lane] != 0 && _target[lane] == _end[lane];

    /// <summary>Sets the sizes of the first steps; a lane without a finite one ends.</summary>
    public void Start(double[] steps)
    {
        steps.CopyTo(_proposed, 0);
        for (var i = 0; i < steps.Length; i++)
            if (!double.IsFinite(steps[i]))
                _status[i] ??= SolveStatus.NonFinite;
    }

    /// <summary>Chooses the step of every lane for the next attempt, and ends those that may not take one.</summary>
    public void Plan()
    {
        Step = new double[Time.Length];
        Array.Clear(_rests);
        for (var i = 0; i < Time.Length; i++)
        {
            if (_status[i] is not null) continue;
            _target[i] = Limited(i, _problem.IsAdaptive ? AdaptiveTarget(i) : FixedTarget(i));
            _isForced[i] = Limits is not null && _target[i] == Limits[i] && _target[i] != _end[i];
            if (Accepted[i] + Rejected[i] >= _problem.Options.MaxSteps)
                _status[i] = SolveStatus.MaxSteps;
            else if (IsLostInRounding(i))
                _status[i] = _nonFinite[i] > 0 ? OfNonFinite(i) : SolveStatus.StepTooSmall;
            else
                Step[i] = _target[i] - Time[i];
        }
    }

    /// <summary>Lets a lane rest in the attempt that is planned.</summary>
    public void Rest(int lane) => (_rests[lane], Step[lane]) = (true, 0);

    /// <summary>Judges an adaptive attempt by its error in units of the tolerance; true where a lane moves.</summary>
    /// <param name="errors">Of every lane.</param>
    /// <param name="failed">The lanes whose implicit stages were not found, which have no error; null: none.</param>
    /// <param name="factor">By what factor the next step of a lane is longer, where the method decides; null: where <see cref="StepRules"/> do.</param>
    public bool Judge(double[] errors, bool[]? failed, Func<int, bool, double, double>? factor)
    {
        for (var i = 0; i < errors.Length; i++)
        {
            _diverged[i] = failed?[i] ?? false;
            if (_diverged[i]) errors[i] = double.NaN;
            Moves[i] = _status[i] is null && !_rests[i] && errors[i] <= 1;
            if (_status[i] is not null || _rests[i]) continue;
            if (Moves[i]) Accept(i, errors[i], factor);
            else Reject(i, errors[i], factor);
        }

        return Array.Exists(Moves, moves => moves);
    }

    /// <summary>Judges an attempt of fixed size: a lane whose state is not finite ends before it.</summary>
    /// <param name="finite">Whether the lanes' states are; null: all.</param>
    /// <param name="failed">The lanes whose implicit stages were not found; null: none.</param>
    public bool JudgeFinite(bool[]? finite, bool[]? failed)
    {
        for (var i = 0; i < Moves.Length; i++)
        {
            _diverged[i] = failed?[i] ?? false;
            Moves[i] = _status[i] is null && !_diverged[i] && (finite is null || finite[i]);
            if (Moves[i]) Accepted[i]++;
            else _status[i] ??= OfNonFinite(i);
        }

        return Array.Exists(Moves, moves => moves);
    }

    /// <summary>Moves the lanes that were accepted, and ends those that have arrived: exactly at the end.</summary>
    /// <param name="cut">Where events have cut their steps short; null where none has.</param>
    public void Commit(StepCut? cut)
    {
        Time = [.. Time];
        for (var i = 0; i < Moves.Length; i++)
        {
            if (!Moves[i]) continue;
            Time[i] = cut?.TimeOf(i) ?? _target[i];
            if (Time[i] == _target[i] && !_isForced[i]) _grid[i]++;
            // What follows an event is another solution: the errors before it say nothing about its steps.
            if (cut?.TimeOf(i) is not null) (_history[i], _status[i]) = (default, cut.Endings[i]);
            if (_status[i] is null && Time[i] == _end[i]) _status[i] = SolveStatus.Success;
        }
    }

    /// <summary>Ends some lanes before their first step.</summary>
    public void Refuse(bool[] lanes, SolveStatus status)
    {
        for (var i = 0; i < lanes.Length; i++)
            if (lanes[i])
                _status[i] ??= status;
    }

    /// <summary>Ends all lanes that have not ended.</summary>
    public void Cancel()
    {
        for (var i = 0; i < _status.Length; i++) _status[i] ??= SolveStatus.Cancelled;
    }

    /// <summary>The target, or the lane's limit where that comes before it or a sliver behind.</summary>
    private double Limited(int i, double target) => Limits is null
        ? target
        : _rules[i].LimitedTarget(new(Time[i]), new(target), new(Limits[i]), new(Longest * Rounded))[0];

    private double AdaptiveTarget(int i)
    {
        var target = _rules[i].AdaptiveTarget(new(Time[i]), new(_proposed[i]))[0];
        return Math.Abs(target - Time[i]) <= Longest * Rounded ? target : Time[i] + Longest * _problem.Span.Of(i).Direction;
    }

    /// <summary>The next multiple of the step: events do not move them.</summary>
    private double FixedTarget(int i)
    {
        if (Limits is not null) _grid[i] = (long)_rules[i].StepsBehind(Time[i], _grid[i]);
        return _rules[i].FixedTarget(new(_grid[i] + 1))[0];
    }

    private bool IsLostInRounding(int i) => _problem.IsAdaptive && !_isForced[i] && _rules[i].IsLostInRounding(new(Time[i]), new(_target[i]))[0] != 0;

    private void Accept(int i, double error, Func<int, bool, double, double>? factor)
    {
        var (log, previous) = (RoughLogarithm.Log2(new(error)), _history[i].Previous);
        var (size, uncut) = (Math.Abs(Step[i]), _proposed[i]);
        Accepted[i]++;
        _proposed[i] = size * (factor?.Invoke(i, true, error) ?? Factor(i, Vector<long>.AllBitsSet, log));
        if (size < uncut && (_target[i] == _end[i] || _isForced[i])) _proposed[i] = Math.Max(_proposed[i], uncut);
        _history[i] = (StepRules.Remembered(log)[0], previous, size);
        (_wasRejected[i], _nonFinite[i]) = (false, 0);
    }

    private void Reject(int i, double error, Func<int, bool, double, double>? factor)
    {
        Rejected[i]++;
        _proposed[i] = Math.Abs(Step[i]) * (factor?.Invoke(i, false, error) ?? Factor(i, Vector<long>.Zero, RoughLogarithm.Log2(new(error))));
        _wasRejected[i] = true;
        _nonFinite[i] = double.IsFinite(error) ? 0 : _nonFinite[i] + 1;
        if (_nonFinite[i] == StepRules.MostNonFinite) _status[i] = OfNonFinite(i);
    }

    private SolveStatus OfNonFinite(int i) => _diverged[i] ? SolveStatus.NewtonDiverged : SolveStatus.NonFinite;

    private double Factor(int i, Vector<long> isAccepted, Vector<double> log)
    {
        var wasRejected = _wasRejected[i] ? Vector<long>.AllBitsSet : Vector<long>.Zero;
        var (previous, beforePrevious, step) = _history[i];
        return _rules[i].Factor(isAccepted, wasRejected, log, new(previous), new(beforePrevious), new(Math.Abs(Step[i])), new(step))[0];
    }
}
