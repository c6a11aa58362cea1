using DiffEqLang.Tableaux;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// The derivatives of a solve by its initial states and parameters, carried along with it: S' = ∂f/∂x S + ∂f/∂θ, by the stages that
/// the state was solved with. So they are those of the numerical scheme; step sizes count as fixed.
/// </summary>
/// <remarks>
/// Hairer, Nørsett and Wanner (1993), Solving Ordinary Differential Equations I, I.14; that to differentiate the stages and to apply the
/// method to the variational equations is the same: Bock (1981), Numerical treatment of inverse problems in chemical reaction kinetics
/// ("internal numerical differentiation"). Implicit stages, which satisfy their equations, have derivatives that satisfy linear ones. So have
/// those of Rosenbrock, by the derivative of the Jacobian that they step by.
/// </remarks>
internal sealed class ForwardSensitivities : IStepRecorder
{
    private readonly OdeProblem _problem;
    private readonly RungeKuttaTableau _tableau;
    private readonly RungeKuttaKernel _kernel;      // knows which part a stage moves
    private readonly CarriedValues _carried;
    private readonly Variations _variations;
    private readonly long _states;                  // N
    private readonly long _initial;                 // N, or 0 where the initial state wants no gradient
    private readonly long _directions;              // D: the initial state's, then the parameters'
    private readonly int _lanes;
    private Tensor _tangents;                       // S, [samples, N · D]
    private Tensor? _values;                        // [times, samples, N, D]

    /// <param name="problem">What is solved.</param>
    /// <param name="state">From where: [samples, N].</param>
    /// <param name="wantsInitial">Whether derivatives by the initial state are wanted.</param>
    public ForwardSensitivities(OdeProblem problem, Tensor state, bool wantsInitial)
    {
        using var scope = NewDisposeScope();
        (_problem, _tableau, _lanes, _states) = (problem, problem.Tableau, problem.LanesOf(state), state.size(1));
        _kernel = new RungeKuttaKernel(problem, _lanes, state.dtype);
        _initial = wantsInitial ? _states : 0;
        _directions = _initial + problem.Equations.Parameters.Where(parameter => parameter.requires_grad).Sum(parameter => parameter.numel());
        var start = zeros([state.size(0), _states, _directions], state.dtype, state.device);
        if (wantsInitial) start.narrow(2, 0, _states).diagonal(0, 1, 2).fill_(Scalars.One);
        _tangents = start.view(state.size(0), -1).DetachFromDisposeScope();
        _carried = new CarriedValues(problem.Span, _tangents, _lanes);
        _variations = new Variations(_states, _initial, _directions);
    }

    /// <inheritdoc/>
    public bool TakesStates => false;

    /// <inheritdoc/>
    public bool WantsTerms => false;

    /// <summary>The derivatives of the saved states: [times, samples, N, D]; NaN where a sample did not get.</summary>
    public Tensor Values => _values!;

    /// <summary>How many of the D directions, the first, are those of the initial state.</summary>
    public long InitialDirections => _initial;

    /// <inheritdoc/>
    public void Add(AcceptedStep step)
    {
        var stages = Tangents(step);
        var after = _kernel.Advance(stages);
        if (!step.IsSound || step.Moves.Contains(false))
            after = where(tensor(step.Moves, [_lanes, 1], device: after.device), after, _tangents);
        _carried.Add(step.Rows, new RungeKuttaStep(_kernel, stages), after);
        var before = _tangents;
        _tangents = Kept(after);
        before.Dispose();
    }

    /// <inheritdoc/>
    public void Close(SolveEnd end)
    {
        end.State.Dispose();
        using var values = _carried.Close(_tangents, end.Status);
        _values = values.view(values.size(0), values.size(1), _states, _directions).DetachFromDisposeScope();
    }

    /// <summary>The gradient of the initial states, [samples, N], in no dispose scope; adds those of the parameters to <paramref name="into"/>.</summary>
    /// <param name="cotangents">d loss / d saved state: [times, samples, N].</param>
    /// <param name="lanes">The lanes that take part, as an index; all where null.</param>
    /// <param name="into">The parameters' gradients.</param>
    public Tensor Pull(Tensor cotangents, Tensor? lanes, ParameterGradients into)
    {
        using var scope = NewDisposeScope();
        var tangents = lanes is null ? Values : Values.index_select(1, lanes);
        var products = cotangents.unsqueeze(-2).matmul(tangents).squeeze(-2).sum([0L]);    // [samples, D]
        into.AddFlat(products.narrow(1, _initial, _directions - _initial).sum([0L]));
        var initial = _initial > 0 ? products.narrow(1, 0, _initial) : zeros_like(cotangents.select(0, 0));
        return initial.contiguous().DetachFromDisposeScope();
    }

