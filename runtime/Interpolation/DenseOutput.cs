using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// The dense output of one step at places of some lanes: row r belongs to lane <c>lane[r]</c> and weights of its own. Where no lanes are
/// given, a row is a place of all lanes.
/// </summary>
internal static class DenseOutput
{
    /// <summary>y + Σ wᵢ h kᵢ, [rows, size of a lane].</summary>
    /// <param name="stages">The step; all stages must be there.</param>
    /// <param name="lanes">How many lanes there are.</param>
    /// <param name="lane">The lane of each row.</param>
    /// <param name="weights">The dense output's weights at each row's place, [rows, stages].</param>
    public static Tensor States(Stages stages, int lanes, Tensor? lane, double[][] weights) =>
        States(stages.States[0], stack(stages.Slopes), stages.Geometry.Scale, lanes, lane, weights);

    /// <summary>The same of a step that is kept: [rows, size of a lane], or [rows, samples, N] of all lanes.</summary>
    /// <param name="state">The state before the step, [samples, N].</param>
    /// <param name="slopes">Its stages, [stages, samples, N].</param>
    /// <param name="scale">The factor of their weights.</param>
    /// <param name="lanes">How many lanes there are.</param>
    /// <param name="lane">The lane of each row; null: all.</param>
    /// <param name="weights">The dense output's weights at each row's place, [rows, stages].</param>
    public static Tensor States(Tensor state, Tensor slopes, double scale, int lanes, Tensor? lane, double[][] weights) =>
        Increments(slopes, scale, lanes, lane, weights).add_(lane is null ? state : state.reshape(lanes, -1).index_select(0, lane), Scalars.One);

    /// <summary>Σ wᵢ h kᵢ alone; divided by the step, with the weights of the derivative, it is the derivative by time.</summary>
    public static Tensor Increments(Stages stages, int lanes, Tensor? lane, double[][] weights) =>
        Increments(stack(stages.Slopes), stages.Geometry.Scale, lanes, lane, weights);

    /// <summary>The same of a step that is kept.</summary>
    public static Tensor Increments(Tensor slopes, double scale, int lanes, Tensor? lane, double[][] weights)
    {
        if (lane is null) return OfAllLanes(slopes, scale, weights);
        var (rows, count) = (weights.Length, (int)slopes.size(0));
        var transposed = new double[count * rows];
        for (var stage = 0; stage < count; stage++)
            for (var row = 0; row < rows; row++)
                transposed[stage * rows + row] = weights[row][stage] * scale;
        var ofRows = slopes.view(count, lanes, -1).index_select(1, lane);
        return ofRows.mul_(HostVector.ToDevice(transposed, [count, rows, 1], slopes.dtype, slopes.device)).sum([0L]);
    }

    /// <summary>One matrix product for all places: [rows, stages] x [stages, samples · N].</summary>
    private static Tensor OfAllLanes(Tensor slopes, double scale, double[][] weights)
    {
        double[] scaled = [.. weights.SelectMany(row => row.Select(w => w * scale))];
        var matrix = HostVector.ToDevice(scaled, [weights.Length, slopes.size(0)], slopes.dtype, slopes.device);
        return matrix.mm(slopes.view(slopes.size(0), -1)).view(weights.Length, slopes.size(1), slopes.size(2));
    }
}
