using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// The events of a solve: finds those that an accepted step has come across, lane by lane, cuts the step there, and lets them act.
/// </summary>
/// <remarks>
/// What is watched has a side of zero in every lane, from which an event sees it pass. An event that has just acted leaves its value
/// at zero, up to rounding, unless it has changed it; the side is then that to which the value goes. So an event does not happen
/// again by rounding at its own root, and does where the value turns. Roots are looked for on the step's dense output, whose state
/// there is the state before the event: Shampine and Thompson (2000), Event location for ordinary differential equations, Computers
/// and Mathematics with Applications 39.
/// </remarks>
internal sealed class LaneEvents
{
    /// <summary>Roots this many roundings of the time apart are at one time.</summary>
    private const double AtOnce = 16;

    private readonly OdeEquations _equations;
    private readonly StepKernel _kernel;
    private readonly SolveSpan _span;
    private readonly IReadOnlyList<EventSpec> _events;
    private readonly int[] _roots;          // the events that watch a value, by column
    private readonly TimedEvents _timed;
    private readonly double _precision;
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
        (_equations, _kernel, _span, _events) = (problem.Equations, kernel, problem.Span, problem.Equations.Events);
        _lanes = (int)state.size(0);
        _roots = [.. Enumerable.Range(0, _events.Count).Where(i => _events[i].IsRoot)];
        _timed = new TimedEvents(_events, _span, _lanes);
        _precision = state.dtype == ScalarType.Float64 ? Math.BitIncrement(1.0) - 1 : MathF.BitIncrement(1f) - 1;
        _sides = new int[_lanes * _roots.Length];
        _actions = new EventActions(problem, kernel, _lanes);
        Log = new EventLog(_events, _lanes, _span);
    }

    /// <summary>What has happened.</summary>
    public EventLog Log { get; }

    /// <summary>The times that no lane may step over.</summary>
    public double[] Limits => _timed.Limits;

    /// <summary>The steps of a planned attempt that begin or end at the time of an event; null where none does.</summary>
    public StepBreaks? Breaks(LaneClock clock) => _timed.Breaks(clock);

    /// <summary>Takes the sides at the start.</summary>
    public void Start(Tensor time, Tensor state)
    {
        double[] times = [.. AllLanes().Select(lane => _span.Of(lane).Start)];
        (_values, _rates) = Watch(time.expand(_lanes), state, AllLanes(), times, isBefore: false);
        for (var i = 0; i < _sides.Length; i++) _sides[i] = SideOf(_values[i], _rates[i]);
    }

    /// <summary>What is watched of a lane, and when its events at given times come.</summary>
    public double[] Memory(int lane)
    {
        var own = (lane * _roots.Length)..((lane + 1) * _roots.Length);
        return [.. _sides[own].Select(side => (double)side), .. _values[own], .. _rates[own], .. _timed.Memory(lane)];
    }

    /// <summary>Lets all lanes go on from what was kept of them.</summary>
    /// <param name="ofLanes">Lane by lane, <see cref="Memory"/>.</param>
    /// <param name="toldUpTo">Up to when their events have been told.</param>
    public void Recall(double[][] ofLanes, double[] toldUpTo)
    {
        Log.ToldUpTo = toldUpTo;
        var columns = _roots.Length;
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
            for (var column = 0; moves[lane] && column < _roots.Length; column++)
            {
                var i = lane * _roots.Length + column;
                if (EventSearch.Of(
                    lane, column, _events[_roots[column]].Kind, _sides[i], (_values[i], values[i]), (_rates[i], rates[i]), _precision) is { } search)
                    searches.Add(search);
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
                open[row].Tell(values[row * _roots.Length + open[row].Column], rates[row * _roots.Length + open[row].Column]);
        }

        return searches.Where(search => search.IsFound);
    }

    /// <summary>By lane the first time at which an event happens, with the events of that time; null where none does.</summary>
    private (double Theta, double Time, int[] Which)?[] Earliest(
        IEnumerable<EventSearch> found, StepGeometry geometry, LaneClock clock, double[] values, double[] rates)
    {
        var fired = new (double, double, int[])?[_lanes];
        var byLane = found.ToLookup(search => search.Lane);
        for (var lane = 0; lane < _lanes; lane++)
        {
            var roots = byLane[lane].ToArray();
            if (!clock.Moves[lane]) continue;
            var isTimed = clock.Target(lane) == Limits[lane];
            if (roots.Length == 0 && !isTimed) continue;
            var first = isTimed ? roots.Select(search => search.Theta).Append(1).Min() : roots.Min(search => search.Theta);
            var rounding = AtOnce * Rounding(geometry, lane);
            var timed = isTimed && 1 - first <= rounding;
            if (timed) first = 1;
            var which = roots.Where(search => search.Theta - first <= rounding).Select(search => _roots[search.Column]);
            if (timed) which = which.Concat(_timed.At(Limits[lane])).Concat(JustBehind(lane, values, rates, rounding * Math.Abs(geometry.Steps[lane])));
            fired[lane] = (first, first == 1 ? clock.Target(lane) : TimeAt(geometry, lane, first), [.. which.Distinct().Order()]);
        }

        return fired;
    }

    /// <summary>The events whose roots lie behind the end of the step by rounding alone.</summary>
    private IEnumerable<int> JustBehind(int lane, double[] values, double[] rates, double rounding)
    {
        for (var column = 0; column < _roots.Length; column++)
        {
            var (value, rate, side) = (values[lane * _roots.Length + column], rates[lane * _roots.Length + column], _sides[lane * _roots.Length + column]);
            if (side * value > 0 && side * rate < 0 && Math.Abs(value) <= Math.Abs(rate) * rounding && EventSearch.Matches(_events[_roots[column]].Kind, side))
                yield return _roots[column];
        }
    }

    /// <summary>One rounding of the time in the state's type, as a part of the step.</summary>
    private double Rounding(StepGeometry geometry, int lane)
    {
        var (time, step) = (geometry.Times[lane], geometry.Steps[lane]);
        return _precision * Math.Max(Math.Abs(time), Math.Abs(time + step)) / Math.Abs(step);
    }

    // Acting

    private StepCut Act(StepAttempt step, int[] lanes, (double Theta, double Time, int[] Which)[] fired)
    {
        double[] thetas = [.. fired.Select(f => f.Theta)], times = [.. fired.Select(f => f.Time)];
        var moments = new EventMoments(lanes, thetas, times, [.. fired.Select(f => f.Which)], [.. lanes.Select(Log.CountOf)]);
        var outcome = _actions.Act(step, moments);
        var record = outcome.Record;
        foreach (var firing in record.Firings) Log.Add(firing);
        for (var row = 0; row < lanes.Length; row++)
        {
            Log.AddMoment(lanes[row], times[row]);
            _timed.Pass(lanes[row], times[row]);
        }

        SettleCut(lanes, fired, step, outcome.Before, record.After);
        return new StepCut(record, record.AfterAll(), Endings(lanes, fired, outcome.IsFinite));
    }

    /// <summary>How lanes end: by an event that stops them, by events without end, or by one that gives no number.</summary>
    private SolveStatus?[] Endings(int[] lanes, (double Theta, double Time, int[] Which)[] fired, bool[] isFinite)
    {
        var endings = new SolveStatus?[_lanes];
        for (var row = 0; row < lanes.Length; row++)
            endings[lanes[row]] =
                _actions.Unsolved.Contains(lanes[row]) ? SolveStatus.ConstraintsUnsolved
                : !isFinite[row] ? SolveStatus.NonFinite
                : Array.Exists(fired[row].Which, which => _events[which].Stops) ? SolveStatus.Stopped
                : Log.IsEndless(lanes[row]) ? SolveStatus.EndlessEvents
                : null;
        return endings;
    }

    // Sides

    /// <summary>The sides of the lanes that events have cut, from the states after them.</summary>
    private void SettleCut(int[] lanes, (double Theta, double Time, int[] Which)[] fired, StepAttempt step, Tensor before, Tensor state)
    {
        double[] times = [.. fired.Select(f => f.Time)];
        var vector = HostVector.Like(times, step.State);
        var (were, _) = Watch(vector, before, lanes, times, isBefore: true);
        var (values, rates) = Watch(vector, state, lanes, times, isBefore: false);
        for (var row = 0; row < lanes.Length; row++)
            for (var column = 0; column < _roots.Length; column++)
            {
                var (own, i) = (lanes[row] * _roots.Length + column, row * _roots.Length + column);
                var size = Math.Max(Math.Abs(_values[own]), Math.Abs(were[i]));
                var isAtRoot = fired[row].Which.Contains(_roots[column]) && Math.Abs(values[i]) <= 2 * Math.Abs(were[i]) + 8 * _precision * size;
                var side = SideOf(isAtRoot ? 0 : values[i], rates[i]);
                (_sides[own], _values[own], _rates[own]) = (isAtRoot && side == 0 ? -_sides[own] : side, isAtRoot ? 0 : values[i], rates[i]);
            }
    }

    /// <summary>The sides of a lane at the end of a step that nothing has cut: a value of zero leaves them.</summary>
    private void Settle(int lane, double[] values, double[] rates, int row)
    {
        for (var column = 0; column < _roots.Length; column++)
        {
            var (own, i) = (lane * _roots.Length + column, row * _roots.Length + column);
            (_values[own], _rates[own]) = (values[i], rates[i]);
            if (values[i] is > 0 or < 0) _sides[own] = Math.Sign(values[i]);
        }
    }

    /// <summary>The side of zero that a value is on, or goes to.</summary>
    private static int SideOf(double value, double rate) => value is > 0 or < 0 ? Math.Sign(value) : rate is > 0 or < 0 ? Math.Sign(rate) : 0;

    // Values

    private int[] AllLanes() => [.. Enumerable.Range(0, _lanes)];

    /// <summary>What is watched and its derivative in the direction of the solve, [rows, columns].</summary>
    private (double[] Values, double[] Rates) Watch(Tensor times, Tensor states, int[] lanes, double[] at, bool isBefore)
    {
        if (_roots.Length == 0) return ([], []);
        using var scope = NewDisposeScope();
        var values = HostVector.ToHost(_equations.EventValues(times, states).contiguous());
        var rates = HostVector.ToHost(Rates(times, states, _kernel.Argument(states, lanes, at, isBefore)).contiguous());
        for (var i = 0; i < rates.Length; i++) rates[i] *= _span.Of(lanes[i / _roots.Length]).Direction;
        return (values, rates);
    }

    /// <summary>The derivatives of what is watched along the solution: to those that the equations give comes what algebraic entries add.</summary>
    private Tensor Rates(Tensor times, Tensor states, Tensor argument)
    {
        var rates = _equations.EventRates(times, argument);
        if (_kernel.Constraints is not { } constraints) return rates;
        var derivative = constraints.AlgebraicDerivative(times, states);
        var nothing = new ParameterGradients(_equations.Parameters, _ => false);
        var ofAlgebraic = _roots.Select((_, column) =>
        {
            var unit = zeros_like(rates);
            unit.select(-1, column).fill_(Scalars.One);
            return _equations.EventValuesVjp(times, states, unit, nothing).mul(derivative).sum(-1);
        });
        return rates.add(stack([.. ofAlgebraic], -1), Scalars.One);
    }

    private static double TimeAt(StepGeometry geometry, int lane, double theta) => geometry.Times[lane] + theta * geometry.Steps[lane];
}
