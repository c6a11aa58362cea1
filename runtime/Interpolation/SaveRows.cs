using DiffEqLang.Tableaux;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// The saved times that lie inside one step: row r is the state of lane <c>Lane[r]</c> at θ = <c>Theta[r]</c> of the step, and goes to
/// saved time <c>Index[r]</c>.
/// </summary>
/// <param name="Lane">The lanes; where every lane has the same rows, those of the first alone.</param>
/// <param name="Index">The saved times.</param>
/// <param name="Theta">The places in the step, in (0, 1].</param>
/// <param name="IsEveryLane">Whether all lanes have the same rows.</param>
internal sealed record SaveRows(int[] Lane, int[] Index, double[] Theta, bool IsEveryLane)
{
    /// <summary>How many rows there are.</summary>
    public int Count => Lane.Length;

    /// <summary>The rows of some lanes only, which are counted anew.</summary>
    public SaveRows Select(int[] lanes)
    {
        if (IsEveryLane) return this;
        var newLane = lanes.Index().ToDictionary(pair => pair.Item, pair => pair.Index);
        int[] kept = [.. Enumerable.Range(0, Count).Where(row => newLane.ContainsKey(Lane[row]))];
        return new SaveRows(
            [.. kept.Select(row => newLane[Lane[row]])], [.. kept.Select(row => Index[row])], [.. kept.Select(row => Theta[row])], false);
    }

    /// <summary>Weights of the dense output at each row, [rows, terms], from those at a place of a lane.</summary>
    public double[][] Weights(Func<int, double, double[]> at) => [.. Lane.Zip(Theta, at)];

    /// <summary>Those of a Runge-Kutta method.</summary>
    /// <param name="tableau">The method.</param>
    /// <param name="scale">See <see cref="StepGeometry.Scale"/>.</param>
    public double[][] Weights(RungeKuttaTableau tableau, double scale) =>
        Weights((_, theta) => [.. tableau.DenseWeights(theta).Select(weight => weight * scale)]);

    /// <summary>The lanes as an index tensor.</summary>
    public Tensor LaneIndex(Device device) => tensor([.. Lane.Select(lane => (long)lane)], ScalarType.Int64, device);

    /// <summary>Where the rows lie in saved values flattened to [times · lanes, width].</summary>
    public Tensor FlatIndex(long lanes, Device device) =>
        tensor([.. Enumerable.Range(0, Count).Select(row => Index[row] * lanes + Lane[row])], ScalarType.Int64, device);
}
