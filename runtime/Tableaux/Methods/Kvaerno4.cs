namespace DiffEqLang.Tableaux;

/// <summary>Kværnø's pair of order 4(3) that goes on with the solution of order 4.</summary>
public static class Kvaerno4
{
    // The root of γ⁴ - 4γ³ + 3γ² - 2γ/3 + 1/24 for which the method is L-stable.
    private const double γ = 0.57281606248213485541;

    /// <summary>Order 4(3), an explicit and four implicit stages, L-stable and stiffly accurate; cubic Hermite dense output.</summary>
    public static RungeKuttaTableau Tableau { get; } = new(
        "kvaerno4", order: 4,
        a: [[γ, γ], Third, Embedded, Solution],
        b: Solution,
        Citations.Kvaerno,
        error: new ErrorEstimate(3, [.. Solution.Zip([.. Embedded, 0], (b, lower) => b - lower)]));

    private static double[] Third
    {
        get
        {
            var p = P(12, -6, 1) * P(12, -6, 1);
            return [P(144, -180, 81, -15, 1) * γ / p, P(-36, 39, -15, 2) * γ / p, γ];
        }
    }

    private static double[] Embedded =>
    [
        P(-144, 396, -330, 117, -18, 1) / (12 * γ * γ * P(12, -9, 2)),
        P(72, -126, 69, -15, 1) / (12 * γ * γ * P(3, -1)),
        P(-6, 6, -1) * P(12, -6, 1) * P(12, -6, 1) / (12 * γ * γ * P(12, -9, 2) * P(3, -1)),
        γ,
    ];

    private static double[] Solution =>
    [
        P(288, -312, 120, -18, 1) / (48 * γ * γ * P(12, -9, 2)),
        P(24, -12, 1) / (48 * γ * γ * P(3, -1)),
        -Math.Pow(P(12, -6, 1), 3) / (48 * γ * γ * P(3, -1) * P(12, -9, 2) * P(6, -6, 1)),
        P(-24, 36, -12, 1) / P(24, -24, 4),
        γ,
    ];

    /// <summary>The polynomial in γ with these coefficients, the highest power first.</summary>
    private static double P(params ReadOnlySpan<double> coefficients)
    {
        var value = 0.0;
        foreach (var coefficient in coefficients) value = value * γ + coefficient;
        return value;
    }
}
