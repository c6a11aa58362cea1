namespace DiffEqLang.Runtime;

/// <summary>
/// Chooses the next step from the error of this step and of the two before it:
/// hₙ₊₁ = safety · hₙ · εₙ^(-β₁/k) · εₙ₋₁^(-β₂/k) · εₙ₋₂^(-β₃/k) · (hₙ/hₙ₋₁)^(-α₂), where ε is the error in units of the tolerance and k the
/// order of the error estimate plus one.
/// </summary>
/// <remarks>G. Söderlind (2003), Digital filters in adaptive time-stepping, ACM TOMS 29, 1-26, eq. 31.</remarks>
/// <param name="Beta1">The weight of the last error.</param>
/// <param name="Beta2">The weight of the error before it.</param>
/// <param name="Beta3">The weight of the error before that.</param>
public sealed record StepController(double Beta1, double Beta2 = 0, double Beta3 = 0)
{
    /// <summary>Integral control alone: the textbook's rule.</summary>
    public static StepController I { get; } = new(1);

    /// <summary>
    /// Proportional and integral control with the weights of the code DOPRI5, β = 0.2/k and α = 1/k - 0.75β:
    /// Hairer and Wanner (1996), Solving Ordinary Differential Equations II, IV.2.
    /// </summary>
    public static StepController PI { get; } = new(0.85, -0.2);

    /// <summary>The digital filter H312PID of Söderlind (2003), table 3: smooth step sequences.</summary>
    public static StepController PID { get; } = new(1.0 / 18, 1.0 / 9, 1.0 / 18);

    /// <summary>
    /// Predictive control: the error's constant is expected to change as it did over the last step, but no step is longer than integral control
    /// makes it. Suits stiff equations, whose steps grow and shrink by orders of magnitude, and orbits, whose steps do so in every close encounter;
    /// radau and the methods of Nyström's take it where none is chosen.
    /// Gustafsson (1994), Control-theoretic techniques for stepsize selection in implicit Runge-Kutta methods, ACM TOMS 20, 496-517; Hairer and
    /// Wanner (1996), Solving Ordinary Differential Equations II, IV.8.25.
    /// </summary>
    public static StepController Predictive { get; } = new(2, -1) { Alpha2 = -1 };

    /// <summary>α₂, minus the power of hₙ/hₙ₋₁. Where it is not zero, steps are not longer than integral control makes them.</summary>
    public double Alpha2 { get; init; }

    /// <summary>Keeps the step below the one that would just meet the tolerance.</summary>
    public double Safety { get; init; } = 0.9;

    /// <summary>The most that one step shrinks by.</summary>
    public double MinFactor { get; init; } = 0.2;

    /// <summary>The most that one step grows by.</summary>
    public double MaxFactor { get; init; } = 10;
}
