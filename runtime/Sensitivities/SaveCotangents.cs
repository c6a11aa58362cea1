using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// The adjoint of the dense output of one step: what the cotangents of the states saved inside it add to the adjoint of the
/// state before the step and of its stages, or of whatever else the dense output weighs.
/// </summary>
internal sealed class SaveCotangents
{
    /// <param name="rows">The saved times inside the step.</param>
    /// <param name="weights">The dense output's weights at each of them, [rows, stages].</param>
    /// <param name="cotangents">d loss / d saved state: [times, samples, N].</param>
    /// <param name="lanes">The number of lanes.</param>
    public SaveCotangents(SaveRows rows, double[][] weights, Tensor cotangents, long lanes)
    {
        var stages = weights[0].Length;
        var (samples, width) = (cotangents.size(1), cotangents.size(2));
        var transposed = new double[stages * rows.Count];
        for (var stage = 0; stage < stages; stage++)
            for (var row = 0; row < rows.Count; row++)
                transposed[stage * rows.Count + row] = weights[row][stage];
        if (rows.IsEveryLane)
        {
            var part = cotangents.narrow(0, rows.Index[0], rows.Count);
            var matrix = HostVector.ToDevice(transposed, [stages, rows.Count], part.dtype, part.device);
            Stages = matrix.mm(part.reshape(rows.Count, -1)).view(stages, samples, width);
            State = part.sum([0L]);
            return;
        }

        var lane = rows.LaneIndex(cotangents.device);
        var ofRows = cotangents.reshape(cotangents.size(0) * lanes, -1).index_select(0, rows.FlatIndex(lanes, cotangents.device));
        var factors = HostVector.ToDevice(transposed, [stages, rows.Count, 1], ofRows.dtype, ofRows.device);
        Stages = zeros([stages, lanes, ofRows.size(1)], ofRows.dtype, ofRows.device)
            .index_add_(1, lane, factors.mul(ofRows), Scalars.One).view(stages, samples, width);
        State = zeros([lanes, ofRows.size(1)], ofRows.dtype, ofRows.device).index_add_(0, lane, ofRows, Scalars.One).view(samples, width);
    }

    /// <summary>Adds the cotangents of what was saved at one end of a solve to the adjoint of the state there.</summary>
    /// <param name="span">Which times were saved.</param>
    /// <param name="end">The end of a lane's span, or NaN where nothing is added.</param>
    /// <param name="cotangents">d loss / d saved state: [times, samples, N].</param>
    /// <param name="state">What they are added to: [samples, N].</param>
    public static void AddAt(SolveSpan span, Func<SolveSpan, double> end, Tensor cotangents, Tensor state)
    {
        if (span.Lanes is { } lanes)
        {
            AddWhere([.. Enumerable.Range(0, span.Count).SelectMany(i => lanes.Select(lane => lane.Times![i] == end(lane)))], cotangents, state);
            return;
        }

        for (var i = 0; i < span.Count; i++)
            if (span.Times![i] == end(span))
                state.add_(cotangents.select(0, i), Scalars.One);
    }

    /// <summary>Adds those of some saved times of each lane, [times, lanes].</summary>
    public static void AddWhere(bool[] rows, Tensor cotangents, Tensor state)
    {
        var times = cotangents.size(0);
        var mask = tensor(rows, [times, rows.Length / times, 1], device: cotangents.device);
        state.add_(where(mask, cotangents, zeros_like(cotangents)).sum([0L]), Scalars.One);
    }

    /// <summary>What rows and other rows of the same step give together: the first, added to; null where neither gives anything.</summary>
    public static SaveCotangents? Sum(SaveCotangents? some, SaveCotangents? others)
    {
        if (some is null || others is null) return some ?? others;
        some.Stages.add_(others.Stages, Scalars.One);
        some.State.add_(others.State, Scalars.One);
        return some;
    }

    /// <summary>What is added to the adjoints of all stages: [stages, samples, N].</summary>
    public Tensor Stages { get; }

    /// <summary>What is added to the adjoint of the state before the step: [samples, N].</summary>
    public Tensor State { get; }

    /// <summary>
    /// What is added to the adjoint of a stage, before it is multiplied by the step where that differs between lanes: [samples, N], in
    /// memory that is the caller's to add to.
    /// </summary>
    public Tensor Stage(int stage) => Stages.select(0, stage);
}
