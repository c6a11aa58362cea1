namespace DiffEqLang.Tableaux;

/// <summary>Papers that several methods come from.</summary>
internal static class Citations
{
    public const string Kvaerno =
        "A. Kværnø (2004), Singly diagonally implicit Runge-Kutta methods with an explicit first stage, BIT 44, 489-502";

    public const string KennedyCarpenter =
        "C. A. Kennedy, M. H. Carpenter (2003), Additive Runge-Kutta schemes for convection-diffusion-reaction equations, Appl. Numer. Math. 44, 139-181";
}
