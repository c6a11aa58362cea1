using DiffEqLang.Tableaux;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>A step of a Runge-Kutta method.</summary>
/// <param name="kernel">What evaluates its stages.</param>
/// <param name="stages">Those that were.</param>
internal sealed class RungeKuttaStep(RungeKuttaKernel kernel, Stages stages) : StepAttempt(stages.Geometry, stages.States[0])
{
    private Tensor? _endSlope;

    /// <summary>The method.</summary>
    public RungeKuttaTableau Tableau => kernel.Tableau;

    /// <summary>The stages.</summary>
    public Stages Stages => stages;

    /// <inheritdoc/>
    public override bool IsUniform => Geometry.IsUniform;

    /// <inheritdoc/>
    public override Tensor After => stages.States[Tableau.EndStage];

    /// <inheritdoc/>
    public override Tensor EndTime => Geometry.TimeOf(Tableau.EndStage);

    /// <inheritdoc/>
    public override Tensor[]? EndTerms => stages.Terms[Tableau.EndStage];

    /// <inheritdoc/>
    public override Tensor?[] InnerStates => [.. stages.States.Select((stage, i) => i == Tableau.EndStage ? null : stage)];

    /// <inheritdoc/>
    public override Tensor[]?[] InnerTerms => [.. stages.Terms.Select((ofStage, i) => i == Tableau.EndStage ? null : ofStage)];

    /// <inheritdoc/>
    public override LaneFormula[]? Formulas => null;

    /// <inheritdoc/>
    public override double[] Errors(ErrorNorm norm)
    {
        var estimate = Tableau.Error!;
        if (estimate.Estimates.Any(e => e[Tableau.EndStage] != 0)) EndSlope();
        var tolerance = norm.Tolerance(State, After);
        var errors = norm.Of(kernel.Error(stages, estimate.Estimates[0]), tolerance);
        if (estimate.Estimates.Length == 1) return errors;
        var second = norm.Of(kernel.Error(stages, estimate.Estimates[1]), tolerance);
        for (var i = 0; i < errors.Length; i++)
            if (errors[i] != 0)
                errors[i] *= errors[i] / Math.Sqrt(errors[i] * errors[i] + 0.01 * second[i] * second[i]);
        return errors;
    }

    /// <inheritdoc/>
    public override Tensor EndSlope() => _endSlope ??= kernel.EndSlope(stages);

    /// <inheritdoc/>
    public override void Extend()
    {
        EndSlope();
        kernel.Extend(stages);
    }

    /// <inheritdoc/>
    public override Tensor Increments() => stack(stages.Slopes);

    /// <inheritdoc/>
    public override double[] Weights(int lane, double theta) => Scaled(Tableau.DenseWeights(theta));

    /// <inheritdoc/>
    public override double[] SlopeWeights(int lane, double theta) => Scaled(Tableau.DenseSlopes(theta));

    private double[] Scaled(double[] weights) => [.. weights.Select(weight => weight * Geometry.Scale)];
}
