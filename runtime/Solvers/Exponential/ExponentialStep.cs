using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>A step of an exponential method; its dense output is the cubic through both ends with their slopes.</summary>
/// <param name="kernel">What took it.</param>
/// <param name="geometry">Where it lies in time.</param>
/// <param name="states">Uᵢ, and behind them the state after the step: [samples, N] each.</param>
/// <param name="slopes">f at the Uᵢ, without the linear part.</param>
internal sealed class ExponentialStep(ExponentialKernel kernel, StepGeometry geometry, Tensor[] states, Tensor[] slopes)
    : StepAttempt(geometry, states[0])
{
    private Tensor? _startSlope, _endSlope;

    /// <summary>The states that the explicit part was evaluated at, and behind them that after the step.</summary>
    public IReadOnlyList<Tensor> States => states;

    /// <summary>The explicit part there.</summary>
    public IReadOnlyList<Tensor> Slopes => slopes;

    /// <inheritdoc/>
    public override bool IsUniform => Geometry.IsUniform;

    /// <inheritdoc/>
    public override Tensor After => states[^1];

    /// <inheritdoc/>
    public override Tensor EndTime => Geometry.TimeOf(kernel.EndNode);

    /// <inheritdoc/>
    public override Tensor[]? EndTerms => null;

    /// <inheritdoc/>
    public override Tensor?[] InnerStates => [State, .. slopes.Select(_ => (Tensor?)null)];

    /// <inheritdoc/>
    public override Tensor[]?[] InnerTerms => [];

    /// <inheritdoc/>
    public override LaneFormula[]? Formulas => null;

    /// <inheritdoc/>
    public override double[] Errors(ErrorNorm norm) => throw new NotSupportedException("Exponential methods take fixed steps.");

    /// <inheritdoc/>
    public override Tensor EndSlope() => _endSlope ??= kernel.Drift(Geometry, kernel.EndNode, After, out _);

    /// <inheritdoc/>
    public override void Extend()
    {
        EndSlope();
        _startSlope ??= kernel.Drift(Geometry, 0, State, out _);
    }

    /// <summary>y₁ - y, and the slopes at both ends, times the step where it differs between lanes.</summary>
    public override Tensor Increments() =>
        stack([After.add(State, Scalars.MinusOne), Geometry.Scaled(_startSlope!), Geometry.Scaled(_endSlope!)]);

    /// <inheritdoc/>
    public override double[] Weights(int lane, double theta) => Weights(theta, Geometry.Scale);

    /// <inheritdoc/>
    public override double[] SlopeWeights(int lane, double theta)
    {
        var h = Geometry.Scale;
        return [6 * theta * (1 - theta), h * (1 - theta) * (1 - 3 * theta), h * theta * (3 * theta - 2)];
    }

    /// <summary>Of the increments, at θ of a step of that scale.</summary>
    public static double[] Weights(double theta, double scale) =>
        [theta * theta * (3 - 2 * theta), scale * theta * (1 - theta) * (1 - theta), scale * theta * theta * (theta - 1)];
}
