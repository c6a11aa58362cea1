using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// The dense output of one step at places of some lanes: row r belongs to lane <c>lane[r]</c> and has weights of its own. Where no lanes are
/// given, a row is a place of all lanes.
/// </summary>
internal static class DenseOutput
{
    /// <summary>The states: [rows, size of a lane], or [rows, samples, N] of all lanes.</summary>
    /// <param name="step">The step; what its dense output needs must be there.</param>
    /// <param name="lanes">How many lanes there are.</param>
    /// <param name="lane">The lane of each row; null: all.</param>
    /// <param name="weights">The dense output's weights at each row's place, [rows, terms].</param>
    public static Tensor States(StepAttempt step, int lanes, Tensor? lane, double[][] weights) =>
        States(step.State, step.Increments(), lanes, lane, weights);

    /// <summary>The states at a place of each of some lanes: [rows, size of a lane].</summary>
    public static Tensor States(StepAttempt step, int lanes, int[] lane, double[] thetas) =>
        States(step, lanes, HostVector.Index(lane, step.State.device), [.. lane.Zip(thetas, step.Weights)]);

    /// <summary>The same of a step that is kept.</summary>
    /// <param name="state">The state before the step, [samples, N].</param>
    /// <param name="terms">What its dense output weighs, [terms, samples, N].</param>
    /// <param name="lanes">How many lanes there are.</param>
    /// <param name="lane">The lane of each row; null: all.</param>
    /// <param name="weights">The dense output's weights at each row's place, [rows, terms].</param>
    public static Tensor States(Tensor state, Tensor terms, int lanes, Tensor? lane, double[][] weights) =>
        Increments(terms, lanes, lane, weights).add_(lane is null ? state : state.reshape(lanes, -1).index_select(0, lane), Scalars.One);

    /// <summary>The weighted sum alone; divided by the step, with the weights of the derivative, it is the derivative by time.</summary>
    public static Tensor Increments(StepAttempt step, int lanes, Tensor? lane, double[][] weights) =>
        Increments(step.Increments(), lanes, lane, weights);

    /// <summary>The same of a step that is kept.</summary>
    public static Tensor Increments(Tensor terms, int lanes, Tensor? lane, double[][] weights)
    {
        if (lane is null) return OfAllLanes(terms, weights);
        var (rows, count) = (weights.Length, (int)terms.size(0));
        var transposed = new double[count * rows];
        for (var term = 0; term < count; term++)
            for (var row = 0; row < rows; row++)
                transposed[term * rows + row] = weights[row][term];
        var ofRows = terms.view(count, lanes, -1).index_select(1, lane);
        return ofRows.mul_(HostVector.ToDevice(transposed, [count, rows, 1], terms.dtype, terms.device)).sum([0L]);
    }

    /// <summary>One matrix product for all places: [rows, terms] x [terms, samples · N].</summary>
    private static Tensor OfAllLanes(Tensor terms, double[][] weights)
    {
        var matrix = HostVector.ToDevice([.. weights.SelectMany(row => row)], [weights.Length, terms.size(0)], terms.dtype, terms.device);
        return matrix.mm(terms.view(terms.size(0), -1)).view(weights.Length, terms.size(1), terms.size(2));
    }
}
