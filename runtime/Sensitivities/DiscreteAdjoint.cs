using DiffEqLang.Tableaux;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// The exact gradient of the numerical scheme: its steps in reverse, each by the tableau's adjoint. Step sizes count as fixed.
/// </summary>
/// <remarks>
/// With z̄ⱼ the adjoint of the state that stage j is evaluated at, and λ that of y₁ (whose row of A is b):
/// k̄ᵢ = h Σⱼ aⱼᵢ z̄ⱼ,  z̄ᵢ = (∂f/∂x)ᵀ k̄ᵢ,  λ ← λ + Σᵢ z̄ᵢ. Hager (2000), Runge-Kutta methods in optimal control and the
/// transformed adjoint system, Numer. Math. 87; Griewank and Walther (2008), Evaluating Derivatives, ch. 3. The first
/// stage of a step is the end stage of the one before: their adjoints are summed and go through ∂f/∂x once. Of implicit stages the
/// adjoints depend on each other: <see cref="ImplicitAdjoint"/> solves for them. Where there are algebraic constraints, the slopes at a
/// step's ends are derivatives that follow from them, and the initial state is what fulfils them (<see cref="AlgebraicConstraints"/>).
/// </remarks>
internal sealed class DiscreteAdjoint
{
    private readonly StepTape _tape;
    private readonly RungeKuttaKernel _kernel;
    private readonly RungeKuttaTableau _tableau;
    private readonly Tensor _cotangents;
    private readonly ParameterGradients _into;
    private readonly double _start;
    private readonly EventAdjoint _events;
    private Tensor _state;      // λ, [samples, N]
    private Tensor? _slope;     // the adjoint of f at the present state, from the first stage of the step after it

    private DiscreteAdjoint(OdeProblem problem, StepTape tape, Tensor cotangents, Tensor? eventTimes, ParameterGradients into)
    {
        (_tape, _tableau, _cotangents, _into, _start) = (tape, problem.Tableau, cotangents, into, problem.Span.Start);
        _kernel = new RungeKuttaKernel(problem, tape.Lanes, tape.Final!.dtype, keepsTerms: true);
        _events = new EventAdjoint(problem.Equations, _kernel.Constraints, tape.Lanes, eventTimes, into);
        _state = zeros_like(tape.Final!).DetachFromDisposeScope();
    }

    /// <summary>
    /// d loss / d initial state, [samples, N], in no dispose scope; adds d loss / d parameter to <paramref name="into"/>.
    /// </summary>
    /// <param name="problem">What was solved.</param>
    /// <param name="tape">Its steps.</param>
    /// <param name="cotangents">d loss / d saved state: [times, samples, N].</param>
    /// <param name="into">The parameters' gradients.</param>
    /// <param name="eventTimes">d loss / d event time, [lanes, most events of a lane]; null where the loss has none.</param>
    public static Tensor Run(OdeProblem problem, StepTape tape, Tensor cotangents, ParameterGradients into, Tensor? eventTimes = null)
    {
        using var scope = NewDisposeScope();
        var adjoint = new DiscreteAdjoint(problem, tape, cotangents, eventTimes, into);
        using var kernel = adjoint._kernel;
        var span = problem.Span;
        if (span.Times is { } times) adjoint.AddSaved(times, span.End);
        if (tape.Held is { } held) adjoint.AddHeld(held);
        StepRecord? next = null;
        for (var i = tape.Count - 1; i >= 0; i--)
        {
            using var ofStep = NewDisposeScope();
            var step = tape.Step(i);
            if (step.Events is { } events) adjoint.Reverse(step, events.EndState, null);
            else if (next is not null) adjoint.Reverse(step, next.State, next.Terms?[0]);
            else adjoint.Reverse(step, tape.Final!, tape.FinalTerms);
            next = step;
        }

        if (next is not null) adjoint.ReverseFirstStage(next);
        if (span.Times is null) adjoint._state.add_(cotangents.select(0, 0), Scalars.One);
        else if (span.Start != span.End) adjoint.AddSaved(span.Times, span.Start);
        return adjoint.OfGivenState(next?.State ?? tape.Final!);
    }

