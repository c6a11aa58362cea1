using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime.Sparse;

/// <summary>The entries of Jacobians of a known pattern, by one vector-Jacobian product of as many rows as there are groups.</summary>
/// <param name="equations">The equations.</param>
/// <param name="pattern">Where the entries lie.</param>
internal sealed class SparseJacobian(OdeEquations equations, SparsityPattern pattern)
{
    private readonly int[] _groups = RowColoring.Of(pattern);

    /// <summary>How many rows are computed.</summary>
    public int Groups => _groups.Max() + 1;

    /// <summary>The entries of every sample's Jacobian in the order of the pattern: [samples][entries].</summary>
    /// <param name="t">The time: [] or [samples].</param>
    /// <param name="state">[samples, N].</param>
    public double[][] At(Tensor t, Tensor state)
    {
        using var scope = NewDisposeScope();
        var (samples, size) = ((int)state.size(0), pattern.Size);
        long[] all = [Groups, samples, size];
        var nothing = new ParameterGradients(equations.Parameters, _ => false);
        var sums = HostVector.ToHost(equations.DriftVjp(t, state.expand(all), Seeds(state).expand(all), nothing).expand(all).contiguous());
        return [.. Enumerable.Range(0, samples).Select(sample => Entries(sums, sample, samples))];
    }

    private double[] Entries(double[] sums, int sample, int samples)
    {
        var entries = new double[pattern.Count];
        for (var row = 0; row < pattern.Size; row++)
            for (var i = pattern.RowStarts[row]; i < pattern.RowStarts[row + 1]; i++)
                entries[i] = sums[(_groups[row] * samples + sample) * pattern.Size + pattern.Columns[i]];
        return entries;
    }

    /// <summary>One in the rows of a group: [groups, 1, N].</summary>
    private Tensor Seeds(Tensor like)
    {
        var seeds = new double[Groups * pattern.Size];
        for (var row = 0; row < pattern.Size; row++) seeds[_groups[row] * pattern.Size + row] = 1;
        return HostVector.ToDevice(seeds, [Groups, 1, pattern.Size], like.dtype, like.device);
    }
}
