using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// Collects the states at given times through the dense output of the steps that cross them, and, where gradients flow to
/// the times, the derivatives there.
/// </summary>
internal sealed class SavedStates
{
    private readonly SolveSpan _span;
    private readonly double[][] _times; // of each lane
    private readonly int _count, _lanes;
    private readonly int[] _final;      // of each lane: from here on the saved times are the end itself
    private readonly int[] _next;       // of each lane: the first time not yet saved

    /// <param name="span">Over which the lanes are solved, and the times.</param>
    /// <param name="state">The initial state: [samples, N].</param>
    /// <param name="lanes">How many lanes step on their own.</param>
    /// <param name="withSlopes">Whether derivatives are saved, too.</param>
    public SavedStates(SolveSpan span, Tensor state, int lanes, bool withSlopes)
    {
        (_span, _count, _lanes, _next) = (span, span.Count, lanes, new int[lanes]);
        _times = [.. Enumerable.Range(0, lanes).Select(lane => span.Of(lane).Times!)];
        _final = [.. _times.Select((times, lane) => Array.FindLastIndex(times, time => time != span.Of(lane).End) + 1)];
        long[] shape = [_count, state.size(0), state.size(1)];
        Values = empty(shape, state.dtype, state.device);
        Slopes = withSlopes ? zeros(shape, state.dtype, state.device) : null;
    }

    /// <summary>The states: [times, samples, N].</summary>
    public Tensor Values { get; }

    /// <summary>d state / d time: [times, samples, N]; null where not asked for.</summary>
    public Tensor? Slopes { get; }

    /// <summary>Saves the initial state at the times that are the start.</summary>
    public void Start(Tensor state, Tensor slope)
    {
        for (var lane = 0; lane < _lanes; lane++)
            while (_next[lane] < _final[lane] && _times[lane][_next[lane]] == _span.Of(lane).Start)
                _next[lane]++;
        Fill(new int[_lanes], _next, state, slope);
    }

    /// <summary>Goes on with lanes that have come to some time: what lies before it is not saved again, and NaN.</summary>
    public void Continue(double[] reached)
    {
        for (var lane = 0; lane < _lanes; lane++)
            while (_next[lane] < _final[lane] && (_times[lane][_next[lane]] - reached[lane]) * _span.Of(lane).Direction < 0)
                _next[lane]++;
        SetMissing(Mask((index, lane) => index < _next[lane]));
    }

    /// <summary>
    /// The times that an accepted attempt has crossed; null where there is none. The end is left to <see cref="Finish"/>, and the time of
    /// an event that cuts the step to the step after it: what is saved there is the state after the event.
    /// </summary>
    public SaveRows? Cross(StepAttempt step, bool[] moves, StepCut? cut)
    {
        var everyLane = step.IsUniform && cut is null && !moves.Contains(false) && _span.Lanes is null;
        List<(int Lane, int Index, double Theta)>? rows = null;
        for (var lane = 0; lane < _lanes; lane++)
        {
            if (!moves[lane]) continue;
            var (start, size) = (step.Geometry.Times[lane], step.Geometry.Steps[lane]);
            for (; _next[lane] < _final[lane] && IsReached(_times[lane][_next[lane]], start, size, cut?.ThetaOf(lane)); _next[lane]++)
                if (lane == 0 || !everyLane)
                    (rows ??= []).Add((lane, _next[lane], (_times[lane][_next[lane]] - start) / size));
        }

        return rows is null
            ? null
            : new SaveRows([.. rows.Select(r => r.Lane)], [.. rows.Select(r => r.Index)], [.. rows.Select(r => r.Theta)], everyLane);
    }

    private static bool IsReached(double time, double start, double step, double? cut) =>
        cut is { } theta ? (time - start) / step < theta : (time - start) / step <= 1;

