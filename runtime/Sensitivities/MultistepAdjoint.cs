using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// The exact gradient of a multistep solve: its steps in reverse, each the map of the present value and the past ones to the next. Orders and
/// step sizes count as fixed.
/// </summary>
/// <remarks>
/// With λ the adjoint of y₁ and v̄ⱼ those of the values behind it, a step of states, y₁ = Σ cⱼ vⱼ + g f(t₁, y₁), has
/// (I - g ∂f/∂x)ᵀ μ = λ,  v̄ⱼ ← v̄ⱼ₊₁ + cⱼ μ; one of slopes, z = y + Σ pⱼ vⱼ, y₁ = y + Σ cⱼ vⱼ + g f(t₁, z), first λ ← λ + (∂f/∂x)ᵀ v̄₀, as
/// f(t₁, y₁) is the first value of the next step, then ζ = (∂f/∂x)ᵀ gλ,  v̄ⱼ ← v̄ⱼ₊₁ + cⱼ λ + pⱼ ζ,  λ ← λ + ζ.
/// </remarks>
internal sealed class MultistepAdjoint : DiscreteAdjoint
{
    private readonly OdeEquations _equations;
    private readonly int _lanes;
    private readonly MultistepKernel _kernel;
    private readonly EventAdjoint _events;
    private readonly bool _isImplicit;
    private readonly NewtonMatrices _matrices;
    private Tensor? _slope;     // v̄₀, where values are slopes: [samples, N]; else null
    private Tensor _older;      // v̄ behind it: [past - 1, lanes, width]

    /// <inheritdoc cref="DiscreteAdjoint.Run"/>
    public MultistepAdjoint(OdeProblem problem, StepTape tape, Tensor cotangents, Tensor? eventTimes, ParameterGradients into)
        : base(tape, cotangents, into)
    {
        (_equations, _lanes, _isImplicit) = (problem.Equations, tape.Lanes, problem.Multistep!.IsImplicit);
        var past = problem.Multistep.PastCount(problem.Method.Order ?? problem.Multistep.MostOrder);
        _kernel = new MultistepKernel(problem, problem.Multistep, _lanes, State);
        _events = new EventAdjoint(_kernel, _lanes, eventTimes, into);
        _matrices = NewtonMatrices.For(_equations, State.size(1), _lanes);
        _slope = _isImplicit ? null : zeros_like(State).DetachFromDisposeScope();
        _older = zeros([past - 1, _lanes, State.numel() / _lanes], State.dtype, State.device).DetachFromDisposeScope();
    }

    /// <inheritdoc/>
    protected override void Reverse(int number, StepRecord step, StepRecord? next)
    {
        var formulas = step.Formulas!;
        var saved = OfInside(step, _events, null, rows => rows.Weights((lane, theta) => formulas[lane].Dense(theta)));
        var after = After(step, next);
        var geometry = step.Geometry.Anew();
        // Of the new value, then of the past ones: [1 + past, lanes, width].
        var values = saved?.Stages.view(-1, _lanes, _older.size(2)) ?? zeros([_older.size(0) + 2, .. _older.shape[1..]], _older.dtype, _older.device);
        values.narrow(0, 1, _older.size(0)).add_(OfMoved(formulas, _older), Scalars.One);
        var rests = Array.Exists(formulas, formula => formula.Order == 0) ? OfResting(formulas) : null;
        if (_isImplicit) ReverseSolution(geometry, formulas, after, values, rests);
        else ReverseCorrection(geometry, formulas, step.StageStates![1]!, after, values, rests);
        if (saved is not null) State.add_(saved.State, Scalars.One);
        if (Array.Exists(formulas, formula => formula.IsStart)) ReverseStart(geometry, formulas, step.State);
    }

    /// <summary>A step whose values are states.</summary>
    private void ReverseSolution(StepGeometry geometry, LaneFormula[] formulas, Tensor after, Tensor values, Tensor? rests)
    {
        double[] leading = [.. formulas.Select(formula => formula.Leading)];
        int[] all = [.. Enumerable.Range(0, leading.Length)];
        _matrices.Evaluate(all, geometry.TimeOf(1), after);
        _matrices.Factorize(all, leading);
        var solved = _matrices.SolveTransposed(State.add(values.select(0, 0).view(State.shape), Scalars.One));
        _equations.DriftVjp(geometry.TimeOf(1), after, solved.mul(Column(leading)), Into);
        var past = values.narrow(0, 1, values.size(0) - 1)
            .addcmul_(LaneWeights.Transposed([.. formulas.Select(formula => formula.Corrector)], State), solved.view(1, _lanes, -1), Scalars.One);
        Become(past.select(0, 0).view(State.shape), null, past.narrow(0, 1, past.size(0) - 1), rests);
    }

