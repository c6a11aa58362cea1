using DiffEqLang.Tableaux;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>The discrete adjoint of Runge-Kutta and Rosenbrock methods, by their tableaux.</summary>
/// <remarks>
/// With z̄ⱼ the adjoint of the state that stage j is evaluated at, and λ that of y₁ (whose row of A is b):
/// k̄ᵢ = h Σⱼ aⱼᵢ z̄ⱼ,  z̄ᵢ = (∂f/∂x)ᵀ k̄ᵢ,  λ ← λ + Σᵢ z̄ᵢ. Hager (2000), Runge-Kutta methods in optimal control and the
/// transformed adjoint system, Numer. Math. 87. The first
/// stage of a step is the end stage of the one before: their adjoints are summed and go through ∂f/∂x once. Of implicit stages the
/// adjoints depend on each other: <see cref="ImplicitAdjoint"/> solves for them. Where there are algebraic constraints, the slopes at a
/// step's ends are derivatives that follow from them, and the initial state is what fulfils them (<see cref="AlgebraicConstraints"/>).
/// </remarks>
internal sealed class RungeKuttaAdjoint : DiscreteAdjoint
{
    private readonly RungeKuttaKernel _first;
    private readonly RungeKuttaKernel? _stiff;      // where the method has changed
    private readonly SolveSpan _span;
    private readonly EventAdjoint _events;
    private readonly PastAdjoint? _past;
    private RungeKuttaKernel _kernel;       // of the step that is reversed
    private RungeKuttaTableau _tableau;
    private Tensor? _slope;     // the adjoint of f at the present state, from the first stage of the step after it

    /// <inheritdoc cref="DiscreteAdjoint.Run"/>
    public RungeKuttaAdjoint(OdeProblem problem, StepTape tape, Tensor cotangents, Tensor? eventTimes, ParameterGradients into)
        : base(tape, cotangents, into)
    {
        (_tableau, _span) = (problem.Tableau, problem.Span);
        _kernel = _first = new RungeKuttaKernel(problem, tape.Lanes, State.dtype, keepsTerms: true, tape.Past);
        _stiff = problem.Stiff is null ? null : new RungeKuttaKernel(problem.ByStiffMethod, tape.Lanes, State.dtype, keepsTerms: true);
        _events = new EventAdjoint(_kernel, tape.Lanes, eventTimes, into);
        _past = tape is OdeTape { Past: not null } whole ? new PastAdjoint(_kernel, whole, into) : null;
    }

    /// <inheritdoc/>
    protected override Tensor OfGivenState(Tensor start)
    {
        if (_past is not null) State.add_(_past.Initial, Scalars.One);
        if (_kernel.Constraints is not { } constraints) return State;
        using var ofConsistent = State;
        return constraints.ConsistentVjp(_span.StartTime(start), start, ofConsistent, Into).DetachFromDisposeScope();
    }

    /// <inheritdoc/>
    protected override void Reverse(int number, StepRecord step, StepRecord? next)
    {
        _kernel = _stiff is not null && step.Tableau == _stiff.Tableau ? _stiff : _first;
        _tableau = _kernel.Tableau;
        var scale = step.Geometry.Scale;
        using var arrivals = step.Events is null ? null : _past?.ArrivalsOf(number);
        var saved = SaveCotangents.Sum(OfInside(step, _events, arrivals, rows => rows.Weights(_tableau, scale)), _past?.Of(number, scale));
        var after = After(step, next);
        var isContinued = step.Events is null && next is not { StartsAnew: true };
        var termsAfter = !isContinued ? null : next is null ? Tape.FinalTerms : next.Terms?[0];
        var (geometry, end) = (step.Geometry.Anew(), _tableau.EndStage);
        var stages = step.StageStates is null || _tableau.Rosenbrock is not null ? Recompute(step, geometry) : null;
        var (states, terms) = stages is null ? (step.StageStates!, step.Terms) : (stages.States, stages.Terms);
        var rosenbrock = _tableau.Rosenbrock is null ? null : new RosenbrockAdjoint(_kernel, stages!, Into);
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
        if (ofState is not null) State.add_(ofState, Scalars.One);
        for (var i = 1; i < adjoints.Length; i++)
            if (i != end && adjoints[i] is { } adjoint)
                State.add_(adjoint, Scalars.One);
        if (rosenbrock is not null) State.add_(rosenbrock.OfMatrices(), Scalars.One);
        if (saved is not null) State.add_(saved.State, Scalars.One);
    }

