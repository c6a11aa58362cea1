namespace DiffEqLang.Tableaux;

/// <summary>The implicit midpoint rule, which is Gauss' method of one stage.</summary>
public static class ImplicitMidpoint
{
    /// <summary>Order 2, one implicit stage, A-stable, symplectic, symmetric.</summary>
    public static RungeKuttaTableau Tableau { get; } = new(
        "implicit_midpoint", order: 2,
        a: [[0, 1.0 / 2]],
        b: [0, 1],
        "E. Hairer, Ch. Lubich, G. Wanner (2006), Geometric Numerical Integration, II.1.1 and VI.4");
}
