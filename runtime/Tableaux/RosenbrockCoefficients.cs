namespace DiffEqLang.Tableaux;

/// <summary>
/// What a Rosenbrock method has beside A and b. Its stages solve linear equations with the Jacobian J at the step's start:
/// (I - hγJ) kᵢ = γ (f(t + αᵢ h, y + h Σⱼ aᵢⱼ kⱼ) + Σⱼ cᵢⱼ kⱼ + h γᵢ ∂f/∂t).
/// </summary>
/// <remarks>
/// Hairer and Wanner (1996), Solving Ordinary Differential Equations II, IV.7.25, with u = h k: a form without products of J and vectors. Its
/// a, c and b are α Γ⁻¹, 1/γ - Γ⁻¹ and b Γ⁻¹ of the method's usual coefficients.
/// </remarks>
/// <param name="γ">The diagonal of Γ, the same for all stages.</param>
/// <param name="Coupling">The rows c: row i has i entries.</param>
/// <param name="Nodes">αᵢ: where in the step the stages lie.</param>
/// <param name="TimeWeights">γᵢ, the sums of Γ's rows.</param>
public sealed record RosenbrockCoefficients(double γ, double[][] Coupling, double[] Nodes, double[] TimeWeights)
{
    /// <summary>What the stages are where f is one everywhere: kᵢ = γ (1 + Σⱼ cᵢⱼ kⱼ). Of stage 0, which is f itself, one.</summary>
    public double[] OfConstantSlope
    {
        get
        {
            var slopes = new double[Coupling.Length];
            for (var i = 0; i < slopes.Length; i++)
                slopes[i] = i == 0 ? 1 : γ * (1 + Coupling[i].Select((c, j) => c * slopes[j]).Sum());
            return slopes;
        }
    }

    /// <summary>The form of the stages from the method's usual coefficients.</summary>
    /// <param name="γ">The diagonal of Γ.</param>
    /// <param name="alpha">The rows α below the diagonal: row i has i entries.</param>
    /// <param name="gamma">The rows of Γ below the diagonal.</param>
    /// <param name="b">Any number of weights over all stages.</param>
    internal static (double[][] A, RosenbrockCoefficients Coefficients, double[][] Weights) Of(
        double γ, double[][] alpha, double[][] gamma, params double[][] b)
    {
        var count = alpha.Length;
        var inverse = InverseOf(γ, gamma);
        double[] Times(double[] row, int length) =>
            [.. Enumerable.Range(0, length).Select(j => Enumerable.Range(0, row.Length).Sum(i => i < j ? 0 : row[i] * inverse[i][j]))];
        var coefficients = new RosenbrockCoefficients(
            γ,
            [.. Enumerable.Range(0, count).Select(i => inverse[i][..i].Select(value => -value).ToArray())],
            [.. alpha.Select(row => row.Sum())],
            [.. gamma.Select(row => γ + row.Sum())]);
        return ([.. alpha.Select((row, i) => Times(row, i))], coefficients, [.. b.Select(weights => Times(weights, count))]);
    }

    /// <summary>The same with stage 0, f(t, y), on which nothing depends but stage 1, whose right-hand side it is.</summary>
    internal RosenbrockCoefficients WithFirstStage() =>
        new(γ, [[], .. Coupling.Select(row => (double[])[0, .. row])], [0, .. Nodes], [0, .. TimeWeights]);

    /// <summary>The rows of the inverse of a lower triangular matrix, diagonal and below.</summary>
    private static double[][] InverseOf(double diagonal, double[][] below)
    {
        var rows = new double[below.Length][];
        for (var i = 0; i < rows.Length; i++)
        {
            rows[i] = new double[i + 1];
            rows[i][i] = 1 / diagonal;
            for (var j = 0; j < i; j++)
                rows[i][j] = -Enumerable.Range(j, i - j).Sum(l => below[i][l] * rows[l][j]) / diagonal;
        }

        return rows;
    }
}
