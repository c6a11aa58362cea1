using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// The events of a solve: finds those that an accepted step has come across, lane by lane, cuts the step there, and lets them act.
/// </summary>
/// <remarks>By the <see cref="EventRules"/>.</remarks>
internal sealed class LaneEvents
{
    private readonly OdeEquations _equations;
    private readonly StepKernel _kernel;
    private readonly SolveSpan _span;
    private readonly EventRules _rules;
    private readonly TimedEvents _timed;
    private readonly int _lanes;
    private readonly int[] _sides;          // [lanes, columns]
    private readonly EventActions _actions;
    private double[] _values = [], _rates = [];

    /// <summary>The events of a solve; null where its equations have none.</summary>
    /// <param name="problem">What is solved.</param>
    /// <param name="kernel">What takes the steps.</param>
    /// <param name="state">The initial state, [samples, N].</param>
    /// <param name="lanes">How many lanes there are.</param>
    /// <exception cref="ArgumentException">Samples share what their events would cut apart.</exception>
    public static LaneEvents? Of(OdeProblem problem, StepKernel kernel, Tensor state, int lanes)
    {
        if (problem.Equations.Events.Count == 0) return null;
        if (lanes != state.size(0))
            throw new ArgumentException("Events end the step of a sample where they find it, so that samples cannot share their steps: solve with StepCoupling.PerSample.");
        if (problem.Span.Times is null && lanes > 1)
            throw new ArgumentException("SaveAt.Steps needs steps that all samples share, and events end the step of a sample where they find it: save at given times.");
        return new LaneEvents(problem, kernel, state);
    }

    private LaneEvents(OdeProblem problem, StepKernel kernel, Tensor state)
    {
        (_equations, _kernel, _span) = (problem.Equations, kernel, problem.Span);
        _lanes = (int)state.size(0);
        var events = _equations.Events;
        _rules = new EventRules(events, state.dtype == ScalarType.Float64 ? Math.BitIncrement(1.0) - 1 : MathF.BitIncrement(1f) - 1);
        _timed = new TimedEvents(events, _span, _lanes);
        _sides = new int[_lanes * Columns];
        _actions = new EventActions(problem, kernel, _lanes);
        Log = new EventLog(events, _lanes, _span);
    }

    /// <summary>What has happened.</summary>
    public EventLog Log { get; }

    /// <summary>The times that no lane may step over.</summary>
    public double[] Limits => _timed.Limits;

    /// <summary>How many values are watched.</summary>
    private int Columns => _rules.Roots.Length;

    /// <summary>The steps of a planned attempt that begin or end at the time of an event; null where none does.</summary>
    public StepBreaks? Breaks(LaneClock clock) => _timed.Breaks(clock);

    /// <summary>Takes the sides at the start.</summary>
    public void Start(Tensor time, Tensor state)
    {
        double[] times = [.. AllLanes().Select(lane => _span.Of(lane).Start)];
        (_values, _rates) = Watch(time.expand(_lanes), state, AllLanes(), times, isBefore: false);
        for (var i = 0; i < _sides.Length; i++) _sides[i] = EventRules.SideOf(_values[i], _rates[i]);
    }

    /// <summary>What is watched of a lane, and when its events at given times come.</summary>
    public double[] Memory(int lane)
    {
        var own = (lane * Columns)..((lane + 1) * Columns);
        return [.. _sides[own].Select(side => (double)side), .. _values[own], .. _rates[own], .. _timed.Memory(lane)];
    }

    /// <summary>Lets all lanes go on from what was kept of them.</summary>
    /// <param name="ofLanes">Lane by lane, <see cref="Memory"/>.</param>
    /// <param name="toldUpTo">Up to when their events have been told.</param>
    public void Recall(double[][] ofLanes, double[] toldUpTo)
    {
        Log.ToldUpTo = toldUpTo;
        var columns = Columns;
        (_values, _rates) = (new double[_lanes * columns], new double[_lanes * columns]);
        for (var lane = 0; lane < _lanes; lane++)
        {
            for (var column = 0; column < columns; column++)
            {
                var own = lane * columns + column;
                _sides[own] = (int)ofLanes[lane][column];
                (_values[own], _rates[own]) = (ofLanes[lane][columns + column], ofLanes[lane][2 * columns + column]);
            }

            _timed.Recall(lane, ofLanes[lane][(3 * columns)..]);
        }
    }

