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
internal sealed class RungeKuttaKernel : StepKernel
{
    private readonly RungeKuttaTableau _tableau;
    private readonly bool _keepsTerms;
    private readonly OdeEquations[] _equations;     // that the stages evaluate
    private readonly QuadratureEquations? _quadrature;
    private readonly IterationMatrix? _matrix;
    private readonly NewtonIteration? _newton;
    private readonly RosenbrockStages? _rosenbrock;
    private readonly EntryMask? _positions;
    private readonly AlgebraicConstraints? _constraints;
    private readonly Past? _past;
    private NewtonMatrices? _ofAdjoint;     // of stages, at themselves

    /// <param name="problem">What is solved, and how.</param>
    /// <param name="lanes">How many lanes step on their own.</param>
    /// <param name="dtype">Of the state.</param>
    /// <param name="keepsTerms">Whether stages keep the terms that vector-Jacobian products need again.</param>
    /// <param name="past">What delayed states are read from; null where there are none.</param>
    public RungeKuttaKernel(OdeProblem problem, int lanes, ScalarType dtype, bool keepsTerms = false, Past? past = null)
        : base(problem.Equations)
    {
        (_tableau, _keepsTerms, _past) = (problem.Tableau, keepsTerms, past);
        var parts = Enum.GetValues<DriftPart>().ToDictionary(part => part, part => PartialEquations.Of(Equations, part));
        _equations = [.. _tableau.Drifts.Select(part => parts[part])];
        _quadrature = Equations as QuadratureEquations;
        _positions = _tableau.IsPartitioned ? new EntryMask(Equations.Positions!) : null;
        if (!_tableau.IsImplicit) return;
        _constraints = AlgebraicConstraints.Of(Equations);
        _matrix = new IterationMatrix(_tableau.IsSplit ? parts[DriftPart.Implicit] : Equations, _constraints);
        if (_tableau.Rosenbrock is { } coefficients) _rosenbrock = new RosenbrockStages(this, _matrix, coefficients);
        else _newton = new NewtonIteration(problem, this, _matrix, lanes, dtype);
    }

    /// <summary>The method's coefficients.</summary>
    public RungeKuttaTableau Tableau => _tableau;

    /// <inheritdoc/>
    public override bool[]? Failed => _newton is not null && Array.Exists(_newton.Failed, failed => failed) ? _newton.Failed : null;

    /// <inheritdoc/>
    public override AlgebraicConstraints? Constraints => _constraints;

    /// <inheritdoc/>
    public override long Jacobians => _matrix?.Jacobians ?? 0;

    /// <inheritdoc/>
    public override long Factorizations => _matrix?.Factorizations ?? 0;

    /// <summary>The Jacobian at the last step's start, where it was computed as a full matrix: [samples, N, N]; else null.</summary>
    public Tensor? JacobianAtStart => _matrix?.JacobianAtStart;

    /// <inheritdoc/>
    public override IReadOnlyList<double> Nodes => _tableau.C;

    /// <inheritdoc/>
    public override int EndNode => _tableau.EndStage;

    /// <inheritdoc/>
    public override int FirstErrorOrder => _tableau.Error!.Order;

    /// <inheritdoc/>
    public override bool NeedsSlope => true;

    /// <inheritdoc/>
    public override Func<int, bool, double, double>? StepFactor => null;

    /// <inheritdoc/>
    public override StepAttempt Attempt(StepGeometry geometry, Tensor state, Tensor? slope, Tensor[]? terms)
    {
        var stages = Begin(geometry, state, slope!, terms);
        Advance(stages);
        return new RungeKuttaStep(this, stages);
    }

    /// <inheritdoc/>
    public override void Commit(StepAttempt step, bool[] moves, StepCut? cut, bool hasEndSlope)
    {
        _quadrature?.Integrate(_tableau.A[_tableau.EndStage], step.Geometry.Scale);
        if (hasEndSlope) _quadrature?.Shift(_tableau.EndStage);
    }

    /// <summary>The last stage's slope, where both it and the next step's first move the same part, whose derivative that part does not change.</summary>
    public override Tensor? SharedSlope(StepAttempt step)
    {
        var (last, stages) = (_tableau.B.Count - 1, ((RungeKuttaStep)step).Stages);
        return _tableau.IsPartitioned && last > 0 && _tableau.Parts[last] == _tableau.Parts[0]
            ? stages.Geometry.Unscaled(stages.Slopes[last], stages.FirstSlope)
            : null;
    }

    /// <summary>What a stage evaluates: the equations, or one part of their right-hand side.</summary>
    public OdeEquations EquationsOf(int stage) => _equations[stage];

