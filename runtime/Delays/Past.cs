using DiffEqLang.Tableaux;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>Where a lane's delayed state is read: at <see cref="Theta"/> of a step, or, where there is none, before the start.</summary>
/// <param name="Step">The step's number; -1 before the start.</param>
/// <param name="Theta">The place in it, in [0, 1].</param>
/// <param name="Time">The time.</param>
internal readonly record struct PastPlace(int Step, double Theta, double Time);

/// <summary>
/// The past of a solve, from which delayed states are read: the dense output of its steps, and the history before them. Every lane has
/// its own time. Owns its tensors.
/// </summary>
/// <remarks>
/// The method of steps: no step is longer than the smallest delay, so that a step never asks for itself. Bellen and Zennaro (2003),
/// Numerical Methods for Delay Differential Equations, ch. 3.
/// </remarks>
internal sealed class Past : IDisposable
{
    /// <summary>A step as it is read: what is zero in <paramref name="Steps"/> did not move.</summary>
    private sealed record Step(double[] Times, double[] Steps, double Scale, Tensor State, Tensor Slopes);

    private readonly OdeEquations _equations;
    private readonly RungeKuttaTableau _tableau;
    private readonly SolveSpan _span;
    private readonly int _lanes;
    private readonly bool _keepsAll;
    private readonly Tensor _initial;       // [samples, N]
    private readonly List<Step> _steps = [];

    /// <param name="problem">What is solved.</param>
    /// <param name="initial">The state at the start, [samples, N]; copied.</param>
    /// <param name="lanes">How many lanes there are.</param>
    /// <param name="keepsAll">Whether all steps are kept, for the adjoint, or those that a delay can still ask for.</param>
    public Past(OdeProblem problem, Tensor initial, int lanes, bool keepsAll)
        : this(problem.Equations, problem.Tableau, problem.Delays, problem.Span, initial.clone().DetachFromDisposeScope(), lanes, keepsAll)
    {
    }

    private Past(
        OdeEquations equations, RungeKuttaTableau tableau, IReadOnlyList<Delay> delays, SolveSpan span, Tensor initial, int lanes, bool keepsAll)
    {
        (_equations, _tableau, Delays, _span, _initial, _lanes, _keepsAll) = (equations, tableau, delays, span, initial, lanes, keepsAll);
        (Least, Most) = (delays.Min(delay => delay.Value), delays.Max(delay => delay.Value));
    }

    /// <summary>The delays of the equations.</summary>
    public IReadOnlyList<Delay> Delays { get; }

    /// <summary>The smallest delay, which no step exceeds.</summary>
    public double Least { get; }

    /// <summary>The largest delay, beyond which nothing is asked for.</summary>
    public double Most { get; }

    /// <summary>The initial state, which is the past of a state without history: [samples, N].</summary>
    public Tensor Initial => _initial;

    /// <summary>A state followed by what the equations ask for of the past: what they take in its place, [samples, N + size of all delays].</summary>
    public Tensor Behind(Tensor state, StepGeometry geometry, int stage) =>
        cat([state, .. Delays.Select(delay => delay.PartsOf(StateAt(PlacesOf(delay, geometry, stage))))], -1);

    /// <summary>Adds a step whose stages are all there. Lanes that did not move have step zero.</summary>
    /// <param name="moved">Where it lies, by the lanes that moved.</param>
    /// <param name="step">The step, extended.</param>
    /// <param name="clock">The times that the lanes have reached, and which of them have ended, so that they ask for nothing any more.</param>
    public void Add(StepGeometry moved, StepAttempt step, LaneClock clock)
    {
        var state = step.State.alias().DetachFromDisposeScope();
        _steps.Add(new Step(moved.Times, moved.Steps, step.Geometry.Scale, state, step.Increments().DetachFromDisposeScope()));
        while (!_keepsAll && _steps.Count > 1 && IsForgotten(clock)) Forget();
    }

    /// <summary>The same for the states of some lanes, row by row, at times of their own.</summary>
    /// <param name="states">[rows, N].</param>
    /// <param name="lanes">The lane of each row.</param>
    /// <param name="times">The time of each row.</param>
    /// <param name="isBefore">Whether what is read at a break is what comes before it.</param>
    public Tensor Behind(Tensor states, int[] lanes, double[] times, bool isBefore) =>
        cat([states, .. Delays.Select(delay => delay.PartsOf(StateAt(PlacesOf(delay, lanes, times, isBefore), lanes)))], -1);

    /// <summary>Where each lane reads a delayed state at a stage of a step.</summary>
    /// <remarks>
    /// The solution is smooth inside a step and what the step reads is too: where that ends at a break, up to rounding, it is read on the
    /// side of the step's middle. A lane at rest reads what comes after.
    /// </remarks>
    public PastPlace[] PlacesOf(Delay delay, StepGeometry geometry, int stage)
    {
        var (node, places) = (_tableau.C[stage], new PastPlace[_lanes]);
        for (var lane = 0; lane < _lanes; lane++)
        {
            var (start, step) = (geometry.Times[lane], geometry.Steps[lane]);
            places[lane] = PlaceOf(lane, start + node * step - delay.Value, step != 0 && node > 0.5 ? -RoundingOf(start) : RoundingOf(start));
        }

        return places;
    }

    /// <summary>The states at a place of each lane: [samples, N]; or of some lanes, row by row: [rows, N].</summary>
    public Tensor StateAt(PastPlace[] places, int[]? lanes = null) => Read(
        places,
        lanes,
        (times, initial) => _equations.History(times, initial),
        (step, rows, thetas) => DenseOutput.States(
            step.State, step.Slopes, _lanes, IndexOrAll(rows), [.. thetas.Select(theta => Scaled(_tableau.DenseWeights(theta), step.Scale))]));

