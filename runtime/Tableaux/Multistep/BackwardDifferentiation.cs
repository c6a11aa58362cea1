namespace DiffEqLang.Tableaux;

/// <summary>
/// Backward differentiation formulas, as Shampine and Reichelt's numerical differentiation formulas, with a fixed leading coefficient:
/// α (y₁ - p(1)) + p'(1) = h f(t + h, y₁), with p the polynomial through k + 1 past states, α = (1 - κ) γₖ and γₖ = Σ 1/j up to k.
/// </summary>
/// <remarks>
/// α depends on the order alone, so that the matrix of Newton's iteration lasts while step and order do. Where a solve starts, only one
/// state is known: the second lies where its tangent leads back to.
/// </remarks>
public sealed class BackwardDifferentiation : MultistepMethod
{
    private static readonly double[] Kappa = [0, -0.1850, -1.0 / 9, -0.0823, -0.0415, 0];

    private BackwardDifferentiation()
        : base(
            "bdf", mostOrder: 5, isImplicit: true, ImplicitEuler.Tableau,
            "L. F. Shampine, M. W. Reichelt (1997), The MATLAB ODE Suite, SIAM J. Sci. Comput. 18, 1-22, sec. 2; K. R. Jackson, R. Sacks-Davis (1980), An alternative implementation of variable step-size multistep formulas for stiff ODEs, ACM TOMS 6, 295-318")
    {
    }

    /// <summary>Order 1 to 5, A-stable up to 2.</summary>
    public static MultistepMethod Method { get; } = new BackwardDifferentiation();

    /// <inheritdoc/>
    public override int PastCount(int order) => order + 1;

    /// <inheritdoc/>
    public override int OrderAfter(int steps) => Math.Clamp(steps, 1, MostOrder);

    /// <inheritdoc/>
    public override MultistepFormula Formula(int order, double step, ReadOnlySpan<double> places)
    {
        var basis = new LagrangeBasis(places[..PastCount(order)]);
        var (values, slopes, leading) = (basis.Values(1), basis.Slopes(1), LeadingOf(order));
        var (sum, last) = (0.0, 0.0);
        foreach (var place in places[..PastCount(order)]) sum += last = 1 / (1 - place);
        // Where the steps before were longer the first estimate passes zero; the second, with equal steps the same, falls as the interpolation's.
        var error = Math.Max(Math.Abs(sum - leading), (order + 1) * ErrorConstant(order) * last);
        return new MultistepFormula(
            values, [.. values.Zip(slopes, (value, slope) => value - slope / leading)], step / leading,
            [error, .. values.Select(value => -error * value)]);
    }

    /// <inheritdoc/>
    public override double[] LocalError(int order, double step, ReadOnlySpan<double> places) =>
        ScaledDifference(PastCount(order), ErrorConstant(order), places);

    /// <inheritdoc/>
    public override double[] Dense(int order, double step, ReadOnlySpan<double> places, double theta)
    {
        var weights = new LagrangeBasis([1, .. places[..order]]).Values(theta);
        weights[1]--;
        return weights;
    }

    /// <inheritdoc/>
    public override double[] DenseSlopes(int order, double step, ReadOnlySpan<double> places, double theta) =>
        new LagrangeBasis([1, .. places[..order]]).Slopes(theta);

    private static double ErrorConstant(int order) => Kappa[order] * Harmonic(order) + 1.0 / (order + 1);

    private static double LeadingOf(int order) => (1 - Kappa[order]) * Harmonic(order);

    private static double Harmonic(int order) => Enumerable.Range(1, order).Sum(j => 1.0 / j);
}
