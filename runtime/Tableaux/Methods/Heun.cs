namespace DiffEqLang.Tableaux;

/// <summary>Heun's method, the explicit trapezoidal rule.</summary>
public static class Heun
{
    /// <summary>Order 2, two stages.</summary>
    public static RungeKuttaTableau Tableau { get; } = new(
        "heun", order: 2,
        a: [[1]],
        b: [0.5, 0.5],
        "K. Heun (1900), Neue Methoden zur approximativen Integration, Z. Math. Phys. 45, 23-38");
}