    /// <summary>Saves rows of an accepted step, which is extended.</summary>
    public void Write(SaveRows rows, StepAttempt step)
    {
        var state = step.State;
        var weights = rows.Weights(step.Weights);
        var values = rows.IsEveryLane
            ? DenseOutput.States(step, _lanes, null, weights)
            : DenseOutput.States(step, _lanes, rows.LaneIndex(state.device), weights);
        Put(Values, rows, values);
        if (Slopes is null) return;
        weights = rows.Weights(step.SlopeWeights);
        values = rows.IsEveryLane
            ? DenseOutput.Increments(step, _lanes, null, weights).div_(StepOfEveryLane(step.Geometry, state))
            : DenseOutput.Increments(step, _lanes, rows.LaneIndex(state.device), weights).div_(StepOfRows(rows, step.Geometry, state));
        Put(Slopes, rows, values);
    }

    /// <summary>
    /// The saved times, up to the end, that each lane had still before it: where an event has stopped it, it keeps its state for them.
    /// </summary>
    public bool[] Held(IReadOnlyList<SolveStatus?> status) =>
        Mask((index, lane) => index >= _next[lane] && index < _final[lane] && status[lane] is SolveStatus.Stopped);

    /// <summary>
    /// Saves the final state at the times that are the end, and at those that a stopped lane holds; NaN wherever a lane has not arrived.
    /// </summary>
    public void Finish(Tensor state, Tensor slope, IReadOnlyList<SolveStatus?> status)
    {
        Fill(_final, [.. Enumerable.Repeat(_count, _lanes)], state, slope);
        if (status.Contains(SolveStatus.Stopped)) Hold(state, status);
        if (status.All(s => s is SolveStatus.Success or SolveStatus.Stopped)) return;
        SetMissing(Mask((index, lane) => index >= _next[lane] && status[lane] is not (SolveStatus.Success or SolveStatus.Stopped)));
    }

    private void Hold(Tensor state, IReadOnlyList<SolveStatus?> status)
    {
        Values.copy_(where(OnDevice(Held(status)), state, Values));
        Slopes?.masked_fill_(OnDevice(Mask((index, lane) => index >= _final[lane] && status[lane] is SolveStatus.Stopped)), Scalars.Of(0));
    }

    /// <summary>Saves one state of each lane at its saved times from one number up to another.</summary>
    private void Fill(int[] from, int[] to, Tensor state, Tensor slope)
    {
        if (_span.Lanes is null)
        {
            Values.narrow(0, from[0], to[0] - from[0]).copy_(state);
            Slopes?.narrow(0, from[0], to[0] - from[0]).copy_(slope);
            return;
        }

        var rows = OnDevice(Mask((index, lane) => index >= from[lane] && index < to[lane]));
        Values.copy_(where(rows, state, Values));
        Slopes?.copy_(where(rows, slope, Slopes));
    }

    private void SetMissing(bool[] missing)
    {
        if (missing.Contains(true)) Values.view(_count, _lanes, -1).masked_fill_(OnDevice(missing), Scalars.NaN);
    }

    /// <summary>Some of the saved times of each lane: [times, lanes].</summary>
    private bool[] Mask(Func<int, int, bool> isMeant) =>
        [.. Enumerable.Range(0, _count).SelectMany(index => Enumerable.Range(0, _lanes).Select(lane => isMeant(index, lane)))];

    private Tensor OnDevice(bool[] mask) => tensor(mask, [_count, _lanes, 1], device: Values.device);

    private static Tensor StepOfEveryLane(StepGeometry geometry, Tensor like) =>
        HostVector.ToDevice([geometry.Scale], [1], like.dtype, like.device);

    private static Tensor StepOfRows(SaveRows rows, StepGeometry geometry, Tensor like) =>
        HostVector.ToDevice([.. rows.Lane.Select(lane => geometry.Steps[lane])], [rows.Count, 1], like.dtype, like.device);

    private void Put(Tensor saved, SaveRows rows, Tensor values)
    {
        if (rows.IsEveryLane) saved.narrow(0, rows.Index[0], rows.Count).copy_(values);
        else saved.view((long)_count * _lanes, -1).index_copy_(0, rows.FlatIndex(_lanes, saved.device), values);
    }
}