    /// <summary>The events of an accepted step, and what they make of it; null where there are none.</summary>
    /// <param name="step">The step.</param>
    /// <param name="clock">Says which lanes it moves, and how far.</param>
    /// <param name="complete">Extends it, for its dense output.</param>
    public StepCut? Cut(StepAttempt step, LaneClock clock, Action complete)
    {
        double[] times = [.. step.Geometry.Times.Zip(step.Geometry.Steps, (time, h) => time + h)];
        var (values, rates) = Watch(step.EndTime.expand(_lanes), step.After, AllLanes(), times, isBefore: true);
        var found = Found(Searches(clock.Moves, values, rates), step, complete);
        var fired = Earliest(found, step.Geometry, clock, values, rates);
        for (var lane = 0; lane < _lanes; lane++)
            if (clock.Moves[lane] && fired[lane] is null)
                Settle(lane, values, rates, lane);
        int[] lanes = [.. Enumerable.Range(0, _lanes).Where(lane => fired[lane] is not null)];
        if (lanes.Length == 0) return null;
        complete();
        return Act(step, lanes, [.. lanes.Select(lane => fired[lane]!.Value)]);
    }

    // Finding

    private IReadOnlyList<EventSearch> Searches(bool[] moves, double[] values, double[] rates)
    {
        var searches = new List<EventSearch>();
        for (var lane = 0; lane < _lanes; lane++)
            for (var column = 0; moves[lane] && column < Columns; column++)
            {
                var i = lane * Columns + column;
                if (_rules.Search(lane, column, _sides[i], (_values[i], values[i]), (_rates[i], rates[i])) is { } search) searches.Add(search);
            }

        return searches;
    }

    /// <summary>Runs all searches side by side, each round one evaluation of the dense output.</summary>
    private IEnumerable<EventSearch> Found(IReadOnlyList<EventSearch> searches, StepAttempt step, Action complete)
    {
        if (searches.Count > 0) complete();
        while (searches.Where(search => !search.IsDone).ToArray() is { Length: > 0 } open)
        {
            using var scope = NewDisposeScope();
            int[] lanes = [.. open.Select(search => search.Lane)];
            double[] thetas = [.. open.Select(search => search.Theta)];
            double[] times = [.. lanes.Zip(thetas, (lane, theta) => TimeAt(step.Geometry, lane, theta))];
            var (values, rates) = Watch(HostVector.Like(times, step.State), DenseOutput.States(step, _lanes, lanes, thetas), lanes, times, isBefore: true);
            for (var row = 0; row < open.Length; row++)
                open[row].Tell(values[row * Columns + open[row].Column], rates[row * Columns + open[row].Column]);
        }

        return searches.Where(search => search.IsFound);
    }

    /// <summary>By lane the first time at which events happen; null where none do.</summary>
    private EventArrival?[] Earliest(
        IEnumerable<EventSearch> found, StepGeometry geometry, LaneClock clock, double[] values, double[] rates)
    {
        var arrivals = new EventArrival?[_lanes];
        var byLane = found.ToLookup(search => search.Lane);
        for (var lane = 0; lane < _lanes; lane++)
        {
            if (!clock.Moves[lane]) continue;
            var step = new LaneStep(geometry.Times[lane], geometry.Steps[lane], clock.Target(lane));
            var timed = _timed.IsAtEnd(lane, step.Target) ? _timed.At(step.Target) : null;
            var own = (lane * Columns)..((lane + 1) * Columns);
            arrivals[lane] = _rules.Earliest(step, [.. byLane[lane]], timed, _sides.AsSpan(own), values.AsSpan(own), rates.AsSpan(own));
        }

        return arrivals;
    }

    // Acting

    private StepCut Act(StepAttempt step, int[] lanes, EventArrival[] fired)
    {
        double[] thetas = [.. fired.Select(f => f.Theta)], times = [.. fired.Select(f => f.Time)];
        var moments = new EventMoments(lanes, thetas, times, [.. fired.Select(f => f.Which)], [.. lanes.Select(Log.CountOf)]);
        var outcome = _actions.Act(step, moments);
        var record = outcome.Record;
        foreach (var firing in record.Firings) Note(firing);
        for (var row = 0; row < lanes.Length; row++)
        {
            Log.AddMoment(lanes[row], times[row]);
            _timed.Pass(lanes[row], times[row]);
        }

        SettleCut(lanes, fired, step, outcome.Before, record.After);
        return new StepCut(record, record.AfterAll(), Endings(lanes, fired, outcome.IsFinite));
    }

