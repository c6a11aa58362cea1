namespace DiffEqLang.Tableaux;

/// <summary>Gauss' method of two stages (Hammer and Hollingsworth 1955).</summary>
public static class Gauss4
{
    private static readonly double[] Nodes = [0.5 - Math.Sqrt(3) / 6, 0.5 + Math.Sqrt(3) / 6];

    /// <summary>Order 4, two coupled implicit stages, A-stable, symplectic, symmetric.</summary>
    public static RungeKuttaTableau Tableau { get; } = new(
        "gauss4", order: 4,
        a: Collocation.Rows(Nodes),
        b: [0, 1.0 / 2, 1.0 / 2],
        "E. Hairer, G. Wanner (1996), Solving Ordinary Differential Equations II, IV.5; J. C. Butcher (1964), Implicit Runge-Kutta processes, Math. Comp. 18");
}
