namespace DiffEqLang.Tableaux;

/// <summary>Radau IIA of three stages.</summary>
public static class Radau
{
    private static readonly double[] Nodes = [(4 - Math.Sqrt(6)) / 10, (4 + Math.Sqrt(6)) / 10, 1];

    // 1/γ is the real eigenvalue of A⁻¹ (IV.8.3).
    private static readonly double γ = 1 / (3 + Math.Cbrt(9) - Math.Cbrt(3));

    /// <summary>Order 5, three coupled implicit stages, L-stable and stiffly accurate; its polynomial is the dense output, of order 3.</summary>
    public static RungeKuttaTableau Tableau { get; } = new(
        "radau", order: 5,
        a: Collocation.Rows(Nodes),
        b: Collocation.Rows(Nodes)[^1],
        "E. Hairer, G. Wanner (1996), Solving Ordinary Differential Equations II, IV.5 and IV.8",
        error: new ErrorEstimate(3, Estimate()) { Filter = γ },
        dense: new DenseOutput(Collocation.Dense(Nodes), []));

    /// <summary>γ h f(t, y) + e₁z₁ + e₂z₂ + e₃z₃ (IV.8.19) over the slopes, the increments being zᵢ = h Σⱼ aᵢⱼ kⱼ.</summary>
    private static double[] Estimate()
    {
        double[] e = [γ / 3 * (-13 - 7 * Math.Sqrt(6)), γ / 3 * (-13 + 7 * Math.Sqrt(6)), -γ / 3];
        var rows = Collocation.Rows(Nodes);
        return [γ, .. Enumerable.Range(1, 3).Select(j => Enumerable.Range(0, 3).Sum(i => e[i] * rows[i][j]))];
    }
}
