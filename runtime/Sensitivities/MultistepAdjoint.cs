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
internal sealed class MultistepAdjoint
{
    private readonly OdeEquations _equations;
    private readonly StepTape _tape;
    private readonly Tensor _cotangents;
    private readonly ParameterGradients _into;
    private readonly MultistepKernel _kernel;
    private readonly EventAdjoint _events;
    private readonly bool _isImplicit;
    private readonly NewtonMatrices _matrices;
    private Tensor _state;      // λ, [samples, N]
    private Tensor? _slope;     // v̄₀, where values are slopes: [samples, N]; else null
    private Tensor _older;      // v̄ behind it: [past - 1, lanes, width]

    private MultistepAdjoint(OdeProblem problem, StepTape tape, Tensor cotangents, Tensor? eventTimes, ParameterGradients into)
    {
        (_equations, _tape, _cotangents, _into) = (problem.Equations, tape, cotangents, into);
        _isImplicit = problem.Multistep!.IsImplicit;
        var past = problem.Multistep.PastCount(problem.Method.Order ?? problem.Multistep.MostOrder);
        _state = zeros_like(tape.Final!).DetachFromDisposeScope();
        _kernel = new MultistepKernel(problem, problem.Multistep, tape.Lanes, _state);
        _events = new EventAdjoint(_kernel, tape.Lanes, eventTimes, into);
        _matrices = NewtonMatrices.For(_equations, _state.size(1), tape.Lanes);
        _slope = _isImplicit ? null : zeros_like(_state).DetachFromDisposeScope();
        _older = zeros([past - 1, tape.Lanes, _state.numel() / tape.Lanes], _state.dtype, _state.device).DetachFromDisposeScope();
    }

    /// <summary>
    /// d loss / d initial state, [samples, N], in no dispose scope; adds d loss / d parameter to <paramref name="into"/>.
    /// </summary>
    /// <param name="problem">What was solved.</param>
    /// <param name="tape">Its steps.</param>
    /// <param name="cotangents">d loss / d saved state: [times, samples, N].</param>
    /// <param name="into">The parameters' gradients.</param>
    /// <param name="eventTimes">d loss / d event time, [lanes, most events of a lane]; null where the loss has none.</param>
    public static Tensor Run(OdeProblem problem, StepTape tape, Tensor cotangents, ParameterGradients into, Tensor? eventTimes)
    {
        using var scope = NewDisposeScope();
        var adjoint = new MultistepAdjoint(problem, tape, cotangents, eventTimes, into);
        using var kernel = adjoint._kernel;
        using var matrices = adjoint._matrices;
        var span = problem.Span;
        if (span.Times is { } times) SaveCotangents.AddAt(span.End, times, cotangents, adjoint._state);
        if (tape.Held is { } held) SaveCotangents.AddHeld(held, cotangents, adjoint._state);
        StepRecord? next = null;
        for (var i = tape.Count - 1; i >= 0; i--)
        {
            using var ofStep = NewDisposeScope();
            var step = tape.Step(i);
            adjoint.Reverse(step, step.Events?.EndState ?? next?.State ?? tape.Final!);
            if (i == 0 || step.StartsAnew) adjoint.ReverseFirstSlope(step);
            next = step;
        }

        if (span.Times is null) adjoint._state.add_(cotangents.select(0, 0), Scalars.One);
        else if (span.Start != span.End) SaveCotangents.AddAt(span.Start, span.Times, cotangents, adjoint._state);
        adjoint._older.Dispose();
        adjoint._slope?.Dispose();
        return adjoint._state;
    }

    /// <summary>Through one step: from the adjoints of the values after it to those of the values before.</summary>
    private void Reverse(StepRecord step, Tensor after)
    {
        var formulas = step.Formulas!;
        if (step.SavedAtEnd >= 0) _state.add_(_cotangents.select(0, step.SavedAtEnd), Scalars.One);
        var saved = step.Rows is null ? null : new SaveCotangents(step.Rows, WeightsOf(step.Rows), _cotangents, _tape.Lanes);
        if (step.Events is not null)
        {
            var ofEvents = _events.Reverse(step.Events, _state, null, WeightsOf(step.Events.Rows));
            if (saved is null) saved = ofEvents;
            else saved.Add(ofEvents);
        }

        var geometry = step.Geometry.Anew();
        // Of the new value, then of the past ones: [1 + past, lanes, width].
        var values = saved?.Stages.view(-1, _tape.Lanes, _older.size(2)) ?? zeros([_older.size(0) + 2, .. _older.shape[1..]], _older.dtype, _older.device);
        values.narrow(0, 1, _older.size(0)).add_(OfMoved(formulas, _older), Scalars.One);
        var rests = Array.Exists(formulas, formula => formula.Order == 0) ? OfResting(formulas) : null;
        if (_isImplicit) ReverseSolution(geometry, formulas, after, values, rests);
        else ReverseCorrection(geometry, formulas, step.StageStates![1]!, after, values, rests);
        if (saved is not null) _state.add_(saved.State, Scalars.One);
        if (Array.Exists(formulas, formula => formula.IsStart)) ReverseStart(geometry, formulas, step.State);

        double[][] WeightsOf(SaveRows rows) => rows.Weights((lane, theta) => formulas[lane].Dense(theta));
    }

