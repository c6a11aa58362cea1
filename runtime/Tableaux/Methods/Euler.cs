namespace DiffEqLang.Tableaux;

/// <summary>Euler's method.</summary>
public static class Euler
{
    /// <summary>Order 1, one stage.</summary>
    public static RungeKuttaTableau Tableau { get; } = new(
        "euler", order: 1,
        a: [],
        b: [1],
        "L. Euler (1768), Institutiones calculi integralis, vol. 1, sect. 2, ch. 7");
}
