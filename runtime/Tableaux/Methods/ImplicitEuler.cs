namespace DiffEqLang.Tableaux;

/// <summary>The implicit (backward) Euler method.</summary>
public static class ImplicitEuler
{
    /// <summary>Order 1, one implicit stage, L-stable; its error estimate is the difference to the trapezoidal rule.</summary>
    public static RungeKuttaTableau Tableau { get; } = new(
        "implicit_euler", order: 1,
        a: [[0, 1]],
        b: [0, 1],
        "E. Hairer, G. Wanner (1996), Solving Ordinary Differential Equations II, IV.3",
        error: new ErrorEstimate(1, [-1.0 / 2, 1.0 / 2]) { Filter = 1 });
}
