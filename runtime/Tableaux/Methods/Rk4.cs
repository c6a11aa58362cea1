namespace DiffEqLang.Tableaux;

/// <summary>The classical method of Kutta.</summary>
public static class Rk4
{
    /// <summary>Order 4, four stages.</summary>
    public static RungeKuttaTableau Tableau { get; } = new(
        "rk4", order: 4,
        a: [[0.5], [0, 0.5], [0, 0, 1]],
        b: [1.0 / 6, 1.0 / 3, 1.0 / 3, 1.0 / 6],
        "W. Kutta (1901), Beitrag zur näherungsweisen Integration totaler Differentialgleichungen, Z. Math. Phys. 46, 435-453");
}
