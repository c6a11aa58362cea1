namespace DiffEqLang.Tableaux;

/// <summary>Yoshida's composition of three leapfrog steps, found by Forest and Ruth (1990) too.</summary>
public static class Yoshida4
{
    private static double Outer => 1 / (2 - double.Cbrt(2));

    private static double Inner => 1 - 2 * Outer;

    /// <summary>Order 4, symmetric; the middle of its three leapfrog steps goes backwards.</summary>
    public static RungeKuttaTableau Tableau { get; } = new SymplecticComposition(
        Positions: [Outer, Inner, Outer, 0],
        Momenta: [Outer / 2, (Outer + Inner) / 2, (Inner + Outer) / 2, Outer / 2]).Tableau(
        "yoshida4", order: 4,
        "H. Yoshida (1990), Construction of higher order symplectic integrators, Phys. Lett. A 150, 262-268, (2.11)");
}