    /// <summary>From the adjoint of the state that the first step begins with to that of the state that was given.</summary>
    private Tensor OfGivenState(Tensor start)
    {
        if (_kernel.Constraints is not { } constraints) return _state;
        var time = HostVector.ToDevice([_start], [], start.dtype, start.device);
        using var ofConsistent = _state;
        return constraints.ConsistentVjp(time, start, ofConsistent, _into).DetachFromDisposeScope();
    }

    /// <summary>Adds the cotangents of what was saved at one end of the solve.</summary>
    private void AddSaved(double[] times, double end)
    {
        for (var i = 0; i < times.Length; i++)
            if (times[i] == end)
                _state.add_(_cotangents.select(0, i), Scalars.One);
    }

    /// <summary>Adds the cotangents of the saved times for which stopped lanes hold their final state.</summary>
    private void AddHeld(bool[] held)
    {
        var rows = tensor(held, [_cotangents.size(0), _tape.Lanes, 1], device: _cotangents.device);
        _state.add_(where(rows, _cotangents, zeros_like(_cotangents)).sum([0L]), Scalars.One);
    }

    /// <summary>Through one step: from the adjoint of the state after it, <paramref name="after"/>, to that of the state before.</summary>
    private void Reverse(StepRecord step, Tensor after, Tensor[]? termsAfter)
    {
        if (step.SavedAtEnd >= 0) _state.add_(_cotangents.select(0, step.SavedAtEnd), Scalars.One);
        var saved = step.Rows is null ? null : new SaveCotangents(step.Rows, step.Geometry.Scale, _cotangents, _tableau, _tape.Lanes);
        if (step.Events is not null)
        {
            var ofEvents = _events.Reverse(step.Events, _state, _slope, step.Geometry.Scale, _tableau);
            if (saved is null) saved = ofEvents;
            else saved.Add(ofEvents);
        }

        var (geometry, end) = (step.Geometry.Anew(), _tableau.EndStage);
        var stages = step.StageStates is null || _tableau.Rosenbrock is not null ? Recompute(step, geometry) : null;
        var (states, terms) = stages is null ? (step.StageStates!, step.Terms) : (stages.States, stages.Terms);
        var rosenbrock = _tableau.Rosenbrock is null ? null : new RosenbrockAdjoint(_kernel, stages!, _into);
        var adjoints = new Tensor?[_tableau.A.Count];    // z̄
        for (var g = _tableau.Groups.Count - 1; g >= 0; g--)
        {
            var group = _tableau.Groups[g];
            if (group.Kind == StageKind.Linear) adjoints[group.First] = rosenbrock!.Reverse(group.First, OfStage(group.First, adjoints, saved, geometry));
            else if (group.Kind == StageKind.Implicit) ReverseImplicit(group, geometry, states, after, adjoints, saved);
            else if (group.First == end) ReverseEnd(geometry, after, termsAfter, adjoints, saved);
            else adjoints[group.First] = Vjp(
                geometry.TimeOf(group.First), states[group.First]!, terms?[group.First], OfStage(group.First, adjoints, saved, geometry));
        }

        _slope?.Dispose();
        var first = OfDerivative(geometry.TimeOf(0), step.State, OfStage(0, adjoints, saved, geometry), out var ofState);
        _slope = (rosenbrock is null ? first : rosenbrock.FirstSlope(first))?.DetachFromDisposeScope();
        if (ofState is not null) _state.add_(ofState, Scalars.One);
        for (var i = 1; i < adjoints.Length; i++)
            if (i != end && adjoints[i] is { } adjoint)
                _state.add_(adjoint, Scalars.One);
        if (rosenbrock is not null) _state.add_(rosenbrock.OfMatrices(), Scalars.One);
        if (saved is not null) _state.add_(saved.State, Scalars.One);
    }

    /// <summary>The end stage's slope is the next step's first: what both add to the adjoint of the state after the step.</summary>
    private void ReverseEnd(StepGeometry geometry, Tensor after, Tensor[]? termsAfter, Tensor?[] adjoints, SaveCotangents? saved)
    {
        var end = _tableau.EndStage;
        var slope = WithNext(OfEndSlope(geometry, after, adjoints, saved));
        if (Vjp(geometry.TimeOf(end), after, termsAfter, slope) is { } throughEnd) _state.add_(throughEnd, Scalars.One);
        adjoints[end] = _state;
    }

