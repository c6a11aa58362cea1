namespace DiffEqLang.Tableaux;

/// <summary>The pair of Dormand and Prince.</summary>
public static class Dopri5
{
    /// <summary>
    /// Order 5(4), seven stages, the last of them the next step's first; dense output of order 4 after Hairer, Nørsett and
    /// Wanner (1993), Solving Ordinary Differential Equations I, II.6 (the one of their code DOPRI5).
    /// </summary>
    public static RungeKuttaTableau Tableau { get; } = new(
        "dopri5", order: 5,
        a:
        [
            [1.0 / 5],
            [3.0 / 40, 9.0 / 40],
            [44.0 / 45, -56.0 / 15, 32.0 / 9],
            [19372.0 / 6561, -25360.0 / 2187, 64448.0 / 6561, -212.0 / 729],
            [9017.0 / 3168, -355.0 / 33, 46732.0 / 5247, 49.0 / 176, -5103.0 / 18656],
            Solution,
        ],
        b: [.. Solution, 0],
        "J. R. Dormand, P. J. Prince (1980), A family of embedded Runge-Kutta formulae, J. Comput. Appl. Math. 6, 19-26",
        error: new ErrorEstimate(4, [71.0 / 57600, 0, -71.0 / 16695, 71.0 / 1920, -17253.0 / 339200, 22.0 / 525, -1.0 / 40]),
        dense: new DenseOutput(DenseWeights(), []));

    private static double[] Solution => [35.0 / 384, 0, 500.0 / 1113, 125.0 / 192, -2187.0 / 6784, 11.0 / 84];

    /// <summary>
    /// y + θ(Δy + (1 - θ)(hf₀ - Δy + θ(2Δy - h(f₀ + f₁) + (1 - θ) h Σ dᵢkᵢ))): Hermite's cubic and a quartic correction.
    /// </summary>
    private static double[][] DenseWeights()
    {
        double[] correction =
        [
            -12715105075.0 / 11282082432, 0, 87487479700.0 / 32700410799, -10690763975.0 / 1880347072,
            701980252875.0 / 199316789632, -1453857185.0 / 822651844, 69997945.0 / 29380423,
        ];
        double[] b = [.. Solution, 0];
        return [.. b.Select((weight, i) => Weight(weight, i == 0 ? 1 : 0, i == 6 ? 1 : 0, correction[i]))];
    }

    private static double[] Weight(double b, double first, double last, double d) =>
        [first, 3 * b - 2 * first - last + d, -2 * b + first + last - 2 * d, d];
}
