namespace DiffEqLang.Tableaux;

/// <summary>Ralston's method: of the two-stage methods, that with the smallest error bound.</summary>
public static class Ralston
{
    /// <summary>Order 2, two stages.</summary>
    public static RungeKuttaTableau Tableau { get; } = new(
        "ralston", order: 2,
        a: [[2.0 / 3]],
        b: [0.25, 0.75],
        "A. Ralston (1962), Runge-Kutta methods with minimum error bounds, Math. Comp. 16, 431-437");
}
