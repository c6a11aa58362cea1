namespace DiffEqLang.Tableaux;

/// <summary>The explicit midpoint rule.</summary>
public static class Midpoint
{
    /// <summary>Order 2, two stages.</summary>
    public static RungeKuttaTableau Tableau { get; } = new(
        "midpoint", order: 2,
        a: [[0.5]],
        b: [0, 1],
        "C. Runge (1895), Über die numerische Auflösung von Differentialgleichungen, Math. Ann. 46, 167-178");
}