    /// <summary>Their derivatives by time: [samples, N].</summary>
    public Tensor SlopeAt(PastPlace[] places) => Read(
        places,
        null,
        (times, initial) => _equations.HistoryRate(times, initial),
        (step, lanes, thetas) =>
        {
            double[][] weights = [.. thetas.Select(theta => Scaled(_tableau.DenseSlopes(theta), step.Scale))];
            var increments = DenseOutput.Increments(step.Slopes, _lanes, IndexOrAll(lanes), weights);
            double[] steps = lanes is null ? step.Steps : [.. lanes.Select(lane => step.Steps[lane])];
            return increments.div_(HostVector.ToDevice(steps, [steps.Length, 1], increments.dtype, increments.device));
        });

    private static double[] Scaled(double[] weights, double scale) => [.. weights.Select(weight => weight * scale)];

    /// <summary>The same past of some lanes only, in tensors of its own.</summary>
    public Past Select(int[] lanes)
    {
        using var index = HostVector.Index(lanes, _initial.device);
        var part = new Past(_equations, _tableau, Delays, _span.Select(lanes), _initial.index_select(0, index).DetachFromDisposeScope(), lanes.Length, _keepsAll);
        foreach (var step in _steps)
            part._steps.Add(new Step(
                [.. lanes.Select(lane => step.Times[lane])], [.. lanes.Select(lane => step.Steps[lane])], step.Scale,
                step.State.index_select(0, index).DetachFromDisposeScope(), step.Slopes.index_select(1, index).DetachFromDisposeScope()));
        return part;
    }

    /// <summary>The times of places, as the equations take them: [] for a coupled batch, else [places].</summary>
    public Tensor TimesOf(IReadOnlyList<PastPlace> places) =>
        HostVector.ToDevice([.. places.Select(place => place.Time)], _lanes == 1 ? [] : [places.Count], _initial.dtype, _initial.device);

    /// <summary>Where rows of some lanes read a delayed state.</summary>
    private PastPlace[] PlacesOf(Delay delay, int[] lanes, double[] times, bool isBefore) =>
        [.. lanes.Zip(times, (lane, time) => PlaceOf(lane, time - delay.Value, isBefore ? -RoundingOf(time) : RoundingOf(time)))];

    /// <summary>The place of a time that lies in the past: at a break, on the side that lies in a direction.</summary>
    private PastPlace PlaceOf(int lane, double time, double direction)
    {
        var start = _span.Of(lane).Start;
        return time + direction < start ? new(-1, 0, Math.Min(time, start)) : Find(lane, Math.Max(time, start), direction);
    }

    private static double RoundingOf(double time) => Discontinuities.RoundingOf(time);

    private PastPlace Find(int lane, double time, double direction)
    {
        var (low, high) = (0, _steps.Count);     // the first step that begins later is in between
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_steps[middle].Times[lane] <= time + direction) low = middle + 1;
            else high = middle;
        }

        var found = low - 1;
        while (found >= 0 && _steps[found].Steps[lane] == 0) found--;    // where the lane has ended
        return found < 0
            ? new(-1, 0, Math.Min(time, _span.Of(lane).Start))
            : new(found, Math.Clamp((time - _steps[found].Times[lane]) / _steps[found].Steps[lane], 0, 1), time);
    }

    /// <summary>Asks for all lanes at once where they read the same place of one step, else step by step.</summary>
    private Tensor Read(PastPlace[] places, int[]? lanes, Func<Tensor, Tensor, Tensor> before, Func<Step, int[]?, double[], Tensor> within)
    {
        if (lanes is null && Array.TrueForAll(places, place => place == places[0]))
            return places[0].Step < 0
                ? before(TimesOf(places), _initial).expand_as(_initial)
                : within(_steps[places[0].Step], null, [places[0].Theta]).view(_initial.shape);
        var result = empty([places.Length, _initial.size(1)], _initial.dtype, _initial.device);
        foreach (var group in places.Index().GroupBy(place => place.Item.Step))
        {
            PastPlace[] own = [.. group.Select(place => place.Item)];
            int[] ofRows = [.. group.Select(place => lanes?[place.Index] ?? place.Index)];
            var values = group.Key < 0
                ? before(TimesOf(own), _initial.index_select(0, HostVector.Index(ofRows, _initial.device)))
                : within(_steps[group.Key], ofRows, [.. own.Select(place => place.Theta)]);
            result.index_copy_(0, HostVector.Index(group.Select(place => place.Index), _initial.device), values.expand(own.Length, _initial.size(1)));
        }

        return result;
    }

    private Tensor? IndexOrAll(int[]? lanes) => lanes is null ? null : HostVector.Index(lanes, _initial.device);

    /// <summary>Whether no lane that goes on can ask for the first step again.</summary>
    private bool IsForgotten(LaneClock clock)
    {
        for (var lane = 0; lane < _lanes; lane++)
            if (clock.Status[lane] is null && _steps[1].Times[lane] > clock.Time[lane] - Most)
                return false;
        return true;
    }

    private void Forget()
    {
        Dispose(_steps[0]);
        _steps.RemoveAt(0);
    }

    private static void Dispose(Step step)
    {
        step.State.Dispose();
        step.Slopes.Dispose();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var step in _steps) Dispose(step);
        _initial.Dispose();
    }
}
