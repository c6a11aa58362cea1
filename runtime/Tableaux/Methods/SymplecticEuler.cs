namespace DiffEqLang.Tableaux;

/// <summary>The symplectic Euler method.</summary>
public static class SymplecticEuler
{
    /// <summary>Order 1: the momenta by Euler's method, then the positions with the new momenta.</summary>
    public static RungeKuttaTableau Tableau { get; } = new SymplecticComposition(Positions: [1], Momenta: [1]).Tableau(
        "symplectic_euler", order: 1,
        "E. Hairer, C. Lubich, G. Wanner (2006), Geometric Numerical Integration, 2nd ed., VI.3.1");
}
