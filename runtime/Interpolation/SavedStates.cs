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
    private readonly double[] _times;
    private readonly int _lanes;
    private readonly int _final;        // from here on the saved times are the end itself
    private readonly int[] _next;       // of each lane: the first time not yet saved

    public SavedStates(SolveSpan span, double[] times, Tensor state, int lanes, bool withSlopes)
    {
        (_span, _times, _lanes, _next) = (span, times, lanes, new int[lanes]);
        _final = times.Length;
        while (_final > 0 && times[_final - 1] == span.End) _final--;
        long[] shape = [times.Length, state.size(0), state.size(1)];
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
        var count = 0;
        while (count < _final && _times[count] == _span.Start) count++;
        Array.Fill(_next, count);
        if (count > 0) Fill(0, count, state, slope);
    }

    /// <summary>Goes on with lanes that have come to some time: what lies before it is not saved again, and NaN.</summary>
    public void Continue(double[] reached)
    {
        var behind = new bool[_times.Length * _lanes];
        for (var lane = 0; lane < _lanes; lane++)
            for (; _next[lane] < _final && (_times[_next[lane]] - reached[lane]) * _span.Direction < 0; _next[lane]++)
                behind[_next[lane] * _lanes + lane] = true;
        if (behind.Contains(true))
            Values.view(_times.Length, _lanes, -1).masked_fill_(tensor(behind, [_times.Length, _lanes, 1], device: Values.device), Scalars.NaN);
    }

    /// <summary>
    /// The times that an accepted attempt has crossed; null where there is none. The end is left to <see cref="Finish"/>, and the time of
    /// an event that cuts the step to the step after it: what is saved there is the state after the event.
    /// </summary>
    public SaveRows? Cross(StepAttempt step, bool[] moves, StepCut? cut)
    {
        var everyLane = step.IsUniform && cut is null && !moves.Contains(false);
        List<(int Lane, int Index, double Theta)>? rows = null;
        for (var lane = 0; lane < _lanes; lane++)
        {
            if (!moves[lane]) continue;
            var (start, size) = (step.Geometry.Times[lane], step.Geometry.Steps[lane]);
            for (; _next[lane] < _final && IsReached(_times[_next[lane]], start, size, cut?.ThetaOf(lane)); _next[lane]++)
                if (lane == 0 || !everyLane)
                    (rows ??= []).Add((lane, _next[lane], (_times[_next[lane]] - start) / size));
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
    public bool[] Held(IReadOnlyList<SolveStatus?> status)
    {
        var held = new bool[_times.Length * _lanes];
        for (var lane = 0; lane < _lanes; lane++)
            for (var index = _next[lane]; index < _final; index++)
                held[index * _lanes + lane] = status[lane] is SolveStatus.Stopped;
        return held;
    }

    /// <summary>
    /// Saves the final state at the times that are the end, and at those that a stopped lane holds; NaN wherever a lane has not arrived.
    /// </summary>
    public void Finish(Tensor state, Tensor slope, IReadOnlyList<SolveStatus?> status)
    {
        if (_final < _times.Length) Fill(_final, _times.Length - _final, state, slope);
        if (status.Contains(SolveStatus.Stopped)) Hold(state, status);
        if (status.All(s => s is SolveStatus.Success or SolveStatus.Stopped)) return;
        var missing = new bool[_times.Length * _lanes];
        for (var lane = 0; lane < _lanes; lane++)
            for (var index = _next[lane]; index < _times.Length; index++)
                missing[index * _lanes + lane] = status[lane] is not (SolveStatus.Success or SolveStatus.Stopped);
        Values.view(_times.Length, _lanes, -1).masked_fill_(tensor(missing, [_times.Length, _lanes, 1], device: Values.device), Scalars.NaN);
    }

    private void Hold(Tensor state, IReadOnlyList<SolveStatus?> status)
    {
        var held = tensor(Held(status), [_times.Length, _lanes, 1], device: Values.device);
        Values.copy_(where(held, state, Values));
        if (Slopes is null) return;
        var stopped = tensor([.. status.Select(s => s is SolveStatus.Stopped)], [1, _lanes, 1], device: Values.device);
        Slopes.narrow(0, _final, _times.Length - _final).masked_fill_(stopped, Scalars.Of(0));
    }

    private void Fill(int first, int count, Tensor state, Tensor slope)
    {
        Values.narrow(0, first, count).copy_(state);
        Slopes?.narrow(0, first, count).copy_(slope);
    }

    private static Tensor StepOfEveryLane(StepGeometry geometry, Tensor like) =>
        HostVector.ToDevice([geometry.Scale], [1], like.dtype, like.device);

    private static Tensor StepOfRows(SaveRows rows, StepGeometry geometry, Tensor like) =>
        HostVector.ToDevice([.. rows.Lane.Select(lane => geometry.Steps[lane])], [rows.Count, 1], like.dtype, like.device);

    private void Put(Tensor saved, SaveRows rows, Tensor values)
    {
        if (rows.IsEveryLane) saved.narrow(0, rows.Index[0], rows.Count).copy_(values);
        else saved.view((long)_times.Length * _lanes, -1).index_copy_(0, rows.FlatIndex(_lanes, saved.device), values);
    }
}
