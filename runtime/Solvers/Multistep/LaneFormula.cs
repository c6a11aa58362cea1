using DiffEqLang.Tableaux;

namespace DiffEqLang.Runtime;

/// <summary>The formula by which one lane takes a step.</summary>
/// <param name="Method">The method.</param>
/// <param name="Order">Of the step; 0 where the lane does not move.</param>
/// <param name="Step">h, with its sign; 0 where the lane does not move.</param>
/// <param name="Places">Of the past values, in steps from the present time: see <see cref="MultistepMethod"/>.</param>
/// <param name="Count">How many past values are taken in a batch: weights are filled up with zeros.</param>
/// <param name="IsStart">Whether the lane knows one value of its solution alone.</param>
internal sealed record LaneFormula(MultistepMethod Method, int Order, double Step, double[] Places, int Count, bool IsStart)
{
    private readonly MultistepFormula _formula = Order == 0
        ? new MultistepFormula([], Method.IsImplicit ? [1.0] : [], 0, [])
        : Method.Formula(Order, Step, Places);

    /// <summary>The weights of the prediction, [past values].</summary>
    public double[] Predictor => Filled(Order == 0 ? _formula.Corrector : _formula.Predictor, Count);

    /// <summary>The weights of the solution, [past values].</summary>
    public double[] Corrector => Filled(_formula.Corrector, Count);

    /// <summary>The weight of the right-hand side.</summary>
    public double Leading => _formula.Leading;

    /// <summary>The weights of the error, [1 + past values].</summary>
    public double[] Error => Filled(_formula.Error, Count + 1);

    /// <summary>The same lane, not moved.</summary>
    public LaneFormula AtRest() => new(Method, 0, 0, [], Count, false);

    /// <summary>The weights of the error that a step of this size would make at another order, [1 + past values]; zeros where that cannot be told.</summary>
    public double[] ErrorAt(int order) => Filled(
        Order == 0 || order < 1 || Method.PastCount(order) > Places.Length ? [] : Method.LocalError(order, Step, Places), Count + 1);

    /// <summary>The weights of the dense output, [1 + past values].</summary>
    public double[] Dense(double theta) => Filled(Order == 0 ? [] : Method.Dense(Order, Step, Places, theta), Count + 1);

    /// <summary>Those of its derivative by θ.</summary>
    public double[] DenseSlopes(double theta) => Filled(Order == 0 ? [] : Method.DenseSlopes(Order, Step, Places, theta), Count + 1);

    private static double[] Filled(double[] weights, int count)
    {
        if (weights.Length != count) Array.Resize(ref weights, count);
        return weights;
    }
}
