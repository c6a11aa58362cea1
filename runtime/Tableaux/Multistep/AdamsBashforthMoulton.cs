namespace DiffEqLang.Tableaux;

/// <summary>
/// The Adams methods: predicted by Bashforth's formula over k slopes, evaluated, corrected by Moulton's over k + 1, evaluated. The error is
/// that of Moulton's formula of order k, the step goes on with that of order k + 1 (local extrapolation).
/// </summary>
public sealed class AdamsBashforthMoulton : MultistepMethod
{
    private const int Most = 12;

    /// <summary>γ*ₖ, the error constants of Moulton's formulas: γ*ₖ = -Σ γ*ⱼ/(k + 1 - j) over j below k, γ*₀ = 1.</summary>
    private static readonly double[] Gamma = ErrorConstants();

    private AdamsBashforthMoulton()
        : base(
            "adams", Most, isImplicit: false, Heun.Tableau,
            "L. F. Shampine, M. K. Gordon (1975), Computer Solution of Ordinary Differential Equations: The Initial Value Problem")
    {
    }

    /// <summary>Order 1 to 12.</summary>
    public static MultistepMethod Method { get; } = new AdamsBashforthMoulton();

    /// <inheritdoc/>
    public override int PastCount(int order) => order;

    /// <inheritdoc/>
    public override int OrderAfter(int steps) => Math.Min(steps + 1, MostOrder);

    /// <inheritdoc/>
    public override MultistepFormula Formula(int order, double step, ReadOnlySpan<double> places)
    {
        var corrector = Weights([1, .. places[..order]], step);
        var lower = Weights([1, .. places[..(order - 1)]], step);
        double[] error = [.. corrector];
        for (var i = 0; i < lower.Length; i++) error[i] -= lower[i];
        return new MultistepFormula(Weights(places[..order], step), corrector[1..], corrector[0], error);
    }

    /// <inheritdoc/>
    public override double[] LocalError(int order, double step, ReadOnlySpan<double> places) =>
        ScaledDifference(PastCount(order), step * Gamma[order], places);

    /// <inheritdoc/>
    public override double[] Dense(int order, double step, ReadOnlySpan<double> places, double theta) =>
        Weights([1, .. places[..order]], step, theta);

    /// <inheritdoc/>
    public override double[] DenseSlopes(int order, double step, ReadOnlySpan<double> places, double theta) =>
        [.. new LagrangeBasis([1, .. places[..order]]).Values(theta).Select(value => step * value)];

    private static double[] Weights(ReadOnlySpan<double> places, double step, double theta = 1) =>
        [.. new LagrangeBasis(places).Integrals(0, theta).Select(integral => step * integral)];

    private static double[] ErrorConstants()
    {
        var gamma = new double[Most + 1];
        gamma[0] = 1;
        for (var k = 1; k <= Most; k++)
            for (var j = 0; j < k; j++)
                gamma[k] -= gamma[j] / (k + 1 - j);
        return gamma;
    }
}
