namespace DiffEqLang.Tableaux;

/// <summary>
/// A pair of Runge-Kutta-Nyström formulas for equations of the second order whose right-hand side has no velocity, q'' = a(t, q): with
/// aᵢ = a(t + cᵢh, q + cᵢh q' + h² Σⱼ Aᵢⱼ aⱼ) a step leads to q + h q' + h² Σᵢ bᵢ aᵢ and q' + h Σᵢ b'ᵢ aᵢ. For its order it needs far fewer
/// evaluations than a method for y' = f(t, y). Hairer, Nørsett and Wanner (1993), Solving Ordinary Differential Equations I, II.14.
/// </summary>
/// <param name="Nodes">The cᵢ.</param>
/// <param name="A">The rows of A, the first of them empty: row i has i entries.</param>
/// <param name="Solution">The weights of the solution that is carried on.</param>
/// <param name="Lower">Those of the solution that the error is estimated by; the last stage has no weight in its positions.</param>
public sealed record NystromPair(double[] Nodes, double[][] A, NystromWeights Solution, NystromWeights Lower)
{
    /// <summary>
    /// As a tableau whose stages move one half of the state each. A stage that moves the positions is the mean velocity up to a node,
    /// q' + h Σⱼ (Aᵢⱼ/cᵢ) aⱼ, and takes no evaluation; one that moves the velocities is the acceleration where the mean velocity leads to.
    /// </summary>
    /// <param name="name">As written in <c>method = ...</c>.</param>
    /// <param name="citation">The paper, and the place in it.</param>
    /// <param name="interpolant">The dense output.</param>
    public RungeKuttaTableau Tableau(string name, string citation, NystromInterpolant interpolant)
    {
        var stages = new NystromStages();
        var (last, lower, end) = (A.Length - 1, 0, 0);
        stages.AddAcceleration(0, 0);
        for (var i = 1; i <= last; i++)
        {
            if (i == last) lower = stages.AddVelocity(Lower.Positions);
            end = stages.AddVelocity([.. A[i].Select(a => a / Nodes[i])]);
            stages.AddAcceleration(Nodes[i], end);
        }

        if (!A[last].SequenceEqual(Solution.Positions.Take(last))) end = stages.AddVelocity(Solution.Positions);
        var solution = stages.Weigh(Solution.Velocities);
        var error = stages.Weigh([.. Solution.Velocities.Zip(Lower.Velocities, (of, other) => of - other)]);
        (solution[end], error[end], error[lower]) = (1, 1, -1);
        var count = stages.AddEnd();
        var dense = interpolant.DenseOutput(stages, Solution, end);
        return new RungeKuttaTableau(
            name, Solution.Order, stages.Rows[1..count], solution, citation, new ErrorEstimate(Lower.Order, [.. error, 0]),
            dense with { ExtraRows = stages.Rows[(count + 1)..] }, stages.Parts)
        {
            IsNystrom = true,
        };
    }
}

/// <summary>The weights of one solution of a <see cref="NystromPair"/>.</summary>
/// <param name="Order">Its order.</param>
/// <param name="Positions">The bᵢ.</param>
/// <param name="Velocities">The b'ᵢ.</param>
public sealed record NystromWeights(int Order, double[] Positions, double[] Velocities);
