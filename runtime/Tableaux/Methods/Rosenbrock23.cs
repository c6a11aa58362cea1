namespace DiffEqLang.Tableaux;

/// <summary>Shampine and Reichelt's Rosenbrock method, known as ode23s.</summary>
public static class Rosenbrock23
{
    private static readonly double d = 1 / (2 + Math.Sqrt(2));
    private static readonly double e32 = 6 + Math.Sqrt(2);

    /// <summary>Order 2(3), three linear stages, L-stable; cubic Hermite dense output.</summary>
    /// <remarks>
    /// The paper's third stage, with f at the second's place, is the Rosenbrock stage below once its f are expressed by the other two
    /// stages.
    /// </remarks>
    public static RungeKuttaTableau Tableau { get; } = Of();

    private static RungeKuttaTableau Of()
    {
        var (a, coefficients, weights) = RosenbrockCoefficients.Of(
            d,
            alpha: [[], [1.0 / 2], [0, 1]],
            gamma: [[], [-d], [(e32 - 2) * d, -e32 * d]],
            [0, 1, 0],
            [-1.0 / 6, 4.0 / 3, -1.0 / 6]);
        return RungeKuttaTableau.OfRosenbrock(
            "rosenbrock23", order: 2, a, weights[0], weights[1], lowerOrder: 2,
            "L. F. Shampine, M. W. Reichelt (1997), The MATLAB ODE suite, SIAM J. Sci. Comput. 18, 1-22",
            coefficients);
    }
}
