namespace DiffEqLang.Tableaux;

/// <summary>
/// An additive Runge-Kutta method for x' = fᴱ(t, x) + fᴵ(t, x): two sets of coefficients over common stages, explicit for the one part and
/// diagonally implicit with an explicit first stage for the other (IMEX, implicit-explicit).
/// Yᵢ = y + h Σⱼ (aᴱᵢⱼ fᴱ(Yⱼ) + aᴵᵢⱼ fᴵ(Yⱼ)),  y₁ = y + h Σᵢ (bᴱᵢ fᴱ(Yᵢ) + bᴵᵢ fᴵ(Yᵢ)).
/// Kennedy and Carpenter (2003), Additive Runge-Kutta schemes for convection-diffusion-reaction equations, Appl. Numer. Math. 44, section 2.
/// </summary>
/// <param name="Explicit">The rows of Aᴱ, the first of them empty: row i has i entries.</param>
/// <param name="Implicit">The rows of Aᴵ, the first of them [0]: row i has i + 1 entries.</param>
/// <param name="ExplicitWeights">bᴱ.</param>
/// <param name="ImplicitWeights">bᴵ.</param>
public sealed record AdditiveMethod(double[][] Explicit, double[][] Implicit, double[] ExplicitWeights, double[] ImplicitWeights)
{
    /// <summary>What is evaluated at which Yᵢ, in this order.</summary>
    private IReadOnlyList<(int At, DriftPart Part)> Evaluations { get; } =
    [
        (0, DriftPart.Whole), (0, DriftPart.Implicit),
        .. Enumerable.Range(1, Explicit.Length - 1)
            .SelectMany<int, (int At, DriftPart Part)>(i => [(i, DriftPart.Implicit), (i, DriftPart.Explicit)])
            .Where(slope => slope.Part == DriftPart.Implicit || slope.At < Explicit.Length - 1 || ExplicitWeights[slope.At] != 0),
    ];

    /// <summary>
    /// As a tableau whose stages evaluate one part each, at Yᵢ first fᴵ, which determines Yᵢ, then fᴱ. Stage 0 is f itself, as that of every
    /// method, and the step's last evaluation is the next one's first; with fᴵ at the same place it stands for fᴱ = f - fᴵ too.
    /// </summary>
    /// <param name="name">As written in <c>method = ...</c>.</param>
    /// <param name="order">Of the method.</param>
    /// <param name="citation">The paper, and the place in it.</param>
    /// <param name="lower">
    /// The weights, of both parts, of the solution of one order less; null where there is none. The estimate is not filtered: a step's end is no
    /// stage, so that what stiffness makes of its error is real.
    /// </param>
    public RungeKuttaTableau Tableau(string name, int order, string citation, double[]? lower = null)
    {
        double[][] rows = [.. Evaluations.Select((slope, i) => Row(Explicit[slope.At], Implicit[slope.At])[..(i + (IsSolved(slope) ? 1 : 0))])];
        double[] Difference(double[] weights) => [.. weights.Zip(lower!, (b, other) => b - other)];
        var error = lower is null
            ? null
            : new ErrorEstimate(order - 1, [.. Row(Difference(ExplicitWeights), Difference(ImplicitWeights)), 0]);
        return new RungeKuttaTableau(
            name, order, rows[1..], Row(ExplicitWeights, ImplicitWeights), citation, error, drifts: [.. Evaluations.Select(slope => slope.Part)]);
    }

    private static bool IsSolved((int At, DriftPart Part) slope) => slope is { At: > 0, Part: DriftPart.Implicit };

    /// <summary>Weights of both parts over all evaluations; those beyond the ends of the rows are zero.</summary>
    private double[] Row(double[] ofExplicit, double[] ofImplicit)
    {
        static double At(double[] row, int i) => i < row.Length ? row[i] : 0;
        return [.. Evaluations.Select(slope => slope switch
        {
            (0, DriftPart.Implicit) => At(ofImplicit, 0) - At(ofExplicit, 0),
            (_, DriftPart.Implicit) => At(ofImplicit, slope.At),
            _ => At(ofExplicit, slope.At),
        })];
    }
}