    /// <summary>A step whose values are states.</summary>
    private void ReverseSolution(StepGeometry geometry, LaneFormula[] formulas, Tensor after, Tensor values, Tensor? rests)
    {
        double[] leading = [.. formulas.Select(formula => formula.Leading)];
        int[] all = [.. Enumerable.Range(0, leading.Length)];
        _matrices.Evaluate(all, geometry.TimeOf(1), after);
        _matrices.Factorize(all, leading);
        var solved = _matrices.SolveTransposed(_state.add(values.select(0, 0).view(_state.shape), Scalars.One));
        _equations.DriftVjp(geometry.TimeOf(1), after, solved.mul(Column(leading)), _into);
        var past = values.narrow(0, 1, values.size(0) - 1)
            .addcmul_(LaneWeights.Transposed([.. formulas.Select(formula => formula.Corrector)], _state), solved.view(1, _tape.Lanes, -1), Scalars.One);
        Become(past.select(0, 0).view(_state.shape), null, past.narrow(0, 1, past.size(0) - 1), rests);
    }

    /// <summary>A step whose values are slopes.</summary>
    private void ReverseCorrection(StepGeometry geometry, LaneFormula[] formulas, Tensor predicted, Tensor after, Tensor values, Tensor? rests)
    {
        var time = geometry.TimeOf(1);
        var slope = rests is null ? _slope! : _slope!.masked_fill(rests, Scalars.Of(0));
        var state = _state.add(_equations.DriftVjp(time, after, slope, _into), Scalars.One);
        var leading = Column([.. formulas.Select(formula => formula.Leading)]);
        var ofNew = state.mul(leading).add_(values.select(0, 0).view(_state.shape), Scalars.One);
        var ofPrediction = _equations.DriftVjp(time, predicted, ofNew, _into).expand_as(state);
        var past = values.narrow(0, 1, values.size(0) - 1);
        past.addcmul_(LaneWeights.Transposed([.. formulas.Select(formula => formula.Corrector)], _state), state.view(1, _tape.Lanes, -1), Scalars.One);
        past.addcmul_(LaneWeights.Transposed([.. formulas.Select(formula => formula.Predictor)], _state), ofPrediction.reshape(1, _tape.Lanes, -1), Scalars.One);
        Become(state.add_(ofPrediction, Scalars.One), past.select(0, 0).view(_state.shape), past.narrow(0, 1, past.size(0) - 1), rests);
    }

    /// <summary>Takes the adjoints of the values before the step over; those of lanes that rest stay.</summary>
    private void Become(Tensor state, Tensor? slope, Tensor older, Tensor? rests)
    {
        Replace(ref _state, rests is null ? state : where(rests, _state, state));
        Replace(ref _older, rests is null ? older : where(rests.unsqueeze(0), _older, older));
        if (slope is not null) Replace(ref _slope!, rests is null ? slope : where(rests, _slope!, slope));
    }

    /// <summary>The second value of a solve that starts, y - h f(t, y), and the ones behind it, which are the same and have no weight.</summary>
    private void ReverseStart(StepGeometry geometry, LaneFormula[] formulas, Tensor state)
    {
        var starts = tensor([.. formulas.Select(formula => formula.IsStart)], [1, _tape.Lanes, 1], device: _older.device);
        var behind = where(starts, _older, zeros_like(_older)).sum([0L]).view(_state.shape);
        var slope = behind.mul(Column([.. formulas.Select(formula => -formula.Step)]));
        _state.add_(behind, Scalars.One).add_(_equations.DriftVjp(geometry.TimeOf(0), state, slope, _into), Scalars.One);
        _older.masked_fill_(starts, Scalars.Of(0));
    }

    /// <summary>Of a step whose first slope is not that of the step before at its end.</summary>
    private void ReverseFirstSlope(StepRecord first)
    {
        if (_slope is null) return;
        _state.add_(_equations.DriftVjp(first.Geometry.Anew().TimeOf(0), first.State, _slope, _into), Scalars.One);
        _slope.zero_();
    }

    /// <summary>The adjoints of older values where a lane has moved; zeros where it rests.</summary>
    private Tensor OfMoved(LaneFormula[] formulas, Tensor older) => Array.Exists(formulas, formula => formula.Order == 0)
        ? older.masked_fill(OfResting(formulas).unsqueeze(0), Scalars.Of(0))
        : older;

    private Tensor OfResting(LaneFormula[] formulas) =>
        tensor([.. formulas.Select(formula => formula.Order == 0)], [_tape.Lanes, 1], device: _state.device);

    private Tensor Column(double[] numbers) => LaneWeights.Column(numbers, _state);

    private static void Replace(ref Tensor kept, Tensor next)
    {
        var own = next.clone().DetachFromDisposeScope();
        kept.Dispose();
        kept = own;
    }
}
