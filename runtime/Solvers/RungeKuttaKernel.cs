using DiffEqLang.Tableaux;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>The stages of one attempted step.</summary>
/// <param name="Geometry">Where it lies in time.</param>
/// <param name="States">The states that the stages were evaluated at; [0] is the state before the step.</param>
/// <param name="Slopes">The stages kᵢ, or h kᵢ where the step differs between lanes (<see cref="StepGeometry.Scaled"/>).</param>
/// <param name="Terms">The terms of each stage's right-hand side, for the adjoint; null where they are not kept.</param>
internal sealed record Stages(StepGeometry Geometry, Tensor[] States, Tensor[] Slopes, Tensor[]?[] Terms);

/// <summary>Evaluates the stages of an explicit Runge-Kutta method on packed states [samples, N].</summary>
/// <param name="equations">The equations that are solved.</param>
/// <param name="tableau">The method's coefficients.</param>
/// <param name="keepsTerms">Whether stages keep the terms that vector-Jacobian products need again.</param>
internal sealed class RungeKuttaKernel(OdeEquations equations, RungeKuttaTableau tableau, bool keepsTerms = false)
{
    private readonly QuadratureEquations? _quadrature = equations as QuadratureEquations;

    /// <summary>The method's coefficients.</summary>
    public RungeKuttaTableau Tableau => tableau;

    /// <summary>The equations that are solved.</summary>
    public OdeEquations Equations => equations;

    /// <summary>How often the right-hand side was evaluated.</summary>
    public long Evaluations { get; private set; }

    /// <summary>f(t, x) at a stage, in the shape of the state also where it does not depend on it; with its terms, where they are kept.</summary>
    public Tensor Drift(int stage, Tensor time, Tensor state, out Tensor[]? terms)
    {
        Evaluations++;
        terms = null;
        var slope = _quadrature is not null ? _quadrature.Drift(stage, time, state)
            : keepsTerms ? equations.Drift(time, state, out terms)
            : equations.Drift(time, state);
        return slope.numel() == state.numel() ? slope : slope.expand_as(state);
    }

    /// <summary>The stages before the end stage, from the state, its slope f(t, y) and the terms of that.</summary>
    public Stages Begin(StepGeometry geometry, Tensor state, Tensor slope, Tensor[]? terms)
    {
        var count = tableau.A.Count;
        var stages = new Stages(geometry, new Tensor[count], new Tensor[count], new Tensor[]?[count]);
        (stages.States[0], stages.Slopes[0], stages.Terms[0]) = (state, geometry.Scaled(slope), terms);
        for (var i = 1; i < tableau.EndStage; i++) Evaluate(stages, i);
        return stages;
    }

    /// <summary>y₁, the state after the step.</summary>
    public Tensor Advance(Stages stages)
    {
        var end = tableau.EndStage;
        return stages.States[end] = Combine(stages, tableau.A[end]);
    }

    /// <summary>f(t + h, y₁): the end stage, which is the next step's first.</summary>
    public Tensor EndSlope(Stages stages)
    {
        var end = tableau.EndStage;
        var slope = Drift(end, stages.Geometry.TimeOf(end), stages.States[end], out stages.Terms[end]);
        stages.Slopes[end] = stages.Geometry.Scaled(slope);
        return slope;
    }

    /// <summary>Adds an accepted step to the integrals that the equations carry along, where they do.</summary>
    public void Integrate(Stages stages, bool hasEndSlope)
    {
        _quadrature?.Integrate(tableau.A[tableau.EndStage], stages.Geometry.Scale);
        if (hasEndSlope) _quadrature?.Shift(tableau.EndStage);
    }

    /// <summary>The stages that only the dense output needs.</summary>
    public void Extend(Stages stages)
    {
        for (var i = tableau.EndStage + 1; i < tableau.A.Count; i++) Evaluate(stages, i);
    }

    /// <summary>An estimate h Σ eᵢ kᵢ of the local error, [samples, N].</summary>
    public Tensor Error(Stages stages, double[] estimate) =>
        LinearCombination.Sum(estimate, stages.Geometry.Scale, stages.Slopes.AsSpan(0, estimate.Length))!;

    private void Evaluate(Stages stages, int i)
    {
        stages.States[i] = Combine(stages, tableau.A[i]);
        var slope = Drift(i, stages.Geometry.TimeOf(i), stages.States[i], out stages.Terms[i]);
        stages.Slopes[i] = stages.Geometry.Scaled(slope);
    }

    private static Tensor Combine(Stages stages, double[] weights) =>
        LinearCombination.Add(stages.States[0], weights, stages.Geometry.Scale, stages.Slopes.AsSpan(0, weights.Length));
}
