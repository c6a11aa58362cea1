namespace DiffEqLang.Tableaux;

/// <summary>
/// The dense output of a <see cref="NystromPair"/>: q(t + θh) = q + θh q' + h² Σⱼ βⱼ(θ) aⱼ, and its derivative. The accelerations are those of
/// the stages, then that at the step's end, then those at further places.
/// </summary>
/// <param name="Polynomials">Of each acceleration, the coefficients of θ², θ³, ... in βⱼ; all equally many.</param>
/// <param name="Further">The further places θ, and the weights βⱼ(θ) that lead there.</param>
public sealed record NystromInterpolant(double[][] Polynomials, IReadOnlyList<(double Place, double[] Weights)> Further)
{
    /// <summary>
    /// By bootstrapping (Enright, Jackson, Nørsett and Thomsen 1986, Interpolants for Runge-Kutta formulas, ACM Trans. Math. Softw. 12): a
    /// polynomial through the accelerations at both ends and at some stages, and through the solution, leads to further places; a second one
    /// goes through the accelerations there. Each time the positions gain two orders on the accelerations that they come from.
    /// </summary>
    /// <param name="pair">The pair.</param>
    /// <param name="stages">Stages whose positions err little.</param>
    /// <param name="places">The further places.</param>
    public static NystromInterpolant Bootstrapped(NystromPair pair, int[] stages, double[] places)
    {
        var end = pair.A.Length;
        var first = Through(pair, [(0, 0), .. stages.Select(i => (pair.Nodes[i], i)), (1, end)], end + 1);
        var second = Through(pair, [(0, 0), .. places.Select((place, i) => (place, end + 1 + i)), (1, end)], end + 1 + places.Length);
        return new(second, [.. places.Select(place => (place, first.Select(polynomial => At(polynomial, place)).ToArray()))]);
    }

    /// <summary>Adds the stages that it needs, whose rows are left to the caller.</summary>
    /// <param name="stages">Those of the pair, up to the slope at the step's end.</param>
    /// <param name="solution">The pair's solution.</param>
    /// <param name="last">The stage that is the mean velocity of the whole step.</param>
    internal DenseOutput DenseOutput(NystromStages stages, NystromWeights solution, int last)
    {
        var end = stages.Rows.Length - 1;
        foreach (var (place, weights) in Further)
            stages.AddAcceleration(place, stages.AddVelocity([.. weights.Select(weight => weight / place)]));
        var degree = Polynomials[0].Length + 1;
        var (before, after) = (stages.AddVelocity([]), stages.AddVelocity(solution.Velocities));
        int[] ofPowers = [.. Enumerable.Range(0, degree - 2).Select(m => stages.AddVelocity([.. Polynomials.Select(beta => beta[m])]))];
        var powers = stages.Rows.Select(_ => new double[degree]).ToArray();

        // θ q' + Σₘ θᵐ (vₘ - q'), with vₘ the mean velocity of a power; that of the highest by what the step's own is.
        powers[before][0] = 1;
        powers[last][degree - 1] += 1;
        powers[before][degree - 1] -= 1;
        for (var m = 0; m < ofPowers.Length; m++)
        {
            (powers[ofPowers[m]][m + 1], powers[ofPowers[m]][degree - 1]) = (1, -1);
            powers[before][m + 1] -= 1;
            powers[before][degree - 1] += 1;
        }

        // The velocities' are the derivatives; at the step's end the whole slope is one stage, of whose positions nothing is wanted.
        for (var m = 0; m < degree - 1; m++)
        {
            var derivative = stages.Weigh([.. Polynomials.Select(beta => (m + 2) * beta[m])]);
            for (var stage = 0; stage < derivative.Length; stage++) powers[stage][m] += derivative[stage];
            powers[after][m] -= derivative[end];
        }

        return new DenseOutput(powers, []);
    }

    /// <summary>
    /// The polynomials of q(t + θh) whose second derivative goes through some accelerations, and which arrives at the pair's solution: two degrees
    /// more than that takes, multiples of the product ω of the nodes' factors.
    /// </summary>
    private static double[][] Through(NystromPair pair, (double Place, int Acceleration)[] nodes, int count)
    {
        double[] Factor((double Place, int) node, double scale) => [-node.Place / scale, 1 / scale];
        var degree = nodes.Length + 1;
        double[] ω = [.. Tableaux.Polynomials.Product(1, [.. nodes.Select(node => Factor(node, 1))]), 0];
        double[] θω = [0, .. ω[..^1]];
        var determinant = Integral(ω) * DoubleIntegral(θω) - Integral(θω) * DoubleIntegral(ω);
        var ofAccelerations = new double[count][];
        for (var j = 0; j < count; j++)
        {
            var own = Array.FindIndex(nodes, node => node.Acceleration == j);
            double[] polynomial = own < 0
                ? new double[degree + 1]
                : [.. Tableaux.Polynomials.Product(1, [.. nodes.Where((_, i) => i != own).Select(node => Factor(node, nodes[own].Place - node.Place))]), 0, 0];
            var velocity = (j < pair.A.Length ? pair.Solution.Velocities[j] : 0) - Integral(polynomial);
            var position = (j < pair.A.Length ? pair.Solution.Positions[j] : 0) - DoubleIntegral(polynomial);
            var (ofω, ofθω) = (
                (velocity * DoubleIntegral(θω) - Integral(θω) * position) / determinant,
                (Integral(ω) * position - velocity * DoubleIntegral(ω)) / determinant);
            ofAccelerations[j] = [.. polynomial.Select((coefficient, k) => (coefficient + ofω * ω[k] + ofθω * θω[k]) / ((k + 1) * (k + 2)))];
        }

        return ofAccelerations;
    }

    /// <summary>∫₀¹ p(θ) dθ.</summary>
    private static double Integral(double[] p) => p.Select((coefficient, k) => coefficient / (k + 1)).Sum();

    /// <summary>∫₀¹ ∫₀ˢ p(θ) dθ ds.</summary>
    private static double DoubleIntegral(double[] p) => p.Select((coefficient, k) => coefficient / ((k + 1) * (k + 2))).Sum();

    /// <summary>β(θ) of the coefficients of θ², θ³, ...</summary>
    private static double At(double[] coefficients, double θ) => coefficients.Reverse().Aggregate(0.0, (sum, c) => sum * θ + c) * θ * θ;
}
