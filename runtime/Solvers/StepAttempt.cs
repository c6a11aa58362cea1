using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// One attempted step of all lanes: where it arrives, how far it errs, and its dense output, the state before it and a weighted sum of
/// tensors. What saves, events and the loop of a solve know of a method.
/// </summary>
/// <param name="geometry">Where it lies in time.</param>
/// <param name="state">The state before it: [samples, N].</param>
internal abstract class StepAttempt(StepGeometry geometry, Tensor state)
{
    /// <summary>Where the step lies in time.</summary>
    public StepGeometry Geometry => geometry;

    /// <summary>The state before the step: [samples, N].</summary>
    public Tensor State => state;

    /// <summary>Whether the dense output has the same weights in all lanes.</summary>
    public abstract bool IsUniform { get; }

    /// <summary>The state after the step: [samples, N].</summary>
    public abstract Tensor After { get; }

    /// <summary>The time there: [] or [lanes].</summary>
    public abstract Tensor EndTime { get; }

    /// <summary>The terms of the right-hand side there, where they were kept.</summary>
    public abstract Tensor[]? EndTerms { get; }

    /// <summary>
    /// The states that the right-hand side was evaluated at, that before the step first; null for the one after it, and for those that can be
    /// computed again from the former.
    /// </summary>
    public abstract Tensor?[] InnerStates { get; }

    /// <summary>The terms of the right-hand side there, where they were kept.</summary>
    public abstract Tensor[]?[] InnerTerms { get; }

    /// <summary>The formulas by which the lanes step, once they are judged; null of a method whose formula is a tableau.</summary>
    public abstract LaneFormula[]? Formulas { get; }

    /// <summary>The error of every lane in units of the tolerance.</summary>
    public abstract double[] Errors(ErrorNorm norm);

    /// <summary>f(t + h, y₁), not multiplied by the step: [samples, N].</summary>
    public abstract Tensor EndSlope();

    /// <summary>What is left to compute for the dense output alone.</summary>
    public abstract void Extend();

    /// <summary>The tensors that the dense output weighs, [terms, samples, N], in memory in this order.</summary>
    public abstract Tensor Increments();

    /// <summary>The weights of the dense output at θ of a lane's step, by which the state there differs from the state before the step.</summary>
    public abstract double[] Weights(int lane, double theta);

    /// <summary>Those of its derivative by θ: h dy/dt.</summary>
    public abstract double[] SlopeWeights(int lane, double theta);
}
