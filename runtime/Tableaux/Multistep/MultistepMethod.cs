namespace DiffEqLang.Tableaux;

/// <summary>
/// A linear multistep method of variable order and step: its formulas over past values, wherever those lie. Values are the states of
/// differentiation formulas, and the right-hand side's slopes of quadrature formulas.
/// </summary>
/// <remarks>
/// Places count in steps from the present time: past value j lies at sⱼ = (tₙ₋ⱼ - tₙ)/h, so that s₀ = 0 and the step ends at 1.
/// Nothing is assumed of the steps before, so that each step may have any size.
/// </remarks>
public abstract class MultistepMethod
{
    private protected MultistepMethod(string name, int mostOrder, bool isImplicit, RungeKuttaTableau start, string citation) =>
        (Name, MostOrder, IsImplicit, Start, Citation) = (name, mostOrder, isImplicit, start, citation);

    /// <summary>As written in <c>method = ...</c>.</summary>
    public string Name { get; }

    /// <summary>The highest order.</summary>
    public int MostOrder { get; }

    /// <summary>Whether a step solves equations: then past values are states, else slopes.</summary>
    public bool IsImplicit { get; }

    /// <summary>The one-step method that a step of order 1 is.</summary>
    public RungeKuttaTableau Start { get; }

    /// <summary>The paper, and the place in it.</summary>
    public string Citation { get; }

    /// <summary>How many past values, the present one included, a step of an order reads.</summary>
    public abstract int PastCount(int order);

    /// <summary>The highest order that reads values of the solution alone, after so many steps.</summary>
    public abstract int OrderAfter(int steps);

    /// <summary>A step of an order over values at some places.</summary>
    /// <param name="order">From 1 to <see cref="MostOrder"/>.</param>
    /// <param name="step">h, with its sign.</param>
    /// <param name="places">At least <see cref="PastCount"/> of them.</param>
    public abstract MultistepFormula Formula(int order, double step, ReadOnlySpan<double> places);

    /// <summary>
    /// The weights, of the new value and the past ones, of the local error that steps of this size would make at an order: what orders
    /// are chosen by.
    /// </summary>
    public abstract double[] LocalError(int order, double step, ReadOnlySpan<double> places);

    /// <summary>The weights, of the new value and the past ones, by which the state at θ of the step differs from that before it.</summary>
    public abstract double[] Dense(int order, double step, ReadOnlySpan<double> places, double theta);

    /// <summary>Their derivative by θ.</summary>
    public abstract double[] DenseSlopes(int order, double step, ReadOnlySpan<double> places, double theta);

    /// <summary>
    /// h^m m! times the divided difference of the new value and m past ones: with equal steps the backward difference, h^m times the
    /// value's m-th derivative.
    /// </summary>
    private protected static double[] ScaledDifference(int count, double factor, ReadOnlySpan<double> places)
    {
        for (var i = 0; i < count; i++) factor *= (i + 1) / (1 - places[i]);
        var extrapolation = new LagrangeBasis(places[..count]).Values(1);
        return [factor, .. extrapolation.Select(weight => -factor * weight)];
    }
}

/// <summary>
/// One step of a multistep method. The prediction is Σ pⱼ vⱼ; the solution Σ cⱼ vⱼ + c f(t + h, ·), f at the solution itself where the
/// method is implicit, else at the prediction; both of methods whose values are slopes added to the present state.
/// </summary>
/// <param name="Predictor">pⱼ.</param>
/// <param name="Corrector">cⱼ.</param>
/// <param name="Leading">c, with the step in it.</param>
/// <param name="Error">The weights of the local error, of the new value (the solution, or f at the prediction) and the past ones.</param>
public sealed record MultistepFormula(double[] Predictor, double[] Corrector, double Leading, double[] Error);
