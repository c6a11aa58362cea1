namespace DiffEqLang.Tableaux;

/// <summary>The leapfrog method, known as velocity Verlet too.</summary>
public static class Leapfrog
{
    /// <summary>Order 2, symmetric: half a step of the momenta, a step of the positions, half a step of the momenta.</summary>
    public static RungeKuttaTableau Tableau { get; } = new SymplecticComposition(Positions: [1, 0], Momenta: [0.5, 0.5]).Tableau(
        "leapfrog", order: 2,
        "E. Hairer, C. Lubich, G. Wanner (2003), Geometric numerical integration illustrated by the Störmer-Verlet method, Acta Numerica 12, 399-450, (1.4)");
}
