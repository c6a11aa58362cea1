namespace DiffEqLang.Tableaux;

/// <summary>McLachlan's symmetric composition of order 4.</summary>
public static class McLachlan
{
    private static double Root => Math.Sqrt(19);

    /// <summary>The βᵢ, i = 1 to 5; those of the adjoint, αᵢ, are the same from behind.</summary>
    private static double[] Beta =>
        [(14 - Root) / 108, (-23 - 20 * Root) / 270, 1.0 / 5, (-2 + 10 * Root) / 135, (146 + 5 * Root) / 540];

    private static double[] Alpha => [.. Beta.Reverse()];

    /// <summary>Order 4, symmetric, five steps of the positions; its error is some hundred times less than yoshida4's.</summary>
    public static RungeKuttaTableau Tableau { get; } = new SymplecticComposition(
        Positions: [.. Alpha.Zip(Beta, (α, β) => α + β), 0],
        Momenta: [.. ((double[])[0, .. Alpha]).Zip([.. Beta, 0], (α, β) => α + β)]).Tableau(
        "mclachlan", order: 4,
        "R. I. McLachlan (1995), On the numerical integration of ordinary differential equations by symmetric composition methods, SIAM J. Sci. Comput. 16, 151-168; Hairer, Lubich and Wanner (2006), V.3.6");
}
