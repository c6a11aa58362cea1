namespace DiffEqLang.Tableaux;

/// <summary>Papers that several methods come from.</summary>
internal static class Citations
{
    public const string Kvaerno =
        "A. Kværnø (2004), Singly diagonally implicit Runge-Kutta methods with an explicit first stage, BIT 44, 489-502";
}
