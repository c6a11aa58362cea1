using System.Numerics;

namespace DiffEqLang.Runtime.Simd;

/// <summary>
/// The events of the samples of one register: finds those that an accepted step has come across, ends the step of their lanes there, and lets
/// them act; what <see cref="LaneEvents"/> is to samples on tensors, by the same <see cref="EventRules"/>. A step pays for one evaluation of what is
/// watched and a look at its signs; where those tell of an event it is searched for, lane by lane.
/// </summary>
internal sealed class RegisterEvents<TRegister, TLanes, T>
    where TRegister : struct
    where TLanes : struct, ILanes<TLanes>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly LaneStepper<TRegister, TLanes> _stepper;
    private readonly SolveSpan _span;
    private readonly EventRules _rules;
    private readonly TimedEvents _timed;
    private readonly DenseWeights<TLanes> _weights;
    private readonly int _firstLane;                                         // of the clock
    private readonly WatchedSides<TLanes, T> _sides;
    private readonly RegisterBuffer<TLanes> _endValues, _endRates;       // of what is watched, at the ends of steps
    private readonly RegisterBuffer<TLanes> _midValues, _midRates;       // and inside them
    private readonly RegisterBuffer<TLanes> _before, _after;             // what is watched before events, and the states after them
    private readonly RegisterBuffer<TLanes> _at, _jumped, _slope, _terms;
    private readonly EventArrival?[] _arrivals;                          // by lane: of the events that have cut its step
    private readonly List<EventSearch> _found = [];
    private readonly Vector<double>[] _times;
    private bool _isExtended;                                            // whether the stages of the dense output are there

    /// <param name="stepper">The equations and the method.</param>
    /// <param name="problem">What is solved.</param>
    /// <param name="firstLane">The clock's lane that is the register's first.</param>
    public RegisterEvents(LaneStepper<TRegister, TLanes> stepper, RungeKuttaProblem problem, int firstLane)
    {
        var events = stepper.Kernel.Events;
        (_stepper, _span, _firstLane) = (stepper, problem.Span, firstLane);
        (_rules, _timed) = (new(events, LaneNumbers<TLanes, T>.Rounding), new(events, problem.Span, Lanes));
        _weights = new(stepper.Tableau, stepper.Parts);
        _sides = new(Columns);
        (_endValues, _endRates, _midValues, _midRates) = (new(Columns), new(Columns), new(Columns), new(Columns));
        (_before, _after) = (new(Columns), new(stepper.Size));
        (_at, _jumped, _slope, _terms) = (new(stepper.Size), new(stepper.Size), new(stepper.Size), new(stepper.Kernel.TermSize));
        _arrivals = new EventArrival?[Lanes];
        _times = new Vector<double>[Lanes / Vector<double>.Count];
    }

    /// <summary>Whether events have cut a step of the last attempt.</summary>
    public bool HasCut { get; private set; }

    private static int Lanes => LaneNumbers<TLanes, T>.Count;

    /// <summary>How many values are watched.</summary>
    private int Columns => _rules.Roots.Length;

    /// <summary>Whether they have cut a lane's.</summary>
    public bool IsCut(int lane) => _arrivals[lane] is not null;

    /// <summary>Begins with a sample in a lane: the sides of what is watched, and the first given time.</summary>
    public void Start(int lane, ReadOnlySpan<TLanes> state, ReadOnlySpan<TLanes> parameters, ReadOnlySpan<TLanes> slope)
    {
        _timed.Begin(lane);
        Watch(TLanes.Of(_span.Start), state, parameters, slope, _endValues.Span, _endRates.Span);
        for (var column = 0; column < Columns; column++)
        {
            var (value, rate) = (Number(_endValues, column, lane), Number(_endRates, column, lane));
            _sides.Set(column, lane, (EventRules.SideOf(value, rate), value), rate);
        }
    }

    /// <summary>The next given time of a lane, which no step may pass; infinite where there is none.</summary>
    public double Limit(int lane) => _timed.Limits[lane];

    /// <summary>
    /// Takes the attempts that begin or end at given times one rounding of the time inside, for the evaluations of the right-hand side, which may
    /// break there: <see cref="StepBreaks"/>.
    /// </summary>
    /// <param name="clock">The attempt.</param>
    /// <param name="time">The time of each lane before it.</param>
    /// <param name="step">The signed size of each lane's.</param>
    public void StepInside(RegisterClock clock, ref TLanes time, ref TLanes step)
    {
        if (!_timed.Any) return;
        var times = LaneNumbers<TLanes, T>.Of(new Span<TLanes>(ref time));
        var steps = LaneNumbers<TLanes, T>.Of(new Span<TLanes>(ref step));
        for (var lane = 0; lane < Lanes; lane++)
        {
            var (start, end) = (RegisterClock.Lane(clock.Time, _firstLane + lane), clock.Target(_firstLane + lane));
            var (isAtStart, isAtEnd) = (_timed.IsAtStart(lane, start), _timed.IsAtEnd(lane, end));
            if (steps[lane] != T.Zero && (isAtStart || isAtEnd))
                (times[lane], steps[lane]) = StepBreaks.Inside<T>(start, end, isAtStart, isAtEnd, _span.Direction);
        }
    }

    // Finding

    /// <summary>
    /// Looks for events in the steps that were accepted, lets the clock end them there, and notes them. What they make of the states waits for
    /// <see cref="Jump"/>.
    /// </summary>
    /// <param name="clock">The attempt.</param>
    /// <param name="step">The register's part of it.</param>
    /// <param name="log">Takes the events.</param>
    /// <param name="samples">Of each lane.</param>
    public void Find(RegisterClock clock, RegisterStep<TLanes> step, EventLog log, ReadOnlySpan<int> samples)
    {
        if (HasCut) Array.Clear(_arrivals);
        (HasCut, _isExtended) = (false, false);
        var moves = TLanes.LessThan(default, step.Moved);
        WatchEnd(clock, step);
        if (TLanes.Any(_sides.MayHold(_endValues.Span, _endRates.Span) & moves) || clock.HasLanded(_firstLane, Lanes))
            for (var lane = 0; lane < Lanes; lane++)
                if (clock.Moves(_firstLane + lane) && ArrivalOf(lane, clock, step) is { } arrival)
                    Act(lane, arrival, clock, step, log, samples[lane]);
        _sides.Move(HasCut ? Uncut(moves) : moves, _endValues.Span, _endRates.Span);
    }

    private TLanes Uncut(TLanes moves)
    {
        for (var lane = 0; lane < Lanes; lane++)
            if (IsCut(lane))
                LaneNumbers<TLanes, T>.Of(new Span<TLanes>(ref moves))[lane] = default;
        return moves;
    }

    private void WatchEnd(RegisterClock clock, RegisterStep<TLanes> step)
    {
        var first = _firstLane / Vector<double>.Count;
        for (var v = 0; v < _times.Length; v++) _times[v] = clock.Time[first + v] + clock.Step[first + v];
        var slope = step.Stages.Slice(_stepper.Tableau.EndStage * _stepper.Size, _stepper.Size);
        Watch(LaneNumbers<TLanes, T>.FromDoubles(_times), step.After, step.Parameters, slope, _endValues.Span, _endRates.Span);
    }

    private EventArrival? ArrivalOf(int lane, RegisterClock clock, RegisterStep<TLanes> step)
    {
        var own = _firstLane + lane;
        var ofLane = new LaneStep(RegisterClock.Lane(clock.Time, own), RegisterClock.Lane(clock.Step, own), clock.Target(own));
        var (sides, values, rates) = (new int[Columns], new double[Columns], new double[Columns]);
        _found.Clear();
        for (var c = 0; c < Columns; c++)
        {
            (sides[c], values[c], rates[c]) = (_sides.Side(c, lane), Number(_endValues, c, lane), Number(_endRates, c, lane));
            var search = _rules.Search(lane, c, sides[c], (_sides.Value(c, lane), values[c]), (_sides.Rate(c, lane), rates[c]));
            if (search is not null && Finds(search, ofLane, step)) _found.Add(search);
        }

        return _rules.Earliest(ofLane, _found, _timed.IsAtEnd(lane, ofLane.Target) ? _timed.At(ofLane.Target) : null, sides, values, rates);
    }

    /// <summary>Runs a search, on the dense output of the whole register.</summary>
    private bool Finds(EventSearch search, LaneStep ofLane, RegisterStep<TLanes> step)
    {
        while (!search.IsDone)
        {
            Reach(search.Theta, step);
            var t = TLanes.Of(ofLane.TimeAt(search.Theta));
            if (search.NeedsRate) _stepper.Drift(t, _at.Span, step.Parameters, _slope.Span, _terms.Span);
            Watch(t, _at.Span, step.Parameters, _slope.Span, _midValues.Span, _midRates.Span);
            search.Tell(Number(_midValues, search.Column, search.Lane), Number(_midRates, search.Column, search.Lane));
        }

        return search.IsFound;
    }

    /// <summary>The states at a place in the step.</summary>
    private void Reach(double theta, RegisterStep<TLanes> step)
    {
        if (theta == 1) step.After.CopyTo(_at.Span);
        else
        {
            if (!_isExtended) Extend(step);
            _weights.Value(TLanes.Of(theta), step.Size, step.State, step.Stages, _at.Span);
        }
    }

    /// <summary>Evaluates the stages that only the dense output needs.</summary>
    private void Extend(RegisterStep<TLanes> step)
    {
        var tableau = _stepper.Tableau;
        _stepper.Evaluate(
            tableau.EndStage + 1, tableau.A.Count, step.Time, step.Size, step.State, step.Parameters, step.Stages, _jumped.Span, _terms.Span);
        _isExtended = true;
    }

    // Acting

    private void Act(int lane, EventArrival arrival, RegisterClock clock, RegisterStep<TLanes> step, EventLog log, int sample)
    {
        Reach(arrival.Theta, step);
        var t = TLanes.Of(arrival.Time);
        Watch(t, _at.Span, step.Parameters, _slope.Span, _midValues.Span, _midRates.Span);
        LaneNumbers<TLanes, T>.Copy(_midValues.Span, lane, _before.Span, lane);
        LaneNumbers<TLanes, T>.Copy(_at.Span, lane, _after.Span, lane);
        foreach (var which in arrival.Which)
        {
            _at.Span.CopyTo(_jumped.Span);
            _stepper.Jump(which, t, _at.Span, step.Parameters, _jumped.Span);
            log.Add(sample, which, arrival.Time, Numbers(_at, lane), Numbers(_jumped, lane));
            _jumped.Span.CopyTo(_at.Span);
        }

        log.AddMoment(sample, arrival.Time);
        _timed.Pass(lane, arrival.Time);
        var isFinite = Array.TrueForAll(Numbers(_at, lane), double.IsFinite);
        if (isFinite) LaneNumbers<TLanes, T>.Copy(_at.Span, lane, _after.Span, lane);
        clock.Shorten(_firstLane + lane, arrival, _timed.Limits[lane], _rules.Ending(arrival.Which, isFinite, log.IsEndless(sample)));
        (HasCut, _arrivals[lane]) = (true, arrival);
    }

    /// <summary>Puts the lanes that events have cut behind these: their states, slopes, and sides of what is watched.</summary>
    /// <param name="state">The states after the step, length N.</param>
    /// <param name="parameters">Those of the kernel.</param>
    /// <param name="slope">f there, length N.</param>
    public void Jump(Span<TLanes> state, ReadOnlySpan<TLanes> parameters, Span<TLanes> slope)
    {
        var t = default(TLanes);
        for (var lane = 0; lane < Lanes; lane++)
        {
            if (_arrivals[lane] is not { } arrival) continue;
            LaneNumbers<TLanes, T>.Copy(_after.Span, lane, state, lane);
            LaneNumbers<TLanes, T>.Of(new Span<TLanes>(ref t))[lane] = _timed.IsAtStart(lane, arrival.Time)
                ? StepBreaks.Beside<T>(arrival.Time, _span.Direction)
                : T.CreateTruncating(arrival.Time);
        }

        _stepper.Drift(t, state, parameters, _slope.Span, _terms.Span);
        Watch(t, state, parameters, _slope.Span, _endValues.Span, _endRates.Span);
        for (var lane = 0; lane < Lanes; lane++)
        {
            if (_arrivals[lane] is not { } arrival) continue;
            LaneNumbers<TLanes, T>.Copy(_slope.Span, lane, slope, lane);
            SettleBehind(lane, arrival.Which);
        }
    }

    private void SettleBehind(int lane, int[] which)
    {
        for (var c = 0; c < Columns; c++)
        {
            var (isOwn, rate) = (which.Contains(_rules.Roots[c]), Number(_endRates, c, lane));
            var (before, after) = (Number(_before, c, lane), Number(_endValues, c, lane));
            _sides.Set(c, lane, _rules.Behind(isOwn, _sides.Side(c, lane), _sides.Value(c, lane), before, after, rate), rate);
        }
    }

    // Numbers

    /// <summary>What is watched, and its derivative along a slope in the direction of the solve.</summary>
    private void Watch(
        TLanes t, ReadOnlySpan<TLanes> state, ReadOnlySpan<TLanes> parameters, ReadOnlySpan<TLanes> slope, Span<TLanes> values, Span<TLanes> rates)
    {
        if (Columns == 0) return;
        _stepper.EventValues(t, state, parameters, slope, values, rates);
        if (_span.Direction > 0) return;
        foreach (ref var rate in rates) rate = -rate;
    }

    private static double Number(RegisterBuffer<TLanes> buffer, int place, int lane) => LaneNumbers<TLanes, T>.Number(buffer.Span, place, lane);

    private static double[] Numbers(RegisterBuffer<TLanes> buffer, int lane)
    {
        var numbers = new double[buffer.Length];
        for (var place = 0; place < numbers.Length; place++) numbers[place] = Number(buffer, place, lane);
        return numbers;
    }
}
