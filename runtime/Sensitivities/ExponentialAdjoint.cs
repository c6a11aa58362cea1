using DiffEqLang.Tableaux;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// The exact gradient of an exponential method's solve. With λ the adjoint of y₁ and Ūᵢ that of stage i: f̄ᵢ = h bᵢᵀ λ + h Σₖ aₖᵢᵀ Ūₖ,
/// Ūᵢ = (∂f/∂x)ᵀ f̄ᵢ, λ ← (e^z)ᵀ λ + Σᵢ (e^(cᵢ z))ᵀ Ūᵢ. The adjoints of the coefficients are summed up over all steps of one size, and go
/// through the functions of the matrix, and through it to its parameters, once at the end.
/// </summary>
internal sealed class ExponentialAdjoint : DiscreteAdjoint
{
    private readonly ExponentialMethod _method;
    private readonly ExponentialKernel _kernel;
    private readonly EventAdjoint _events;
    private readonly bool _wantsParameters;
    private readonly Dictionary<(double Step, PhiTerm Function), Tensor> _functions = [];   // of φₖ(c z), by h and with weight 1

    /// <inheritdoc cref="DiscreteAdjoint.Run"/>
    public ExponentialAdjoint(OdeProblem problem, StepTape tape, Tensor cotangents, Tensor? eventTimes, ParameterGradients into)
        : base(tape, cotangents, into)
    {
        _method = problem.Exponential!;
        _kernel = new ExponentialKernel(problem, State);
        _events = new EventAdjoint(_kernel, tape.Lanes, eventTimes, into);
        _wantsParameters = Enumerable.Range(0, problem.Equations.Parameters.Count).Any(into.Wants);
    }

    /// <inheritdoc/>
    protected override void Reverse(int number, StepRecord step, StepRecord? next)
    {
        var geometry = step.Geometry.Anew();
        var saved = OfInside(step, _events, null, rows => rows.Weights((_, theta) => ExponentialStep.Weights(theta, geometry.Scale)));
        var after = After(step, next);
        var taken = _kernel.Take(geometry, step.State);
        var ofState = saved is null ? zeros_like(State) : saved.State.add(saved.Stage(0), Scalars.MinusOne);
        if (saved is not null)
        {
            State.add_(saved.Stage(0), Scalars.One);
            State.add_(Whole(geometry, _kernel.EndNode, after, saved.Stage(2)), Scalars.One);
            ofState.add_(Whole(geometry, 0, step.State, saved.Stage(1)), Scalars.One);
        }

        ReverseStages(geometry, taken, ofState);
    }

    /// <summary>Through the stages, from the last to the first.</summary>
    /// <param name="geometry">The step.</param>
    /// <param name="taken">Its stages.</param>
    /// <param name="ofState">What else is added to the adjoint of the state before the step, in memory to add to.</param>
    private void ReverseStages(StepGeometry geometry, ExponentialStep taken, Tensor ofState)
    {
        var slopes = new Tensor?[taken.Slopes.Count];    // f̄
        for (var i = taken.Slopes.Count; i >= 0; i--)
        {
            var stage = i;
            var adjoint = i == taken.Slopes.Count ? State : Explicit(geometry, i, taken.States[i], slopes[i]);
            if (adjoint is null) continue;
            ofState.add_(
                _kernel.OfSteps(geometry, m => m.Exponentials[stage] is { } e ? _kernel.Linear.TransposedTimes(e, adjoint) : adjoint), Scalars.One);
            Note(geometry, Exponential(stage), adjoint, taken.State);
            for (var j = 0; j < RowOf(stage).Length; j++)
            {
                if (RowOf(stage)[j].Length == 0) continue;
                var column = j;
                var slope = _kernel.OfSteps(geometry, m => _kernel.Linear.TransposedTimes(m.Weights[stage][column]!, adjoint));
                slopes[j] = slopes[j] is { } sum ? sum.add_(slope, Scalars.One) : slope;
                Note(geometry, RowOf(stage)[j], geometry.TimesStep(adjoint), taken.Slopes[j]);
            }
        }

        State.copy_(ofState);
    }

    private PhiTerm[] Exponential(int stage) => stage == 0 ? [] : [new(1, 0, _kernel.Nodes[stage])];

    private PhiTerm[][] RowOf(int stage) => stage < _method.A.Length ? _method.A[stage] : _method.B;

    /// <summary>Adds what a product M x, of a sum M of functions, gives to their adjoints: w xᵀ, with w the adjoint of the product.</summary>
    private void Note(StepGeometry geometry, PhiTerm[] terms, Tensor w, Tensor x)
    {
        if (!_wantsParameters) return;
        foreach (var step in ExponentialKernel.StepsOf(geometry))
        {
            var own = geometry.IsUniform ? w : where(ExponentialKernel.RowsOf(geometry, step, w.device), w, zeros_like(w));
            var outer = _kernel.Linear.Outer(own, x).to(ScalarType.Float64);
            foreach (var term in terms)
            {
                var function = (_kernel.Matrices(step).Step, term with { Weight = 1 });
                _functions[function] = _functions.TryGetValue(function, out var sum)
                    ? LinearCombination.Accumulate(sum, term.Weight, outer)
                    : LinearCombination.Accumulate(null, term.Weight, outer).DetachFromDisposeScope();
            }
        }
    }

    /// <summary>Through the functions and the matrix.</summary>
    protected override Tensor OfGivenState(Tensor start)
    {
        foreach (var functions in _functions.GroupBy(pair => (pair.Key.Step, pair.Key.Function.Scale)))
        {
            var factor = functions.Key.Step * functions.Key.Scale;
            if (factor == 0) continue;
            Tensor Of(int order) => functions.FirstOrDefault(pair => pair.Key.Function.Order == order).Value ?? zeros_like(_kernel.Linear.Matrix);
            var cotangents = Enumerable.Range(0, _method.Orders[functions.Key.Scale] + 1).Select(Of).ToArray();
            var adjoint = PhiFunctions.Vjp(LinearCombination.Accumulate(null, factor, _kernel.Linear.Matrix), cotangents);
            _kernel.Linear.Pull(LinearCombination.Accumulate(null, factor, adjoint), Into);
        }

        return State;
    }

    /// <inheritdoc/>
    protected override void ReverseFirstSlope(int number, StepRecord step) { }

    /// <summary>(∂f/∂x)ᵀ f̄ of the explicit part; null where f̄ is zero.</summary>
    private Tensor? Explicit(StepGeometry geometry, int stage, Tensor state, Tensor? slope) =>
        slope is null ? null : _kernel.Equations.ExplicitDriftVjp(geometry.TimeOf(stage), state, slope, Into).expand_as(state);

    /// <summary>The same of the whole right-hand side, from the adjoint of an increment.</summary>
    private Tensor Whole(StepGeometry geometry, int node, Tensor state, Tensor increment) =>
        _kernel.Equations.DriftVjp(geometry.TimeOf(node), state, geometry.ScaledInPlace(increment), Into).expand_as(state);

    /// <inheritdoc/>
    public override void Dispose()
    {
        _kernel.Dispose();
        foreach (var sum in _functions.Values) sum.Dispose();
    }
}
