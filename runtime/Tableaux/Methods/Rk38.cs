namespace DiffEqLang.Tableaux;

/// <summary>Kutta's 3/8 rule.</summary>
public static class Rk38
{
    /// <summary>Order 4, four stages.</summary>
    public static RungeKuttaTableau Tableau { get; } = new(
        "rk38", order: 4,
        a: [[1.0 / 3], [-1.0 / 3, 1], [1, -1, 1]],
        b: [1.0 / 8, 3.0 / 8, 3.0 / 8, 1.0 / 8],
        "W. Kutta (1901), Beitrag zur näherungsweisen Integration totaler Differentialgleichungen, Z. Math. Phys. 46, 435-453");
}