    /// <summary>What the equations take for the state at a stage: itself, followed by the delayed states that they ask for.</summary>
    public Tensor Argument(StepGeometry geometry, int stage, Tensor state) => _past is null ? state : _past.Behind(state, geometry, stage);

    /// <inheritdoc/>
    public override Tensor Argument(Tensor states, int[] lanes, double[] times, bool isBefore) =>
        _past is null ? states : _past.Behind(states, lanes, times, isBefore);

    /// <inheritdoc/>
    public override Tensor Drift(StepGeometry geometry, int stage, Tensor state, out Tensor[]? terms)
    {
        Evaluations++;
        terms = null;
        var (time, argument) = (geometry.TimeOf(stage), Argument(geometry, stage, state));
        var slope = _quadrature is not null ? _quadrature.Drift(stage, time, argument)
            : _keepsTerms && _tableau.Drifts[stage] == DriftPart.Whole ? Equations.Drift(time, argument, out terms)
            : _equations[stage].Drift(time, argument);
        return slope.numel() == state.numel() ? slope : slope.expand_as(state);
    }

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
        var slope = Drift(stages.Geometry, end, stages.States[end], out stages.Terms[end]);
        stages.Slopes[end] = stages.Geometry.Scaled(slope);
        return slope;
    }

    /// <summary>A slope, or the adjoint of one, on the entries of the state that a stage moves; zero on the others.</summary>
    public Tensor OfPart(int stage, Tensor slope) => _tableau.Parts[stage] switch
    {
        StatePart.Positions => _positions!.Inside(slope),
        StatePart.Momenta => _positions!.Outside(slope),
        _ => slope,
    };

    /// <summary>
    /// The stages that only the dense output needs; where it has f at the step's end, which is no stage of the method, there the derivatives
    /// of algebraic entries too.
    /// </summary>
    public void Extend(Stages stages)
    {
        if (_constraints is not null && !_tableau.IsFirstSameAsLast)
        {
            var (end, geometry) = (_tableau.EndStage, stages.Geometry);
            stages.Slopes[end] = geometry.Scaled(Derivative(geometry.TimeOf(end), Advance(stages), EndSlope(stages)));
        }

        for (var i = _tableau.EndStage + 1; i < _tableau.A.Count; i++) Evaluate(stages, i);
    }

    /// <summary>(M - hγJ)⁻ᵀ v, with the Jacobian at the start of the step last begun: [samples, N].</summary>
    public Tensor FilterTransposed(double γ, Tensor vector) => _matrix!.FilterTransposed(γ, vector);

    /// <summary>
    /// Solves with the transposed matrix of a single implicit stage, its Jacobian taken at the stage, where the matrix is sparse: [samples, N];
    /// null where it is not.
    /// </summary>
    /// <param name="geometry">The step.</param>
    /// <param name="group">The stage.</param>
    /// <param name="state">Where it was evaluated: [samples, N].</param>
    /// <param name="vector">[samples, N].</param>
    public Tensor? SolveSparseTransposed(StepGeometry geometry, StageGroup group, Tensor state, Tensor vector)
    {
        var equations = _equations[group.First];
        if (group.Count > 1 || _constraints is not null || equations.JacobianPattern is null) return null;
        double[] g = [.. geometry.Steps.Select(step => step * group.Block(_tableau.A)[0, 0])];
        _ofAdjoint ??= NewtonMatrices.For(equations, state.size(1), g.Length);
        if (_ofAdjoint is DenseMatrices) return null;
        int[] all = [.. Enumerable.Range(0, g.Length)];
        _ofAdjoint.Evaluate(all, geometry.TimeOf(group.First), state);
        _ofAdjoint.Factorize(all, g);
        return _ofAdjoint.SolveTransposed(vector);
    }

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
        stages.States[i] = IsAtLastStage(i) ? stages.States[i - 1] : Combine(stages, _tableau.A[i]);
        var slope = Drift(stages.Geometry, i, stages.States[i], out stages.Terms[i]);
        stages.Slopes[i] = OfPart(i, stages.Geometry.Scaled(slope));
    }

    /// <summary>Whether a stage is evaluated where the one before it has arrived, as the parts of a split right-hand side are.</summary>
    private bool IsAtLastStage(int stage) => stage > 1 && _tableau.A[stage].AsSpan().SequenceEqual(_tableau.A[stage - 1]);

    private static Tensor Combine(Stages stages, double[] weights) =>
        LinearCombination.Add(stages.States[0], weights, stages.Geometry.Scale, stages.Slopes.AsSpan(0, weights.Length));

    /// <inheritdoc/>
    public override void Dispose()
    {
        _matrix?.Dispose();
        _ofAdjoint?.Dispose();
        _newton?.Dispose();
        _positions?.Dispose();
        _constraints?.Dispose();
    }
}
