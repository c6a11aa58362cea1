namespace DiffEqLang.Tableaux;

/// <summary>Euler's method, explicit in one part of the right-hand side and implicit in the other.</summary>
public static class ImexEuler
{
    /// <summary>Order 1: y₁ = y + h fᴱ(y) + h fᴵ(y₁), L-stable in the implicit part.</summary>
    public static RungeKuttaTableau Tableau { get; } = new AdditiveMethod([[], [1]], [[0], [0, 1]], [1, 0], [0, 1]).Tableau(
        "imex_euler", order: 1,
        "U. M. Ascher, S. J. Ruuth, R. J. Spiteri (1997), Implicit-explicit Runge-Kutta methods for time-dependent partial differential equations, Appl. Numer. Math. 25, section 2.1");
}
