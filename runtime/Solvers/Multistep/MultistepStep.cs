using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>A step of a multistep method.</summary>
/// <param name="kernel">What takes it.</param>
/// <param name="geometry">Where it lies in time.</param>
/// <param name="state">The state before it: [samples, N].</param>
/// <param name="predicted">The state that was predicted: [samples, N].</param>
/// <param name="after">The state after it: [samples, N].</param>
/// <param name="values">The new value, then the past ones: [1 + past, lanes, width].</param>
/// <param name="known">Of an implicit method what the solution is without the right-hand side: [samples, N]; else null.</param>
/// <param name="formulas">By which each lane steps.</param>
internal sealed class MultistepStep(
    MultistepKernel kernel, StepGeometry geometry, Tensor state, Tensor predicted, Tensor after, Tensor values, Tensor? known, LaneFormula[] formulas)
    : StepAttempt(geometry, state)
{
    private Tensor? _endSlope;

    /// <summary>By which each lane steps, once judged: a lane that does not move is at rest.</summary>
    public override LaneFormula[] Formulas => formulas;

    /// <inheritdoc/>
    public override bool IsUniform => formulas.Length == 1;

    /// <inheritdoc/>
    public override Tensor After => after;

    /// <inheritdoc/>
    public override Tensor EndTime => Geometry.TimeOf(kernel.EndNode);

    /// <inheritdoc/>
    public override Tensor[]? EndTerms => null;

    /// <inheritdoc/>
    public override Tensor?[] InnerStates => [State, known is null ? predicted : null, null];

    /// <inheritdoc/>
    public override Tensor[]?[] InnerTerms => [];

    /// <summary>The past values that the next step may read beside its present one: [past - 1, lanes, width].</summary>
    public Tensor Older => values.narrow(0, 1, values.size(0) - 2);

    /// <inheritdoc/>
    public override double[] Errors(ErrorNorm norm)
    {
        double[][] At(int beside) => [.. formulas.Select(formula => formula.ErrorAt(formula.Order + beside))];
        var tolerance = norm.Tolerance(State, after).view(formulas.Length, -1);
        double[][] errors =
            [.. LaneWeights.Sums(values, [[.. formulas.Select(formula => formula.Error)], At(-1), At(0), At(1)])
                .Select(error => norm.Of(error, tolerance))];
        kernel.Note(errors[1], errors[2], errors[3]);
        return errors[0];
    }

    /// <inheritdoc/>
    public override Tensor EndSlope()
    {
        if (_endSlope is not null) return _endSlope;
        if (known is null) return _endSlope = kernel.Drift(Geometry, kernel.EndNode, after, out _);
        // From the solution's own equation, without another evaluation, which would multiply what is left of the iteration's error by the stiffness.
        var leading = LaneWeights.Column([.. formulas.Select(formula => formula.Leading)], after);
        _endSlope = after.add(known, Scalars.MinusOne).div(leading);
        // A lane at rest has no such equation.
        if (Array.Exists(formulas, formula => formula.Leading == 0))
            _endSlope = where(leading.eq(Scalars.Of(0)), kernel.Drift(Geometry, kernel.EndNode, after, out _), _endSlope);
        return _endSlope;
    }

    /// <inheritdoc/>
    public override void Extend() { }

    /// <inheritdoc/>
    public override Tensor Increments() => values.view(values.size(0), State.size(0), State.size(1));

    /// <inheritdoc/>
    public override double[] Weights(int lane, double theta) => formulas[lane].Dense(theta);

    /// <inheritdoc/>
    public override double[] SlopeWeights(int lane, double theta) => formulas[lane].DenseSlopes(theta);

    /// <summary>The same step, as taken by some lanes alone.</summary>
    public void Settle(bool[] moves)
    {
        if (!moves.Contains(false)) return;
        predicted = where(tensor(moves, [moves.Length, 1], device: State.device), predicted, State);
        formulas = [.. formulas.Select((formula, lane) => moves[lane] ? formula : formula.AtRest())];
    }
}
