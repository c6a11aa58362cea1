namespace DiffEqLang.Tableaux;

/// <summary>A step of the trapezoidal rule, then one of the second backward differentiation formula.</summary>
public static class TrBdf2
{
    private static readonly double d = 1 - Math.Sqrt(2) / 2;
    private static readonly double w = Math.Sqrt(2) / 4;

    /// <summary>Order 2(3), an explicit and two implicit stages, L-stable and stiffly accurate; cubic Hermite dense output.</summary>
    public static RungeKuttaTableau Tableau { get; } = new(
        "trbdf2", order: 2,
        a: [[d, d], [w, w, d]],
        b: [w, w, d],
        "M. E. Hosea, L. F. Shampine (1996), Analysis and implementation of TR-BDF2, Appl. Numer. Math. 20, 21-37",
        error: new ErrorEstimate(2, [w - (1 - w) / 3, w - (3 * w + 1) / 3, d - d / 3]) { Filter = d });
}
