using DiffEqLang.Tableaux;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>The stages of a Rosenbrock method: a linear system each, all with one matrix (<see cref="RosenbrockCoefficients"/>).</summary>
/// <param name="kernel">Evaluates the right-hand side.</param>
/// <param name="matrix">Gives the inverse.</param>
/// <param name="coefficients">The method's.</param>
internal sealed class RosenbrockStages(RungeKuttaKernel kernel, IterationMatrix matrix, RosenbrockCoefficients coefficients)
{
    /// <summary>Finds a stage.</summary>
    public void Solve(StageGroup group, Stages stages)
    {
        var (stage, geometry) = (group.First, stages.Geometry);
        stages.States[stage] = kernel.Known(stages, group, stage);
        var right = geometry.Scaled(
            stage == 1 ? stages.FirstSlope : kernel.Drift(stage, geometry.TimeOf(stage), stages.States[stage], out _));
        if (LinearCombination.Sum(coefficients.Coupling[stage], 1, stages.Slopes.AsSpan(0, stage)) is { } coupled)
            right = right.add(kernel.TimesMass(coupled), Scalars.One);
        if (coefficients.TimeWeights[stage] is var weight and not 0)
            right = right.add(geometry.TimesStep(geometry.Scaled(matrix.TimeDerivative())), Scalars.Of(weight));
        stages.Slopes[stage] = matrix.Filter(coefficients.γ, right).mul_(Scalars.Of(coefficients.γ));
    }
}