    private void ReverseImplicit(
        StageGroup group, StepGeometry geometry, Tensor?[] states, Tensor after, Tensor?[] adjoints, SaveCotangents? saved)
    {
        var end = _tableau.EndStage;
        Tensor[] places = [.. Enumerable.Range(group.First, group.Count).Select(i => i == end ? after : states[i]!)];
        Tensor?[] slopes = [.. Enumerable.Range(group.First, group.Count).Select(i =>
            i == end ? WithNext(OfEndSlope(geometry, after, adjoints, saved)) : OfStage(i, adjoints, saved, geometry))];
        var solved = ImplicitAdjoint.Solve(_kernel, group, geometry, places, slopes, group.Contains(end) ? _state : null);
        for (var i = 0; i < group.Count; i++)
        {
            var stage = group.First + i;
            var adjoint = Vjp(geometry.TimeOf(stage), places[i], null, solved[i])!;
            adjoints[stage] = stage == end ? _state.add_(adjoint, Scalars.One) : adjoint;
        }
    }

    /// <summary>The adjoint of f at the step's end, from that of the slope which the dense output has there.</summary>
    private Tensor? OfEndSlope(StepGeometry geometry, Tensor after, Tensor?[] adjoints, SaveCotangents? saved)
    {
        var end = _tableau.EndStage;
        var slope = OfStage(end, adjoints, saved, geometry);
        if (!_tableau.IsHermite) return slope;
        slope = OfDerivative(geometry.TimeOf(end), after, slope, out var ofState);
        if (ofState is not null) _state.add_(ofState, Scalars.One);
        return slope;
    }

    /// <summary>The adjoint of f(t, x) from that of dx/dt, and what that adds to the adjoint of x: they differ where there are constraints.</summary>
    private Tensor? OfDerivative(Tensor time, Tensor state, Tensor? derivative, out Tensor? ofState)
    {
        ofState = null;
        if (derivative is null || _kernel.Constraints is not { } constraints) return derivative;
        (derivative, ofState) = constraints.DerivativeVjp(time, state, derivative, _into);
        return derivative;
    }

    /// <summary>With the adjoint of the next step's first slope, which is this one.</summary>
    private Tensor? WithNext(Tensor? slope)
    {
        if (slope is null || _slope is null) return slope ?? _slope;
        return slope.add_(_slope, Scalars.One);
    }

    private void ReverseFirstStage(StepRecord first)
    {
        if (_slope is null) return;
        _state.add_(Vjp(first.Geometry.Anew().TimeOf(0), first.State, first.Terms?[0], _slope)!, Scalars.One);
        _slope.Dispose();
        _slope = null;
    }

    /// <summary>k̄ᵢ = h (Σⱼ aⱼᵢ z̄ⱼ + what was saved of it), in memory of its own; null where it is zero. Asked for once a stage.</summary>
    private Tensor? OfStage(int stage, Tensor?[] adjoints, SaveCotangents? saved, StepGeometry geometry)
    {
        var sum = saved?.Stage(stage);
        for (var j = 1; j < adjoints.Length; j++)
            if (adjoints[j] is { } adjoint && stage < _tableau.A[j].Length && _tableau.A[j][stage] is var weight and not 0)
                sum = LinearCombination.Accumulate(sum, weight * geometry.Scale, adjoint);
        return sum is null ? null : _kernel.OfPart(stage, geometry.ScaledInPlace(sum));
    }

    private Tensor? Vjp(Tensor time, Tensor state, Tensor[]? terms, Tensor? cotangent) =>
        cotangent is null ? null : _kernel.Equations.DriftVjp(time, state, cotangent, _into, terms);

    /// <summary>The stages once more, from the state before the step.</summary>
    private Stages Recompute(StepRecord step, StepGeometry geometry)
    {
        var slope = _kernel.Drift(0, geometry.TimeOf(0), step.State, out var terms);
        var stages = _kernel.Begin(geometry, step.State, slope, terms);
        if ((step.Rows is not null || step.Events is not null) && _tableau.A.Count > _tableau.EndStage + 1)
        {
            _kernel.Advance(stages);
            _kernel.EndSlope(stages);
            _kernel.Extend(stages);
        }

        return stages;
    }
}
