namespace DiffEqLang.Tableaux;

/// <summary>Kværnø's pair of order 5(4).</summary>
public static class Kvaerno5
{
    private const double γ = 0.26;

    /// <summary>Order 5(4), an explicit and six implicit stages, L-stable and stiffly accurate; cubic Hermite dense output.</summary>
    public static RungeKuttaTableau Tableau { get; } = new(
        "kvaerno5", order: 5,
        a:
        [
            [γ, γ],
            [0.13, 0.84033320996790809, γ],
            [0.22371961478320505, 0.47675532319799699, -0.06470895363112615, γ],
            [0.16648564323248321, 0.10450018841591720, 0.03631482272098715, -0.13090704451073998, γ],
            Embedded,
            Solution,
        ],
        b: Solution,
        Citations.Kvaerno,
        error: new ErrorEstimate(4, [.. Solution.Zip([.. Embedded, 0], (b, lower) => b - lower)]));

    private static double[] Embedded =>
        [0.13855640231268224, 0, -0.04245337201752043, 0.02446657898003141, 0.61943039072480676, γ];

    private static double[] Solution =>
    [
        0.13659751177640291, 0, -0.05496908796538376, -0.04118626728321046, 0.62993304899016403, 0.06962479448202728, γ,
    ];
}
