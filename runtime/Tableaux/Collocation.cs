namespace DiffEqLang.Tableaux;

/// <summary>
/// Implicit methods whose step is a polynomial through the start with the right-hand side's slope at given nodes:
/// aᵢⱼ = ∫₀^cᵢ ℓⱼ, bⱼ = ∫₀¹ ℓⱼ, with ℓⱼ Lagrange's polynomials of the nodes. Hairer, Nørsett and Wanner (1993), II.7.
/// </summary>
internal static class Collocation
{
    /// <summary>The rows of A, after that of stage 0, whose weight is zero.</summary>
    public static double[][] Rows(ReadOnlySpan<double> nodes)
    {
        var rows = new double[nodes.Length][];
        for (var i = 0; i < rows.Length; i++) rows[i] = Weights(nodes, nodes[i]);
        return rows;
    }

    /// <summary>The weights of the polynomial at θ over all stages: at 1 the method's b.</summary>
    public static double[] Weights(ReadOnlySpan<double> nodes, double θ)
    {
        var weights = new double[nodes.Length + 1];
        for (var j = 0; j < nodes.Length; j++)
        {
            var power = θ;
            foreach (var coefficient in Dense(nodes)[j + 1])
            {
                weights[j + 1] += coefficient * power;
                power *= θ;
            }
        }

        return weights;
    }

    /// <summary>The polynomial itself: of every stage, the coefficients of θ, θ² ...</summary>
    public static double[][] Dense(ReadOnlySpan<double> nodes)
    {
        var weights = new double[nodes.Length + 1][];
        weights[0] = new double[nodes.Length];
        for (var j = 0; j < nodes.Length; j++)
        {
            List<double[]> factors = [];
            for (var i = 0; i < nodes.Length; i++)
                if (i != j)
                    factors.Add([-nodes[i] / (nodes[j] - nodes[i]), 1 / (nodes[j] - nodes[i])]);
            weights[j + 1] = [.. Polynomials.Product(1, [.. factors]).Select((coefficient, power) => coefficient / (power + 1))];
        }

        return weights;
    }
}
