using DiffEqLang.Tableaux;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>The stages of one attempted step.</summary>
/// <param name="Geometry">Where it lies in time.</param>
/// <param name="States">The states that the stages were evaluated at; [0] is the state before the step.</param>
/// <param name="Slopes">The stages kᵢ, or h kᵢ where the step differs between lanes (<see cref="StepGeometry.Scaled"/>).</param>
/// <param name="Terms">The terms of each stage's right-hand side, for the adjoint; null where they are not kept.</param>
internal sealed record Stages(StepGeometry Geometry, Tensor[] States, Tensor[] Slopes, Tensor[]?[] Terms)
{
    /// <summary>f at the state before the step, not yet multiplied by it.</summary>
    public required Tensor FirstSlope { get; init; }
}

/// <summary>Evaluates the stages of a Runge-Kutta method on packed states [samples, N].</summary>
internal sealed class RungeKuttaKernel : IDisposable
{
    private readonly OdeEquations _equations;
    private readonly RungeKuttaTableau _tableau;
    private readonly bool _keepsTerms;
    private readonly QuadratureEquations? _quadrature;
    private readonly IterationMatrix? _matrix;
    private readonly NewtonIteration? _newton;
    private readonly RosenbrockStages? _rosenbrock;
    private readonly EntryMask? _positions;
    private readonly AlgebraicConstraints? _constraints;

    /// <param name="problem">What is solved, and how.</param>
    /// <param name="lanes">How many lanes step on their own.</param>
    /// <param name="dtype">Of the state.</param>
    /// <param name="keepsTerms">Whether stages keep the terms that vector-Jacobian products need again.</param>
    public RungeKuttaKernel(OdeProblem problem, int lanes, ScalarType dtype, bool keepsTerms = false)
    {
        (_equations, _tableau, _keepsTerms) = (problem.Equations, problem.Tableau, keepsTerms);
        _quadrature = _equations as QuadratureEquations;
        _positions = _tableau.IsPartitioned ? new EntryMask(_equations.Positions!) : null;
        if (!_tableau.IsImplicit) return;
        _constraints = AlgebraicConstraints.Of(_equations);
        _matrix = new IterationMatrix(_equations, _constraints);
        if (_tableau.Rosenbrock is { } coefficients) _rosenbrock = new RosenbrockStages(this, _matrix, coefficients);
        else _newton = new NewtonIteration(problem, this, _matrix, lanes, dtype);
    }

    /// <summary>The method's coefficients.</summary>
    public RungeKuttaTableau Tableau => _tableau;

    /// <summary>The equations that are solved.</summary>
    public OdeEquations Equations => _equations;

    /// <summary>Their algebraic part; null where they have none.</summary>
    public AlgebraicConstraints? Constraints => _constraints;

    /// <summary>The lanes whose implicit stages were not found in the last attempt; null where all were.</summary>
    public bool[]? Failed => _newton is not null && Array.Exists(_newton.Failed, failed => failed) ? _newton.Failed : null;

    /// <summary>How often the Jacobian was computed.</summary>
    public long Jacobians => _matrix?.Jacobians ?? 0;

    /// <summary>How many matrices were factorized.</summary>
    public long Factorizations => _matrix?.Factorizations ?? 0;

    /// <summary>How often the right-hand side was evaluated.</summary>
    public long Evaluations { get; private set; }

    /// <summary>f(t, x) at a stage, in the shape of the state also where it does not depend on it; with its terms, where they are kept.</summary>
    public Tensor Drift(int stage, Tensor time, Tensor state, out Tensor[]? terms)
    {
        Evaluations++;
        terms = null;
        var slope = _quadrature is not null ? _quadrature.Drift(stage, time, state)
            : _keepsTerms ? _equations.Drift(time, state, out terms)
            : _equations.Drift(time, state);
        return slope.numel() == state.numel() ? slope : slope.expand_as(state);
    }

    /// <summary>dx/dt from f(t, x) at the same place: f itself, but for algebraic entries.</summary>
    public Tensor Derivative(Tensor time, Tensor state, Tensor slope) => _constraints?.DerivativeAt(time, state, slope) ?? slope;

    /// <summary>M v: [..., N].</summary>
    public Tensor TimesMass(Tensor vector) => _constraints?.TimesMass(vector) ?? vector;

    /// <summary>The stages before the end stage, from the state, its slope f(t, y) and the terms of that.</summary>
    public Stages Begin(StepGeometry geometry, Tensor state, Tensor slope, Tensor[]? terms)
    {
        var count = _tableau.A.Count;
        var stages = new Stages(geometry, new Tensor[count], new Tensor[count], new Tensor[]?[count]) { FirstSlope = slope };
        _matrix?.Open(geometry, state);
        var rate = _matrix?.Derivative(slope) ?? slope;
        (stages.States[0], stages.Slopes[0], stages.Terms[0]) = (state, OfPart(0, geometry.Scaled(rate)), terms);
        _newton?.Open();
        foreach (var group in _tableau.Groups)
            if (group.Kind == StageKind.Implicit) _newton!.Solve(group, stages);
            else if (group.Kind == StageKind.Linear) _rosenbrock!.Solve(group, stages);
            else if (group.First < _tableau.EndStage) Evaluate(stages, group.First);
        return stages;
    }