    /// <summary>The end stage's slope is the next step's first: what both add to the adjoint of the state after the step.</summary>
    private void ReverseEnd(StepGeometry geometry, Tensor after, Tensor[]? termsAfter, Tensor?[] adjoints, SaveCotangents? saved)
    {
        var end = _tableau.EndStage;
        var slope = OfDerivative(geometry.TimeOf(end), after, OfStage(end, adjoints, saved, geometry), out var ofState);
        if (ofState is not null) State.add_(ofState, Scalars.One);
        if (Vjp(geometry, end, after, termsAfter, WithNext(slope)) is { } throughEnd) State.add_(throughEnd, Scalars.One);
        adjoints[end] = State;
    }

    private void ReverseImplicit(
        StageGroup group, StepGeometry geometry, Tensor?[] states, Tensor after, Tensor?[] adjoints, SaveCotangents? saved)
    {
        var end = _tableau.EndStage;
        Tensor[] places = [.. Enumerable.Range(group.First, group.Count).Select(i => i == end ? after : states[i]!)];
        Tensor?[] slopes = [.. Enumerable.Range(group.First, group.Count).Select(i =>
            i == end ? WithNext(OfStage(i, adjoints, saved, geometry)) : OfStage(i, adjoints, saved, geometry))];
        var solved = ImplicitAdjoint.Solve(_kernel, group, geometry, places, slopes, group.Contains(end) ? State : null);
        for (var i = 0; i < group.Count; i++)
        {
            var stage = group.First + i;
            var adjoint = Vjp(geometry, stage, places[i], null, solved[i])!;
            adjoints[stage] = stage == end ? State.add_(adjoint, Scalars.One) : adjoint;
        }
    }

    /// <summary>The adjoint of f(t, x) from that of dx/dt, and what that adds to the adjoint of x: they differ where there are constraints.</summary>
    private Tensor? OfDerivative(Tensor time, Tensor state, Tensor? derivative, out Tensor? ofState)
    {
        ofState = null;
        if (derivative is null || _kernel.Constraints is not { } constraints) return derivative;
        (derivative, ofState) = constraints.DerivativeVjp(time, state, derivative, Into);
        return derivative;
    }

    /// <summary>With the adjoint of the next step's first slope, which is this one.</summary>
    private Tensor? WithNext(Tensor? slope)
    {
        if (slope is null || _slope is null) return slope ?? _slope;
        return slope.add_(_slope, Scalars.One);
    }

    /// <inheritdoc/>
    protected override void ReverseFirstSlope(int number, StepRecord step)
    {
        if (_slope is not null)
        {
            State.add_(Vjp(step.Geometry.Anew(), 0, step.State, step.Terms?[0], _slope)!, Scalars.One);
            _slope.Dispose();
            _slope = null;
        }

        if (step.StartsAnew) _past?.MoveJumps(number, State);
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
        if (_kernel.IsVelocity(stage)) return _kernel.VelocityVjp(cotangent);
        var argument = _kernel.Argument(geometry, stage, state);
        var adjoint = _kernel.EquationsOf(stage).DriftVjp(geometry.TimeOf(stage), argument, cotangent, Into, terms);
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

    /// <inheritdoc/>
    public override void Dispose()
    {
        _first.Dispose();
        _stiff?.Dispose();
        _slope?.Dispose();
        _past?.Initial.Dispose();
    }
}
