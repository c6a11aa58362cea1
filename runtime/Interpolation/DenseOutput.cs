using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>The dense output of one step at places of some lanes: row r belongs to lane <c>lane[r]</c> and has weights of its own.</summary>
internal static class DenseOutput
{
    /// <summary>The states there, [rows, size of a lane].</summary>
    /// <param name="step">The step, extended.</param>
    /// <param name="lanes">How many lanes there are.</param>
    /// <param name="lane">The lane of each row.</param>
    /// <param name="weights">The dense output's weights at each row's place, [rows, terms].</param>
    public static Tensor States(StepAttempt step, int lanes, Tensor lane, double[][] weights)
    {
        var state = step.State.reshape(lanes, -1).index_select(0, lane);
        return state.add_(Increments(step, lanes, lane, weights), Scalars.One);
    }

    /// <summary>The weighted sum alone; divided by the step, with the weights of the derivative, it is the derivative by time.</summary>
    public static Tensor Increments(StepAttempt step, int lanes, Tensor lane, double[][] weights)
    {
        var terms = step.Increments();
        var (rows, count) = (weights.Length, (int)terms.size(0));
        var transposed = new double[count * rows];
        for (var term = 0; term < count; term++)
            for (var row = 0; row < rows; row++)
                transposed[term * rows + row] = weights[row][term];
        var ofRows = terms.view(count, lanes, -1).index_select(1, lane);
        return ofRows.mul_(HostVector.ToDevice(transposed, [count, rows, 1], terms.dtype, terms.device)).sum([0L]);
    }
}
