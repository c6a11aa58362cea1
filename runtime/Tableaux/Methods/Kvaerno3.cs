namespace DiffEqLang.Tableaux;

/// <summary>Kværnø's pair of order 3(2).</summary>
public static class Kvaerno3
{
    // The middle root of γ³ - 3γ² + 3γ/2 - 1/6, for which the method is L-stable.
    private const double γ = 0.43586652150845899942;

    /// <summary>Order 3(2), an explicit and three implicit stages, L-stable and stiffly accurate; cubic Hermite dense output.</summary>
    public static RungeKuttaTableau Tableau { get; } = new(
        "kvaerno3", order: 3,
        a: [[γ, γ], Embedded, Solution],
        b: Solution,
        Citations.Kvaerno,
        error: new ErrorEstimate(2, [.. Solution.Zip([.. Embedded, 0], (b, lower) => b - lower)]));

    private static double[] Embedded => [(-4 * γ * γ + 6 * γ - 1) / (4 * γ), (-2 * γ + 1) / (4 * γ), γ];

    private static double[] Solution =>
        [(6 * γ - 1) / (12 * γ), -1 / ((24 * γ - 12) * γ), (-6 * γ * γ + 6 * γ - 1) / (6 * γ - 3), γ];
}
