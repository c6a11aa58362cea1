namespace DiffEqLang.Tableaux;

/// <summary>Kennedy and Carpenter's additive pair of order 3(2).</summary>
public static class KenCarp3
{
    private const double γ = 1767732205903.0 / 4055673282236;

    private static readonly double[] B =
        [1471266399579.0 / 7840856788654, -4482444167858.0 / 7529755066697, 11266239266428.0 / 11593286722821, γ];

    /// <summary>ARK3(2)4L[2]SA: order 3(2), three implicit stages, L-stable and stiffly accurate in the implicit part; cubic Hermite dense output.</summary>
    public static RungeKuttaTableau Tableau { get; } = new AdditiveMethod(
        Explicit:
        [
            [],
            [1767732205903.0 / 2027836641118],
            [5535828885825.0 / 10492691773637, 788022342437.0 / 10882634858940],
            [6485989280629.0 / 16251701735622, -4246266847089.0 / 9704473918619, 10755448449292.0 / 10357097424841],
        ],
        Implicit:
        [
            [0],
            [γ, γ],
            [2746238789719.0 / 10658868560708, -640167445237.0 / 6845629431997, γ],
            B,
        ],
        B, B).Tableau(
        "kencarp3", order: 3,
        Citations.KennedyCarpenter + ", appendix C, ARK3(2)4L[2]SA",
        lower: [2756255671327.0 / 12835298489170, -10771552573575.0 / 22201958757719, 9247589265047.0 / 10645013368117, 2193209047091.0 / 5459859503100]);
}
