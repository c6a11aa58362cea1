namespace DiffEqLang.Tableaux;

/// <summary>The pair of Bogacki and Shampine.</summary>
public static class Bosh3
{
    /// <summary>Order 3(2), four stages, the last of them the next step's first; cubic Hermite dense output.</summary>
    public static RungeKuttaTableau Tableau { get; } = new(
        "bosh3", order: 3,
        a: [[1.0 / 2], [0, 3.0 / 4], [2.0 / 9, 1.0 / 3, 4.0 / 9]],
        b: [2.0 / 9, 1.0 / 3, 4.0 / 9, 0],
        "P. Bogacki, L. F. Shampine (1989), A 3(2) pair of Runge-Kutta formulas, Appl. Math. Lett. 2, 321-325",
        error: new ErrorEstimate(2, [-5.0 / 72, 1.0 / 12, 1.0 / 9, -1.0 / 8]));
}