    private void Note(Firing firing)
    {
        var (before, after) = (HostVector.ToHost(firing.Before.contiguous()), HostVector.ToHost(firing.After.contiguous()));
        var width = before.Length / firing.Lanes.Length;
        for (var row = 0; row < firing.Lanes.Length; row++)
        {
            var own = (row * width)..((row + 1) * width);
            Log.Add(firing.Lanes[row], firing.Which, firing.Times[row], before[own], after[own]);
        }
    }

    /// <summary>How lanes end: by an event that stops them, by events without end, or by one that gives no number.</summary>
    private SolveStatus?[] Endings(int[] lanes, EventArrival[] fired, bool[] isFinite)
    {
        var endings = new SolveStatus?[_lanes];
        for (var row = 0; row < lanes.Length; row++)
            endings[lanes[row]] = _actions.Unsolved.Contains(lanes[row])
                ? SolveStatus.ConstraintsUnsolved
                : _rules.Ending(fired[row].Which, isFinite[row], Log.IsEndless(lanes[row]));
        return endings;
    }

    // Sides

    /// <summary>The sides of the lanes that events have cut, from the states after them.</summary>
    private void SettleCut(int[] lanes, EventArrival[] fired, StepAttempt step, Tensor before, Tensor state)
    {
        double[] times = [.. fired.Select(f => f.Time)];
        var vector = HostVector.Like(times, step.State);
        var (were, _) = Watch(vector, before, lanes, times, isBefore: true);
        var (values, rates) = Watch(vector, state, lanes, times, isBefore: false);
        for (var row = 0; row < lanes.Length; row++)
            for (var column = 0; column < Columns; column++)
            {
                var (own, i) = (lanes[row] * Columns + column, row * Columns + column);
                var isOwn = fired[row].Which.Contains(_rules.Roots[column]);
                (_sides[own], _values[own]) = _rules.Behind(isOwn, _sides[own], _values[own], were[i], values[i], rates[i]);
                _rates[own] = rates[i];
            }
    }

    /// <summary>The sides of a lane at the end of a step that nothing has cut: a value of zero leaves them.</summary>
    private void Settle(int lane, double[] values, double[] rates, int row)
    {
        for (var column = 0; column < Columns; column++)
        {
            var (own, i) = (lane * Columns + column, row * Columns + column);
            (_values[own], _rates[own]) = (values[i], rates[i]);
            if (values[i] is > 0 or < 0) _sides[own] = Math.Sign(values[i]);
        }
    }

    // Values

    private int[] AllLanes() => [.. Enumerable.Range(0, _lanes)];

    /// <summary>What is watched and its derivative in the direction of the solve, [rows, columns].</summary>
    private (double[] Values, double[] Rates) Watch(Tensor times, Tensor states, int[] lanes, double[] at, bool isBefore)
    {
        if (Columns == 0) return ([], []);
        using var scope = NewDisposeScope();
        var values = HostVector.ToHost(_equations.EventValues(times, states).contiguous());
        var rates = HostVector.ToHost(Rates(times, states, _kernel.Argument(states, lanes, at, isBefore)).contiguous());
        for (var i = 0; i < rates.Length; i++) rates[i] *= _span.Of(lanes[i / Columns]).Direction;
        return (values, rates);
    }

    /// <summary>The derivatives of what is watched along the solution: to those that the equations give comes what algebraic entries add.</summary>
    private Tensor Rates(Tensor times, Tensor states, Tensor argument)
    {
        var rates = _equations.EventRates(times, argument);
        if (_kernel.Constraints is not { } constraints) return rates;
        var derivative = constraints.AlgebraicDerivative(times, states);
        var nothing = new ParameterGradients(_equations.Parameters, _ => false);
        var ofAlgebraic = _rules.Roots.Select((_, column) =>
        {
            var unit = zeros_like(rates);
            unit.select(-1, column).fill_(Scalars.One);
            return _equations.EventValuesVjp(times, states, unit, nothing).mul(derivative).sum(-1);
        });
        return rates.add(stack([.. ofAlgebraic], -1), Scalars.One);
    }

    private static double TimeAt(StepGeometry geometry, int lane, double theta) => geometry.Times[lane] + theta * geometry.Steps[lane];
}
