using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// The adjoint of <see cref="Past"/>: what the backward pass finds of a delayed state waits for the step that it was read from, which
/// comes later in that pass, and enters there as the cotangent of a saved state does. What was read before the start goes to the history's
/// parameters or to the initial state at once. A delay's own gradient is -wᵀ dx/dt where it was read.
/// </summary>
internal sealed class PastAdjoint
{
    /// <summary>The adjoint of a state read from a step, [samples, N], and the lanes that read it there, at which place.</summary>
    private sealed record Reading(Tensor Adjoint, (int Lane, double Theta)[] Rows);

    private readonly RungeKuttaKernel _kernel;
    private readonly OdeTape _tape;
    private readonly Past _past;
    private readonly ParameterGradients _into;
    private readonly int _lanes;
    private readonly int[] _parameters;                             // of each delay its place among the parameters; -1 where no gradient is wanted
    private readonly Dictionary<int, List<Reading>> _waiting = [];
    private readonly Dictionary<int, Tensor> _arrivals = [];        // of each cut step, [lanes]

    /// <param name="kernel">What evaluated the equations that were solved.</param>
    /// <param name="tape">Its steps, with their past.</param>
    /// <param name="into">The parameters' gradients.</param>
    public PastAdjoint(RungeKuttaKernel kernel, OdeTape tape, ParameterGradients into)
    {
        (_kernel, _tape, _past, _into, _lanes) = (kernel, tape, tape.Past!, into, tape.Lanes);
        _parameters = [.. _past.Delays.Select(delay => PlaceOf(delay, kernel.Equations.Parameters, into))];
        Initial = zeros_like(_past.Initial).DetachFromDisposeScope();
    }

    /// <summary>d loss / d initial state where that is the past: [samples, N], in no dispose scope.</summary>
    public Tensor Initial { get; }

    /// <summary>Takes the delayed states' part of an adjoint at a stage, [samples, N + M], and gives the state's: [samples, N].</summary>
    public Tensor Take(Tensor adjoint, StepGeometry geometry, int stage)
    {
        var width = _past.Initial.size(1);
        var all = adjoint.expand(_past.Initial.size(0), -1);
        var offset = width;
        for (var i = 0; i < _past.Delays.Count; i++)
        {
            var delay = _past.Delays[i];
            var ofDelayed = delay.Spread(all.narrow(-1, offset, delay.Size), width);
            Enter(ofDelayed, _past.PlacesOf(delay, geometry, stage), i);
            offset += delay.Size;
        }

        return all.narrow(-1, 0, width);
    }

    /// <summary>What was read from a step, as cotangents of its dense output; null where nothing was.</summary>
    /// <param name="step">The step's number.</param>
    /// <param name="scale">The factor of the step's dense output.</param>
    public SaveCotangents? Of(int step, double scale)
    {
        if (!_waiting.Remove(step, out var readings)) return null;
        var isEveryLane = readings.TrueForAll(IsOfAllLanes);
        var rows = readings.Index()
            .SelectMany(read => (isEveryLane ? read.Item.Rows[..1] : read.Item.Rows).Select(row => (row.Lane, read.Index, row.Theta)))
            .ToArray();
        var places = new SaveRows([.. rows.Select(row => row.Lane)], [.. rows.Select(row => row.Index)], [.. rows.Select(row => row.Theta)], isEveryLane);
        var cotangents = stack([.. readings.Select(reading => reading.Adjoint)]);
        foreach (var reading in readings) reading.Adjoint.Dispose();
        return new SaveCotangents(places, places.Weights(_kernel.Tableau, scale), cotangents, _lanes);
    }

