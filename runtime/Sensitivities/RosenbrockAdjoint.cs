using DiffEqLang.Tableaux;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// The adjoint of one step's Rosenbrock stages, from the last to the first. With sᵢ = (M - hγJ)⁻ᵀ k̄ᵢ a stage adds γ cᵢⱼ M sᵢ to those before
/// it, γ sᵢ to its right-hand side, and, since its matrix is made of the Jacobian at the step's start, the gradient of γ sᵢᵀ J h kᵢ to the
/// state there and to the parameters.
/// </summary>
/// <param name="kernel">What evaluated the stages.</param>
/// <param name="stages">The stages.</param>
/// <param name="into">The parameters' gradients.</param>
internal sealed class RosenbrockAdjoint(RungeKuttaKernel kernel, Stages stages, ParameterGradients into)
{
    private readonly RosenbrockCoefficients _coefficients = kernel.Tableau.Rosenbrock!;
    private readonly Tensor?[] _solved = new Tensor?[stages.Slopes.Length];     // γ sᵢ

    /// <summary>Goes back through one stage, given what states add to its slope's adjoint; gives the adjoint of its own state.</summary>
    /// <returns>[samples, N]; null where there is none, as for the first, whose right-hand side is the step's first slope.</returns>
    public Tensor? Reverse(int stage, Tensor? slope)
    {
        for (var later = stage + 1; later < _coefficients.Coupling.Length; later++)
            if (_solved[later] is { } solved && _coefficients.Coupling[later][stage] is var weight and not 0)
                slope = LinearCombination.Accumulate(slope, weight, kernel.TimesMass(solved));
        if (slope is null) return null;
        _solved[stage] = kernel.FilterTransposed(_coefficients.γ, slope).mul_(Scalars.Of(_coefficients.γ));
        return stage == 1
            ? null
            : kernel.Equations.DriftVjp(stages.Geometry.TimeOf(stage), stages.States[stage], _solved[stage]!, into, null);
    }

    /// <summary>The adjoint of f(t, y) at the step's start, given what others than the first stage add to it.</summary>
    public Tensor FirstSlope(Tensor? slope) =>
        slope is null ? _solved[1] ?? zeros_like(stages.States[0]) : _solved[1] is { } first ? slope.add_(first, Scalars.One) : slope;

    /// <summary>What the Jacobian and the time derivative at the step's start add to the adjoint of the state there: [samples, N].</summary>
    public Tensor OfMatrices()
    {
        var (equations, time, state) = (kernel.Equations, stages.Geometry.TimeOf(0), stages.States[0]);
        var sum = zeros_like(state);
        Tensor? ofTime = null;
        for (var stage = 1; stage < _coefficients.Coupling.Length; stage++)
        {
            if (_solved[stage] is not { } solved) continue;
            var slope = stages.Geometry.IsUniform ? stages.Geometry.TimesStep(stages.Slopes[stage]) : stages.Slopes[stage];
            sum.add_(equations.JacobianVjp(time, state, slope, solved, into), Scalars.One);
            if (_coefficients.TimeWeights[stage] is var weight and not 0) ofTime = LinearCombination.Accumulate(ofTime, weight, solved);
        }

        return ofTime is null ? sum : sum.add_(equations.TimeDerivativeVjp(time, state, stages.Geometry.TimesStep(ofTime), into), Scalars.One);
    }
}
