namespace DiffEqLang.Tableaux;

/// <summary>Cox and Matthews' exponential time differencing of order 4.</summary>
public static class EtdRk4
{
    private static readonly PhiTerm[] Middle = [new(2, 2, 1), new(-4, 3, 1)];

    /// <summary>Order 4, four stages; in the form of Hochbruck and Ostermann (2005), SIAM J. Numer. Anal. 43, 5.3, with φ₁(z/2)(e^(z/2) - 1)/2 = φ₁(z) - φ₁(z/2).</summary>
    public static ExponentialMethod Method { get; } = new(
        "etdrk4", 4, [0, 0.5, 0.5, 1],
        [
            [],
            [[new(0.5, 1, 0.5)]],
            [[], [new(0.5, 1, 0.5)]],
            [[new(1, 1, 1), new(-1, 1, 0.5)], [], [new(1, 1, 0.5)]],
        ],
        [[new(1, 1, 1), new(-3, 2, 1), new(4, 3, 1)], Middle, Middle, [new(-1, 2, 1), new(4, 3, 1)]],
        Rk4.Tableau,
        "S. M. Cox, P. C. Matthews (2002), Exponential time differencing for stiff systems, J. Comput. Phys. 176, equations 26 to 29");
}
