using DiffEqLang.Tableaux;

namespace DiffEqLang.Runtime;

/// <summary>A numerical method and its options, by the name that .deq files use.</summary>
/// <param name="Name">Such as <c>dopri5</c>.</param>
public sealed record Method(string Name)
{
    /// <summary>The coefficients of a method that this runtime does not have by name; null for the others.</summary>
    public RungeKuttaTableau? Tableau { get; init; }

    /// <summary>The relative tolerance where none is given.</summary>
    public const double DefaultRtol = 1e-6;

    /// <summary>The absolute tolerance where none is given.</summary>
    public const double DefaultAtol = 1e-8;

    /// <summary>Relative tolerance of adaptive methods; 1e-6 where null.</summary>
    public double? Rtol { get; init; }

    /// <summary>Absolute tolerance of adaptive methods; 1e-8 where null.</summary>
    public double? Atol { get; init; }

    /// <summary>The step of fixed-step solves, positive in both directions; the first step of adaptive ones.</summary>
    public double? Dt { get; init; }

    /// <summary>
    /// Whether the step follows the error. Where null it does if the method estimates its error; false takes steps of
    /// <see cref="Dt"/> with such a method too.
    /// </summary>
    public bool? Adaptive { get; init; }

    /// <summary>The highest order that a method of variable order takes; the method's own where null.</summary>
    public int? Order { get; init; }

    /// <summary>
    /// How the next step follows from the errors of the last ones; where null, by predictive control for radau and the methods of Nyström's, by PI
    /// control for all others.
    /// </summary>
    public StepController? Controller { get; init; }
}