    /// <summary>The stages of the tangents, as vectors [samples, N · D], beside those of the states.</summary>
    private Stages Tangents(AcceptedStep step)
    {
        var (count, end, geometry) = (_tableau.A.Count, _tableau.EndStage, step.Geometry);
        var stages = new Stages(geometry, new Tensor[count], new Tensor[count], new Tensor[]?[count]) { FirstSlope = _tangents };
        stages.States[0] = _tangents;
        var needed = step.Rows is null ? end : count;
        var jacobian = SetSlope(stages, step.Stages, 0);
        foreach (var group in _tableau.Groups)
        {
            if (group.Kind == StageKind.Implicit) SolveImplicit(stages, step.Stages, group);
            else if (group.Kind == StageKind.Linear) SolveLinear(stages, step.Stages, group, jacobian);
            else if (group.First < needed)
            {
                stages.States[group.First] = _kernel.Known(stages, group, group.First);
                SetSlope(stages, step.Stages, group.First);
            }
        }

        return stages;
    }

    /// <summary>Finds the slope of a stage whose state is known, and gives the Jacobian there.</summary>
    private Tensor SetSlope(Stages stages, Stages ofStates, int stage)
    {
        _ = stages.Geometry.TimeOf(stage);    // outside, since the geometry keeps it
        using var scope = NewDisposeScope();
        var slope = Slope(stages.Geometry, stage, ofStates.States[stage], stages.States[stage], out var jacobian);
        stages.Slopes[stage] = stages.Geometry.Scaled(OfPart(stage, slope)).MoveToOuterDisposeScope();
        return jacobian.MoveToOuterDisposeScope();
    }

    /// <summary>∂f/∂x Z + ∂f/∂θ: [samples, N, D].</summary>
    private Tensor Slope(StepGeometry geometry, int stage, Tensor state, Tensor tangents, out Tensor jacobian) =>
        _variations.OfSlope(_kernel.EquationsOf(stage), geometry.TimeOf(stage), state, tangents, out jacobian);

    /// <summary>Kᵢ = Jᵢ (what other stages give + h Σⱼ aᵢⱼ Kⱼ) + ∂f/∂θ, for the stages of a group at once.</summary>
    private void SolveImplicit(Stages stages, Stages ofStates, StageGroup group)
    {
        var (geometry, block) = (stages.Geometry, group.Block(_tableau.A));
        var (given, jacobians) = (new Tensor[group.Count], new Tensor[group.Count]);
        for (var i = 0; i < group.Count; i++)
        {
            var stage = group.First + i;
            given[i] = Slope(geometry, stage, ofStates.States[stage], _kernel.Known(stages, group, stage), out jacobians[i]);
        }

        var matrix = StageMatrix.Transposed(geometry, block, stack(jacobians, 1), mass: null).transpose(1, 2);
        var right = cat(given, 1);
        var solved = linalg.solve_ex(matrix, right).result;
        for (var i = 0; i < group.Count; i++)
            stages.Slopes[group.First + i] = geometry.Scaled(Flat(solved.narrow(1, i * _states, _states)));
    }

    /// <summary>
    /// (I - hγJ) Kᵢ = γ (what the stage's right-hand side becomes + h (what J becomes) kᵢ), the equation of a stage of Rosenbrock differentiated.
    /// </summary>
    private void SolveLinear(Stages stages, Stages ofStates, StageGroup group, Tensor jacobian)
    {
        var (stage, geometry, coefficients, equations) = (group.First, stages.Geometry, _tableau.Rosenbrock!, _problem.Equations);
        var (time, start, tangents) = (geometry.TimeOf(0), ofStates.States[0], stages.States[0]);
        stages.States[stage] = _kernel.Known(stages, group, stage);
        if (stage > 1) SetSlope(stages, ofStates, stage);
        var right = stages.Slopes[stage > 1 ? stage : 0];
        if (LinearCombination.Sum(coefficients.Coupling[stage], 1, stages.Slopes.AsSpan(0, stage)) is { } coupled)
            right = right.add(coupled, Scalars.One);
        if (coefficients.TimeWeights[stage] is var weight and not 0)
        {
            var ofTime = Flat(_variations.OfTimeDerivative(equations, time, start, tangents));
            right = right.add(geometry.TimesStep(geometry.Scaled(ofTime)), Scalars.Of(weight));
        }

        var ofJacobian = Flat(_variations.OfJacobian(equations, time, start, ofStates.Slopes[stage], tangents));
        right = right.add(geometry.TimesStep(ofJacobian), Scalars.One);
        var matrix = StageMatrix.Of(geometry, new[,] { { coefficients.γ } }, jacobian, mass: null);
        var solved = linalg.solve_ex(matrix, right.view(right.size(0), _states, _directions)).result;
        stages.Slopes[stage] = Flat(solved).mul(Scalars.Of(coefficients.γ));
    }

    /// <summary>On the entries of the state that a stage moves, as a vector [samples, N · D].</summary>
    private Tensor OfPart(int stage, Tensor slope) => _tableau.IsPartitioned
        ? Flat(_kernel.OfPart(stage, slope.transpose(1, 2)).transpose(1, 2))
        : Flat(slope);

    private static Tensor Flat(Tensor matrices) => matrices.reshape(matrices.size(0), -1);

    private static Tensor Kept(Tensor tensor) => tensor.alias().DetachFromDisposeScope();

    /// <inheritdoc/>
    public void Dispose()
    {
        _kernel.Dispose();
        _tangents.Dispose();
        _values?.Dispose();
        _carried.Dispose();
    }
}
