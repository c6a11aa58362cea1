namespace DiffEqLang.Tableaux;

/// <summary>Weight · φₖ(c z).</summary>
/// <param name="Weight">The factor.</param>
/// <param name="Order">k.</param>
/// <param name="Scale">c.</param>
public readonly record struct PhiTerm(double Weight, int Order, double Scale);

/// <summary>
/// An explicit exponential Runge-Kutta method for x' = A x + f(t, x): Runge and Kutta's with functions of z = hA for coefficients, exact where
/// f vanishes, however stiff A is.
/// Uᵢ = e^(cᵢ z) y + h Σⱼ aᵢⱼ(z) f(t + cⱼ h, Uⱼ),  y₁ = e^z y + h Σᵢ bᵢ(z) f(t + cᵢ h, Uᵢ),  with φ₀(z) = e^z, φₖ₊₁(z) = (φₖ(z) - 1/k!)/z.
/// Hochbruck and Ostermann (2010), Exponential integrators, Acta Numerica 19, 2.3.
/// </summary>
/// <param name="Name">As written in <c>method = ...</c>.</param>
/// <param name="Order">Of the method, where A is not stiff.</param>
/// <param name="Nodes">cᵢ, the first 0.</param>
/// <param name="A">aᵢⱼ: row i has i entries, each a sum of terms.</param>
/// <param name="B">bᵢ.</param>
/// <param name="Underlying">The Runge-Kutta method that it is where A vanishes.</param>
/// <param name="Citation">The paper, and the place in it.</param>
public sealed record ExponentialMethod(
    string Name, int Order, double[] Nodes, PhiTerm[][][] A, PhiTerm[][] B, RungeKuttaTableau Underlying, string Citation)
{
    /// <summary>The functions that the method is made of, by their scales: the highest order of each.</summary>
    public IReadOnlyDictionary<double, int> Orders { get; } =
        A.SelectMany(row => row).Concat(B).SelectMany(terms => terms)
            .Concat(Nodes.Append(1).Where(c => c != 0).Select(c => new PhiTerm(1, 0, c)))
            .GroupBy(term => term.Scale)
            .ToDictionary(terms => terms.Key, terms => terms.Max(term => term.Order));
}