    /// <summary>y₁, the state after the step.</summary>
    public Tensor Advance(Stages stages)
    {
        var end = _tableau.EndStage;
        return stages.States[end] ??= Combine(stages, _tableau.A[end]);
    }

    /// <summary>f(t + h, y₁): the end stage, which is the next step's first.</summary>
    public Tensor EndSlope(Stages stages)
    {
        var end = _tableau.EndStage;
        if (stages.Slopes[end] is { } found) return stages.Geometry.Unscaled(found, stages.FirstSlope);
        var slope = Drift(end, stages.Geometry.TimeOf(end), stages.States[end], out stages.Terms[end]);
        stages.Slopes[end] = stages.Geometry.Scaled(slope);
        return slope;
    }

    /// <summary>
    /// The slope that the next step's first stage can use in place of its own: the last stage's, where both move the same part, whose
    /// derivative that part does not change. Null where there is none.
    /// </summary>
    public Tensor? SharedSlope(Stages stages)
    {
        var last = _tableau.B.Count - 1;
        return _tableau.IsPartitioned && last > 0 && _tableau.Parts[last] == _tableau.Parts[0]
            ? stages.Geometry.Unscaled(stages.Slopes[last], stages.FirstSlope)
            : null;
    }

    /// <summary>A slope, or the adjoint of one, on the entries of the state that a stage moves; zero on the others.</summary>
    public Tensor OfPart(int stage, Tensor slope) => _tableau.Parts[stage] switch
    {
        StatePart.Positions => _positions!.Inside(slope),
        StatePart.Momenta => _positions!.Outside(slope),
        _ => slope,
    };

    /// <summary>Adds an accepted step to the integrals that the equations carry along, where they do.</summary>
    public void Integrate(Stages stages, bool hasEndSlope)
    {
        _quadrature?.Integrate(_tableau.A[_tableau.EndStage], stages.Geometry.Scale);
        if (hasEndSlope) _quadrature?.Shift(_tableau.EndStage);
    }

    /// <summary>The stages that only the dense output needs, and the derivatives of algebraic entries that it has at its end.</summary>
    public void Extend(Stages stages)
    {
        if (_constraints is not null && _tableau.IsHermite)
        {
            var (end, geometry) = (_tableau.EndStage, stages.Geometry);
            stages.Slopes[end] = geometry.Scaled(Derivative(geometry.TimeOf(end), Advance(stages), EndSlope(stages)));
        }

        for (var i = _tableau.EndStage + 1; i < _tableau.A.Count; i++) Evaluate(stages, i);
    }

    /// <summary>(M - hγJ)⁻ᵀ v, with the Jacobian at the start of the step last begun: [samples, N].</summary>
    public Tensor FilterTransposed(double γ, Tensor vector) =>
        IterationMatrix.Times(_matrix!.Inverse(new[,] { { γ } }).transpose(1, 2), vector);

    /// <summary>The state of a stage without those of its own group.</summary>
    public Tensor Known(Stages stages, StageGroup group, int stage) =>
        Combine(stages, _tableau.A[stage][..Math.Min(group.First, _tableau.A[stage].Length)]);

    /// <summary>
    /// An estimate h Σ eᵢ kᵢ of the local error, [samples, N]; algebraic entries take part like the others, since at index 1 their errors
    /// are as large. Where the estimate is filtered, theirs are those that follow from the others by the constraints.
    /// </summary>
    public Tensor Error(Stages stages, double[] estimate)
    {
        var error = LinearCombination.Sum(estimate, stages.Geometry.Scale, stages.Slopes.AsSpan(0, estimate.Length))!;
        return _tableau.Error!.Filter is { } γ ? _matrix!.Filter(γ, TimesMass(error)) : error;
    }

    private void Evaluate(Stages stages, int i)
    {
        stages.States[i] = Combine(stages, _tableau.A[i]);
        var slope = Drift(i, stages.Geometry.TimeOf(i), stages.States[i], out stages.Terms[i]);
        stages.Slopes[i] = OfPart(i, stages.Geometry.Scaled(slope));
    }

    private static Tensor Combine(Stages stages, double[] weights) =>
        LinearCombination.Add(stages.States[0], weights, stages.Geometry.Scale, stages.Slopes.AsSpan(0, weights.Length));

    /// <inheritdoc/>
    public void Dispose()
    {
        _matrix?.Dispose();
        _newton?.Dispose();
        _positions?.Dispose();
        _constraints?.Dispose();
    }
}