    /// <summary>A step whose values are slopes.</summary>
    private void ReverseCorrection(StepGeometry geometry, LaneFormula[] formulas, Tensor predicted, Tensor after, Tensor values, Tensor? rests)
    {
        var time = geometry.TimeOf(1);
        var slope = rests is null ? _slope! : _slope!.masked_fill(rests, Scalars.Of(0));
        var state = State.add(_equations.DriftVjp(time, after, slope, Into), Scalars.One);
        var leading = Column([.. formulas.Select(formula => formula.Leading)]);
        var ofNew = state.mul(leading).add_(values.select(0, 0).view(State.shape), Scalars.One);
        var ofPrediction = _equations.DriftVjp(time, predicted, ofNew, Into).expand_as(state);
        var past = values.narrow(0, 1, values.size(0) - 1);
        past.addcmul_(LaneWeights.Transposed([.. formulas.Select(formula => formula.Corrector)], State), state.view(1, _lanes, -1), Scalars.One);
        past.addcmul_(LaneWeights.Transposed([.. formulas.Select(formula => formula.Predictor)], State), ofPrediction.reshape(1, _lanes, -1), Scalars.One);
        Become(state.add_(ofPrediction, Scalars.One), past.select(0, 0).view(State.shape), past.narrow(0, 1, past.size(0) - 1), rests);
    }

    /// <summary>Takes the adjoints of the values before the step over; those of lanes that rest stay.</summary>
    private void Become(Tensor state, Tensor? slope, Tensor older, Tensor? rests)
    {
        State = Replaced(State, rests is null ? state : where(rests, State, state));
        _older = Replaced(_older, rests is null ? older : where(rests.unsqueeze(0), _older, older));
        if (slope is not null) _slope = Replaced(_slope!, rests is null ? slope : where(rests, _slope!, slope));
    }

    /// <summary>The second value of a solve that starts, y - h f(t, y), and the ones behind it, which are the same and have no weight.</summary>
    private void ReverseStart(StepGeometry geometry, LaneFormula[] formulas, Tensor state)
    {
        var starts = tensor([.. formulas.Select(formula => formula.IsStart)], [1, _lanes, 1], device: _older.device);
        var behind = where(starts, _older, zeros_like(_older)).sum([0L]).view(State.shape);
        var slope = behind.mul(Column([.. formulas.Select(formula => -formula.Step)]));
        State.add_(behind, Scalars.One).add_(_equations.DriftVjp(geometry.TimeOf(0), state, slope, Into), Scalars.One);
        _older.masked_fill_(starts, Scalars.Of(0));
    }

    /// <inheritdoc/>
    protected override void ReverseFirstSlope(int number, StepRecord step)
    {
        if (_slope is null) return;
        State.add_(_equations.DriftVjp(step.Geometry.Anew().TimeOf(0), step.State, _slope, Into), Scalars.One);
        _slope.zero_();
    }

    /// <summary>The adjoints of older values where a lane has moved; zeros where it rests.</summary>
    private Tensor OfMoved(LaneFormula[] formulas, Tensor older) => Array.Exists(formulas, formula => formula.Order == 0)
        ? older.masked_fill(OfResting(formulas).unsqueeze(0), Scalars.Of(0))
        : older;

    private Tensor OfResting(LaneFormula[] formulas) =>
        tensor([.. formulas.Select(formula => formula.Order == 0)], [_lanes, 1], device: State.device);

    private Tensor Column(double[] numbers) => LaneWeights.Column(numbers, State);

    private static Tensor Replaced(Tensor kept, Tensor next)
    {
        var own = next.clone().DetachFromDisposeScope();
        kept.Dispose();
        return own;
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _kernel.Dispose();
        _matrices.Dispose();
        _older.Dispose();
        _slope?.Dispose();
    }
}
