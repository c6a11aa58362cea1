namespace DiffEqLang.Tableaux;

/// <summary>
/// What the coefficients of a Runge-Kutta method must fulfil for an order: Σᵢ bᵢ Φᵢ(t) = 1/γ(t) for every rooted tree t of no more
/// vertices than that. Hairer, Nørsett and Wanner (1993), Solving Ordinary Differential Equations I, II.2, theorem 2.13.
/// </summary>
/// <param name="a">The rows of A; entries behind the end of a row are zero.</param>
/// <param name="ofSingle">
/// What stands in place of A where one subtree alone hangs from a vertex: α + Γ of a Rosenbrock method, whose first derivatives are
/// those of its matrix (Hairer and Wanner 1996, IV.7.11). A itself where null.
/// </param>
/// <param name="drifts">
/// Which part of the right-hand side each stage evaluates: trees then have vertices of two colours, the explicit part's 0, the implicit one's
/// 1, and those that have both are the conditions that couple the parts. All of it where null.
/// </param>
public sealed class OrderConditions(
    IReadOnlyList<double[]> a, IReadOnlyList<double[]>? ofSingle = null, IReadOnlyList<DriftPart>? drifts = null)
{
    /// <summary>
    /// Up to this many units a condition may fail: coefficients that are given to fifteen digits are off by up to 23, and each enters a
    /// condition several times.
    /// </summary>
    private const double Rounding = 100;

    private readonly Dictionary<RootedTree, (double[] Weights, double[] Sizes)> _known = new(ReferenceEqualityComparer.Instance);

    /// <summary>The conditions up to an order, by order.</summary>
    /// <param name="weights">The solution's, over the first stages.</param>
    /// <param name="order">Up to which trees are taken.</param>
    /// <param name="fraction">θ of the step at which the weights give the solution; the right-hand side is θ^|t| / γ(t).</param>
    public IEnumerable<OrderCondition> UpTo(int order, IReadOnlyList<double> weights, double fraction = 1) =>
        Enumerable.Range(1, order).SelectMany(vertices => RootedTree.OfVertices(vertices, drifts is null ? 1 : 2)).Select(tree => Of(tree, weights, fraction));

    /// <summary>The first condition that fails by more than the rounding of its summands; null where all hold.</summary>
    public OrderCondition? FirstViolated(int order, IReadOnlyList<double> weights, double fraction = 1) =>
        UpTo(order, weights, fraction).FirstOrDefault(condition => condition.Error > Rounding);

    private OrderCondition Of(RootedTree tree, IReadOnlyList<double> weights, double fraction)
    {
        var (elementary, sizes) = ElementaryWeights(tree);
        var (sum, size) = (0.0, 0.0);
        for (var i = 0; i < weights.Count; i++)
        {
            sum += weights[i] * elementary[i];
            size += Math.Abs(weights[i]) * sizes[i];
        }

        return new OrderCondition(tree, sum, Math.Pow(fraction, tree.Vertices) / tree.Density, size * double.BitIncrement(1) - size);
    }

    /// <summary>Φᵢ(t) of every stage, and the same over absolute values: how large the summands are.</summary>
    private (double[] Weights, double[] Sizes) ElementaryWeights(RootedTree tree)
    {
        if (_known.TryGetValue(tree, out var known)) return known;
        var (weights, sizes) = (new double[a.Count], new double[a.Count]);
        for (var i = 0; i < a.Count; i++) (weights[i], sizes[i]) = Evaluates(i, tree.Color) ? (1, 1) : (0, 0);
        var rows = tree.Subtrees.Count == 1 ? ofSingle ?? a : a;
        foreach (var (below, sizesBelow) in tree.Subtrees.Select(ElementaryWeights))
        {
            for (var i = 0; i < a.Count; i++)
            {
                var (sum, size) = (0.0, 0.0);
                for (var j = 0; j < rows[i].Length; j++)
                {
                    sum += rows[i][j] * below[j];
                    size += Math.Abs(rows[i][j]) * sizesBelow[j];
                }

                weights[i] *= sum;
                sizes[i] *= size;
            }
        }

        return _known[tree] = (weights, sizes);
    }

    /// <summary>Whether a stage evaluates the part of a colour.</summary>
    private bool Evaluates(int stage, int color) =>
        drifts is null || drifts[stage] != (color == 0 ? DriftPart.Implicit : DriftPart.Explicit);
}

/// <summary>One condition, and how it is met.</summary>
/// <param name="Tree">The tree that it belongs to.</param>
/// <param name="Sum">Σᵢ bᵢ Φᵢ(t).</param>
/// <param name="Required">1/γ(t).</param>
/// <param name="Unit">The rounding of one summand as large as all of them together.</param>
public sealed record OrderCondition(RootedTree Tree, double Sum, double Required, double Unit)
{
    /// <summary>By how many units the condition fails.</summary>
    public double Error => Math.Abs(Sum - Required) / Unit;
}