    /// <summary>
    /// A jump of the past arrives a delay later, and there the right-hand side jumps: with the time of the jump and with the delay moves what
    /// it has before less what it has behind. To be called where a step has been reversed that may begin there.
    /// </summary>
    /// <param name="number">The step's number.</param>
    /// <param name="adjoint">λ at its start, [samples, N].</param>
    public void MoveJumps(int number, Tensor adjoint)
    {
        var end = _kernel.Tableau.EndStage;
        var (geometry, before) = (_tape.Step(number).Geometry.Anew(), _tape.Step(number - 1).Geometry.Anew());
        for (var i = 0; i < _past.Delays.Count; i++)
        {
            var (places, earlier) = (_past.PlacesOf(_past.Delays[i], geometry, 0), _past.PlacesOf(_past.Delays[i], before, end));
            bool[] crosses = [.. Enumerable.Range(0, _lanes).Select(lane => IsJump(lane, earlier[lane], places[lane]))];
            if (!crosses.Contains(true)) continue;
            var change = Drift(before, end).sub(Drift(geometry, 0)).mul(adjoint).view(_lanes, -1).sum(1);
            change.mul_(HostVector.ToDevice([.. crosses.Select(yes => yes ? 1.0 : 0.0)], [_lanes], change.dtype, change.device));
            if (_parameters[i] >= 0) _into.Add(_parameters[i], change.sum());
            for (var lane = 0; lane < _lanes; lane++)
                if (crosses[lane] && earlier[lane].Step >= 0)
                    ArrivalsAt(earlier[lane].Step).select(0, lane).add_(change.select(0, lane), Scalars.One);
        }

        Tensor Drift(StepGeometry at, int stage) => _kernel.Drift(at, stage, _tape.Step(number).State, out _);
    }

    /// <summary>Whether a lane's state jumps between two places that it reads: where history and first step meet, or at an event.</summary>
    private bool IsJump(int lane, PastPlace before, PastPlace after) =>
        after.Step > before.Step
        && (before.Step < 0 || (_tape.Step(before.Step).Events is { } events && Array.BinarySearch(events.Rows.Lane, lane) >= 0));

    /// <summary>
    /// What the times of the events that cut a step have of moving the arrivals of their jumps, [lanes]; null: nothing. The caller's from now on.
    /// </summary>
    public Tensor? ArrivalsOf(int step) => _arrivals.Remove(step, out var arrivals) ? arrivals : null;

    private Tensor ArrivalsAt(int step)
    {
        if (!_arrivals.TryGetValue(step, out var arrivals))
            _arrivals.Add(step, arrivals = zeros([_lanes], _past.Initial.dtype, _past.Initial.device).DetachFromDisposeScope());
        return arrivals;
    }

    private void Enter(Tensor adjoint, PastPlace[] places, int delay)
    {
        if (_parameters[delay] >= 0) _into.Add(_parameters[delay], _past.SlopeAt(places).mul(adjoint).sum().neg());
        foreach (var group in places.Index().GroupBy(place => place.Item.Step))
            if (group.Key < 0)
                EnterHistory(adjoint, [.. group]);
            else
                Wait(group.Key, new Reading(adjoint.alias().DetachFromDisposeScope(), [.. group.Select(place => (place.Index, place.Item.Theta))]));
    }

    private void EnterHistory(Tensor adjoint, (int Index, PastPlace Item)[] places)
    {
        var time = _past.TimesOf([.. places.Select(place => place.Item)]);
        if (_lanes == 1)
        {
            Initial.add_(_kernel.Equations.HistoryVjp(time, _past.Initial, adjoint, _into), Scalars.One);
            return;
        }

        var index = HostVector.Index(places.Select(place => place.Index), adjoint.device);
        var initial = _past.Initial.index_select(0, index);
        var ofInitial = _kernel.Equations.HistoryVjp(time, initial, adjoint.index_select(0, index), _into);
        Initial.index_add_(0, index, ofInitial.expand_as(initial), Scalars.One);
    }

    private void Wait(int step, Reading reading)
    {
        if (!_waiting.TryGetValue(step, out var readings)) _waiting.Add(step, readings = []);
        readings.Add(reading);
    }

    private bool IsOfAllLanes(Reading reading) =>
        reading.Rows.Length == _lanes && Array.TrueForAll(reading.Rows, row => row.Theta == reading.Rows[0].Theta);

    /// <summary>The delay's place among the parameters; -1 where no gradient is wanted.</summary>
    private static int PlaceOf(Delay delay, IReadOnlyList<Tensor> parameters, ParameterGradients into)
    {
        for (var i = 0; i < parameters.Count; i++)
            if (ReferenceEquals(parameters[i], delay.Source) && into.Wants(i))
                return i;
        return -1;
    }
}
