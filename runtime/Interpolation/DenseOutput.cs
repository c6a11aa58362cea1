using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>The dense output of one step at places of some lanes: row r belongs to lane <c>lane[r]</c> and weights of its own.</summary>
internal static class DenseOutput
{
    /// <summary>y + Σ wᵢ h kᵢ, [rows, size of a lane].</summary>
    /// <param name="stages">The step; all stages must be there.</param>
    /// <param name="lanes">How many lanes there are.</param>
    /// <param name="lane">The lane of each row.</param>
    /// <param name="weights">The dense output's weights at each row's place, [rows, stages].</param>
    public static Tensor States(Stages stages, int lanes, Tensor lane, double[][] weights)
    {
        var state = stages.States[0].reshape(lanes, -1).index_select(0, lane);
        return state.add_(Increments(stages, lanes, lane, weights), Scalars.One);
    }

    /// <summary>Σ wᵢ h kᵢ alone; divided by the step, with the weights of the derivative, it is the derivative by time.</summary>
    public static Tensor Increments(Stages stages, int lanes, Tensor lane, double[][] weights)
    {
        var (rows, count) = (weights.Length, stages.Slopes.Length);
        var transposed = new double[count * rows];
        for (var stage = 0; stage < count; stage++)
            for (var row = 0; row < rows; row++)
                transposed[stage * rows + row] = weights[row][stage] * stages.Geometry.Scale;
        var slopes = stack(stages.Slopes);
        var ofRows = slopes.view(count, lanes, -1).index_select(1, lane);
        return ofRows.mul_(HostVector.ToDevice(transposed, [count, rows, 1], slopes.dtype, slopes.device)).sum([0L]);
    }
}
