namespace DiffEqLang.Tableaux;

/// <summary>The exponential Euler method, or exponential time differencing of order 1.</summary>
public static class Etd1
{
    /// <summary>Order 1: y₁ = e^z y + h φ₁(z) f(t, y).</summary>
    public static ExponentialMethod Method { get; } = new(
        "etd1", 1, [0], [[]], [[new(1, 1, 1)]], Euler.Tableau,
        "S. M. Cox, P. C. Matthews (2002), Exponential time differencing for stiff systems, J. Comput. Phys. 176, equation 4");
}
