namespace DiffEqLang.Tableaux;

/// <summary>The stages of a <see cref="NystromPair"/> as those of a tableau in parts, while they are put together.</summary>
internal sealed class NystromStages
{
    private readonly List<double[]> _rows = [];
    private readonly List<StatePart> _parts = [];
    private readonly List<int> _accelerations = [];

    /// <summary>The rows of A.</summary>
    public double[][] Rows => [.. _rows];

    /// <summary>What each of them moves.</summary>
    public StatePart[] Parts => [.. _parts];

    /// <summary>The mean velocity q' + h Σⱼ wⱼ aⱼ.</summary>
    /// <param name="weights">Over the accelerations so far, or the first of them.</param>
    /// <returns>Which stage it is.</returns>
    public int AddVelocity(IReadOnlyList<double> weights) => Add(StatePart.Positions, Weigh(weights));

    /// <summary>The acceleration at a node, where a mean velocity leads to.</summary>
    /// <param name="node">The node c.</param>
    /// <param name="velocity">The stage that is the mean velocity; of the first acceleration there is none, and c is zero.</param>
    public void AddAcceleration(double node, int velocity)
    {
        var row = new double[_rows.Count];
        if (node != 0) row[velocity] = node;
        _accelerations.Add(Add(StatePart.Momenta, row));
    }

    /// <summary>The slope at the end of the step, whose row the tableau has: the last of the accelerations from now on.</summary>
    /// <returns>Which stage it is.</returns>
    public int AddEnd()
    {
        var end = Add(StatePart.Whole, []);
        _accelerations.Add(end);
        return end;
    }

    /// <summary>Weights over the accelerations, or the first of them, as weights over all stages.</summary>
    public double[] Weigh(IReadOnlyList<double> weights)
    {
        var all = new double[_rows.Count];
        for (var i = 0; i < weights.Count; i++)
            if (weights[i] != 0)
                all[_accelerations[i]] = weights[i];
        return all;
    }

    private int Add(StatePart part, double[] row)
    {
        _rows.Add(row);
        _parts.Add(part);
        return _rows.Count - 1;
    }
}
