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
    private readonly RungeKuttaKernel _first;
    private readonly RungeKuttaKernel? _stiff;      // where the method has changed
    private readonly Tensor _cotangents;
    private readonly ParameterGradients _into;
    private readonly double _start;
    private readonly EventAdjoint _events;
    private readonly PastAdjoint? _past;
    private RungeKuttaKernel _kernel;       // of the step that is reversed
    private RungeKuttaTableau _tableau;
    private Tensor _state;      // λ, [samples, N]
    private Tensor? _slope;     // the adjoint of f at the present state, from the first stage of the step after it

    private DiscreteAdjoint(OdeProblem problem, StepTape tape, Tensor cotangents, Tensor? eventTimes, ParameterGradients into)
    {
        (_tape, _tableau, _cotangents, _into, _start) = (tape, problem.Tableau, cotangents, into, problem.Span.Start);
        _kernel = _first = new RungeKuttaKernel(problem, tape.Lanes, tape.Final!.dtype, keepsTerms: true, tape.Past);
        _stiff = problem.Stiff is null ? null : new RungeKuttaKernel(problem.ByStiffMethod, tape.Lanes, tape.Final!.dtype, keepsTerms: true);
        _events = new EventAdjoint(_kernel, tape.Lanes, eventTimes, into);
        _past = tape is OdeTape { Past: not null } whole ? new PastAdjoint(_kernel, whole, into) : null;
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
        using var first = adjoint._first;
        using var stiff = adjoint._stiff;
        var span = problem.Span;
        if (span.Times is { } times) SaveCotangents.AddAt(span.End, times, cotangents, adjoint._state);
        if (tape.Held is { } held) SaveCotangents.AddHeld(held, cotangents, adjoint._state);
        StepRecord? next = null;
        for (var i = tape.Count - 1; i >= 0; i--)
        {
            using var ofStep = NewDisposeScope();
            var step = tape.Step(i);
            if (step.Events is { } events) adjoint.Reverse(i, step, events.EndState, null);
            else if (next is null) adjoint.Reverse(i, step, tape.Final!, tape.FinalTerms);
            else adjoint.Reverse(i, step, next.State, next.StartsAnew ? null : next.Terms?[0]);
            if (i == 0 || step.StartsAnew) adjoint.ReverseFirstStage(step);
            if (step.StartsAnew) adjoint._past?.MoveJumps(i, adjoint._state);
            next = step;
        }

        adjoint.AddPast();
        if (span.Times is null) adjoint._state.add_(cotangents.select(0, 0), Scalars.One);
        else if (span.Start != span.End) SaveCotangents.AddAt(span.Start, span.Times, cotangents, adjoint._state);
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

    /// <summary>Through one step: from the adjoint of the state after it, <paramref name="after"/>, to that of the state before.</summary>
    private void Reverse(int number, StepRecord step, Tensor after, Tensor[]? termsAfter)
    {
        _kernel = _stiff is not null && step.Tableau == _stiff.Tableau ? _stiff : _first;
        _tableau = _kernel.Tableau;
        if (step.SavedAtEnd >= 0) _state.add_(_cotangents.select(0, step.SavedAtEnd), Scalars.One);
        var saved = step.Rows is null ? null : new SaveCotangents(step.Rows, step.Rows.Weights(_tableau, step.Geometry.Scale), _cotangents, _tape.Lanes);
        if (step.Events is not null)
        {
            using var arrivals = _past?.ArrivalsOf(number);
            var ofEvents = _events.Reverse(step.Events, _state, arrivals, step.Events.Rows.Weights(_tableau, step.Geometry.Scale));
            if (saved is null) saved = ofEvents;
            else saved.Add(ofEvents);
        }

        if (_past?.Of(number, step.Geometry.Scale) is { } read)
        {
            if (saved is null) saved = read;
            else saved.Add(read);
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
                geometry, group.First, states[group.First]!, terms?[group.First], OfStage(group.First, adjoints, saved, geometry));
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
        var slope = OfDerivative(geometry.TimeOf(end), after, OfStage(end, adjoints, saved, geometry), out var ofState);
        if (ofState is not null) _state.add_(ofState, Scalars.One);
        if (Vjp(geometry, end, after, termsAfter, WithNext(slope)) is { } throughEnd) _state.add_(throughEnd, Scalars.One);
        adjoints[end] = _state;
    }

    private void ReverseImplicit(
        StageGroup group, StepGeometry geometry, Tensor?[] states, Tensor after, Tensor?[] adjoints, SaveCotangents? saved)
    {
        var end = _tableau.EndStage;
        Tensor[] places = [.. Enumerable.Range(group.First, group.Count).Select(i => i == end ? after : states[i]!)];
        Tensor?[] slopes = [.. Enumerable.Range(group.First, group.Count).Select(i =>
            i == end ? WithNext(OfStage(i, adjoints, saved, geometry)) : OfStage(i, adjoints, saved, geometry))];
        var solved = ImplicitAdjoint.Solve(_kernel, group, geometry, places, slopes, group.Contains(end) ? _state : null);
        for (var i = 0; i < group.Count; i++)
        {
            var stage = group.First + i;
            var adjoint = Vjp(geometry, stage, places[i], null, solved[i])!;
            adjoints[stage] = stage == end ? _state.add_(adjoint, Scalars.One) : adjoint;
        }
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

    /// <summary>Of a step whose first slope is not the end slope of the step before.</summary>
    private void ReverseFirstStage(StepRecord first)
    {
        if (_slope is null) return;
        _state.add_(Vjp(first.Geometry.Anew(), 0, first.State, first.Terms?[0], _slope)!, Scalars.One);
        _slope.Dispose();
        _slope = null;
    }

    /// <summary>Adds what was read of the initial state as its own past.</summary>
    private void AddPast()
    {
        if (_past is null) return;
        _state.add_(_past.Initial, Scalars.One);
        _past.Initial.Dispose();
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

    /// <summary>The adjoint of the state that a stage's slope is evaluated at; null where that of the slope is zero.</summary>
    private Tensor? Vjp(StepGeometry geometry, int stage, Tensor state, Tensor[]? terms, Tensor? cotangent)
    {
        if (cotangent is null) return null;
        var argument = _kernel.Argument(geometry, stage, state);
        var adjoint = _kernel.Equations.DriftVjp(geometry.TimeOf(stage), argument, cotangent, _into, terms);
        return _past is null ? adjoint : _past.Take(adjoint, geometry, stage);
    }

    /// <summary>The stages once more, from the state before the step.</summary>
    private Stages Recompute(StepRecord step, StepGeometry geometry)
    {
        var slope = _kernel.Drift(geometry, 0, step.State, out var terms);
        var stages = _kernel.Begin(geometry, step.State, slope, terms);
        if ((step.Rows is not null || step.Events is not null || _past is not null) && _tableau.A.Count > _tableau.EndStage + 1)
        {
            _kernel.Advance(stages);
            _kernel.EndSlope(stages);
            _kernel.Extend(stages);
        }

        return stages;
    }
}
