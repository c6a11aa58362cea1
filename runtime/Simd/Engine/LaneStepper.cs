using System.Runtime.CompilerServices;
using DiffEqLang.Tableaux;

namespace DiffEqLang.Runtime.Simd;

/// <summary>Explicit Runge-Kutta steps of the states of one register, by any tableau over a kernel's right-hand side.</summary>
/// <remarks>Its loops are not inlined: taken into one long method, they would have their variables in memory.</remarks>
/// <typeparam name="TRegister">The kernel's register.</typeparam>
/// <typeparam name="TLanes">The same register with its arithmetic.</typeparam>
/// <param name="kernel">The equations.</param>
/// <param name="tableau">The method.</param>
/// <param name="parts">Which numbers of the state its stages move.</param>
internal sealed class LaneStepper<TRegister, TLanes>(LaneKernel<TRegister> kernel, RungeKuttaTableau tableau, LaneParts parts) : KernelCaller<TRegister, TLanes>
    where TRegister : struct
    where TLanes : struct, ILanes<TLanes>
{
    private readonly LaneSum<TRegister>[][] _rows = [.. Enumerable.Range(0, tableau.A.Count).Select(parts.Row<TRegister>)];
    private readonly LaneSum<TRegister>[][] _errors = [.. (tableau.Error?.Estimates ?? []).Select(parts.Sums<TRegister>)];
    private readonly bool[] _isVelocity = [.. Enumerable.Range(0, tableau.A.Count).Select(parts.IsVelocity)];
    private readonly bool[] _isLedTo = [.. Enumerable.Range(0, tableau.A.Count + 1).Select(i => i > 0 && parts.Onward(i - 1) != 0)];    // by the stage before
    private readonly TLanes[] _places = [.. tableau.C.Select(TLanes.Of)];    // of the stages in the step
    private readonly TRegister[] _zero = new TRegister[kernel.StateSize];
    private readonly TLanes _perComponent = TLanes.Of(1.0 / kernel.StateSize);

    /// <param name="kernel">The equations.</param>
    /// <param name="tableau">The method.</param>
    public LaneStepper(LaneKernel<TRegister> kernel, RungeKuttaTableau tableau)
        : this(kernel, tableau, new LaneParts(tableau, kernel.StateSize, kernel.Velocities))
    {
    }

    /// <summary>The equations; another kernel of the same class may take their place between solves.</summary>
    public LaneKernel<TRegister> Kernel
    {
        get => kernel;
        set => kernel = value;
    }

    /// <summary>The method.</summary>
    public RungeKuttaTableau Tableau => tableau;

    /// <summary>Which numbers of the state its stages move.</summary>
    public LaneParts Parts => parts;

    /// <summary>N, the numbers of a state.</summary>
    public int Size { get; } = kernel.StateSize;

    /// <summary>Whether the kernel has this method's step as one piece.</summary>
    public bool IsFused { get; } = kernel.FusedStep == tableau.Identity;

    /// <summary>Whether it has the method's coupled stages as pieces.</summary>
    public bool HasFusedStages { get; } = kernel.FusedStages == tableau.Identity;

    /// <summary>f(t, x), and its terms.</summary>
    public void Drift(TLanes t, ReadOnlySpan<TLanes> state, ReadOnlySpan<TLanes> parameters, Span<TLanes> slope, Span<TLanes> terms) =>
        kernel.Drift(Bare(t), Bare(state), Bare(parameters), Bare(slope), Bare(terms));

    /// <summary>The vector-Jacobian products of f: as <see cref="LaneKernel{TRegister}.DriftVjp"/>.</summary>
    public void DriftVjp(
        TLanes t, ReadOnlySpan<TLanes> state, ReadOnlySpan<TLanes> parameters, ReadOnlySpan<TLanes> terms, ReadOnlySpan<TLanes> w,
        Span<TLanes> stateGradient, Span<TLanes> parameterGradients) => kernel.DriftVjp(
        Bare(t), Bare(state), Bare(parameters), Bare(terms), Bare(w), Bare(stateGradient), Bare(parameterGradients));

    /// <summary>The Jacobian of f: as <see cref="LaneKernel{TRegister}.DriftJacobian"/>.</summary>
    public void DriftJacobian(TLanes t, ReadOnlySpan<TLanes> state, ReadOnlySpan<TLanes> parameters, Span<TLanes> jacobian) =>
        kernel.DriftJacobian(Bare(t), Bare(state), Bare(parameters), Bare(jacobian));

    /// <summary>∂f/∂t: as <see cref="LaneKernel{TRegister}.DriftTimeDerivative"/>.</summary>
    public void DriftTimeDerivative(TLanes t, ReadOnlySpan<TLanes> state, ReadOnlySpan<TLanes> parameters, Span<TLanes> slope) =>
        kernel.DriftTimeDerivative(Bare(t), Bare(state), Bare(parameters), Bare(slope));

    /// <summary>What events watch: as <see cref="LaneKernel{TRegister}.EventValues"/>.</summary>
    public void EventValues(
        TLanes t, ReadOnlySpan<TLanes> state, ReadOnlySpan<TLanes> parameters, ReadOnlySpan<TLanes> tangent, Span<TLanes> values,
        Span<TLanes> rates) => kernel.EventValues(Bare(t), Bare(state), Bare(parameters), Bare(tangent), Bare(values), Bare(rates));

    /// <summary>Lets an event act: as <see cref="LaneKernel{TRegister}.Jump"/>.</summary>
    public void Jump(int which, TLanes t, ReadOnlySpan<TLanes> state, ReadOnlySpan<TLanes> parameters, Span<TLanes> after) =>
        kernel.Jump(which, Bare(t), Bare(state), Bare(parameters), Bare(after));

    /// <summary>Fused steps: as <see cref="LaneKernel{TRegister}.Step"/>.</summary>
    public void Fused(
        ReadOnlySpan<TLanes> times, ReadOnlySpan<TLanes> steps, ReadOnlySpan<TLanes> state, ReadOnlySpan<TLanes> parameters,
        TLanes rtol, TLanes atol, Span<TLanes> stages, Span<TLanes> after, Span<TLanes> squaredErrors) => kernel.Step(
        Bare(times), Bare(steps), Bare(state), Bare(parameters), Bare(rtol), Bare(atol), Bare(stages), Bare(after), Bare(squaredErrors));

    /// <summary>Fused steps of one size: as <see cref="LaneKernel{TRegister}.Advance"/>.</summary>
    public void Advance(int steps, TLanes t, TLanes h, Span<TLanes> state, ReadOnlySpan<TLanes> parameters) =>
        kernel.Advance(steps, Bare(t), Bare(h), Bare(state), Bare(parameters));

    /// <summary>Where the state of a stage lies among those of all stages from 1 on; or, where there is room for one, in its place.</summary>
    public Span<TLanes> StateOf(int stage, Span<TLanes> states) => states.Length > Size ? states.Slice((stage - 1) * Size, Size) : states;

    /// <summary>Evaluates stages, each at its own state.</summary>
    /// <param name="from">The first stage.</param>
    /// <param name="to">The stage after the last.</param>
    /// <param name="t">The time before the step.</param>
    /// <param name="h">The step.</param>
    /// <param name="state">The state before it.</param>
    /// <param name="parameters">Those of the kernel.</param>
    /// <param name="stages">All stages, those before <paramref name="from"/> given.</param>
    /// <param name="states">Receives the states of the stages from 1 on, stage by stage; or one stage's, overwritten by each.</param>
    /// <param name="terms">Receives their terms, stage by stage; or one stage's, overwritten by each.</param>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public void Evaluate(
        int from, int to, TLanes t, TLanes h, ReadOnlySpan<TLanes> state, ReadOnlySpan<TLanes> parameters,
        Span<TLanes> stages, Span<TLanes> states, Span<TLanes> terms)
    {
        var keepsAll = terms.Length > kernel.TermSize;
        for (var i = from; i < to; i++)
        {
            var at = StateOf(i, states);
            var slope = stages.Slice(i * Size, Size);
            if (_isVelocity[i])
            {
                Velocity(i, h, state, stages, slope, states);
                continue;
            }

            if (i == from || !_isLedTo[i]) Place(i, h, state, stages, at);
            var ofStage = keepsAll ? terms.Slice((i - 1) * kernel.TermSize, kernel.TermSize) : terms[..kernel.TermSize];
            if (i == tableau.EndStage && tableau.SharesLastSlope)
            {
                stages.Slice((i - 1) * Size, Size).CopyTo(slope);
                parts.Slope(at, slope);
                if (keepsAll) terms.Slice((i - 2) * kernel.TermSize, kernel.TermSize).CopyTo(ofStage);
                continue;
            }

            Drift(TLanes.MultiplyAdd(h, _places[i], t), at, parameters, slope, ofStage);
        }
    }

    /// <summary>The slope of a stage that moves the positions, and the state of the next stage where it leads there.</summary>
    private void Velocity(int stage, TLanes h, ReadOnlySpan<TLanes> state, ReadOnlySpan<TLanes> stages, Span<TLanes> slope, Span<TLanes> states)
    {
        var onward = _isLedTo[stage + 1] ? StateOf(stage + 1, states) : default;
        foreach (var sum in _rows[stage]) sum.AddTo(Bare(state), Bare(h), Bare(stages), Bare(slope), Bare(onward));
    }

    /// <summary>The squared norms of both estimates of the error (the second is 0 where there is one).</summary>
    /// <param name="h">The step.</param>
    /// <param name="state">The state before it.</param>
    /// <param name="after">That after it.</param>
    /// <param name="stages">All stages.</param>
    /// <param name="rtol">The relative tolerance.</param>
    /// <param name="atol">The absolute tolerance.</param>
    /// <param name="error">Room for an estimate, length N.</param>
    public (TLanes First, TLanes Second) SquaredErrors(
        TLanes h, ReadOnlySpan<TLanes> state, ReadOnlySpan<TLanes> after, ReadOnlySpan<TLanes> stages, TLanes rtol, TLanes atol,
        Span<TLanes> error)
    {
        var first = SquaredError(_errors[0], h, state, after, stages, rtol, atol, error);
        return (first, _errors.Length == 1 ? default : SquaredError(_errors[1], h, state, after, stages, rtol, atol, error));
    }

    private TLanes SquaredError(
        LaneSum<TRegister>[] estimate, TLanes h, ReadOnlySpan<TLanes> state, ReadOnlySpan<TLanes> after, ReadOnlySpan<TLanes> stages,
        TLanes rtol, TLanes atol, Span<TLanes> error)
    {
        foreach (var sum in estimate) sum.AddTo(_zero, Bare(h), Bare(stages), Bare(error));
        return SquaredNorm(error, state, after, rtol, atol);
    }

    /// <summary>The squared norm of an estimate of the error itself, length N: 1/N Σ (eᵢ / (atol + rtol max(|yᵢ|, |y₁ᵢ|)))².</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public TLanes SquaredNorm(ReadOnlySpan<TLanes> error, ReadOnlySpan<TLanes> state, ReadOnlySpan<TLanes> after, TLanes rtol, TLanes atol)
    {
        var squares = default(TLanes);
        for (var c = 0; c < error.Length; c++)
        {
            var scaled = error[c] / Tolerance(state[c], after[c], rtol, atol);
            squares = TLanes.MultiplyAdd(scaled, scaled, squares);
        }

        return squares * _perComponent;
    }

    private static TLanes Tolerance(TLanes before, TLanes after, TLanes rtol, TLanes atol) =>
        TLanes.MultiplyAdd(rtol, TLanes.Max(TLanes.Abs(before), TLanes.Abs(after)), atol);

    /// <summary>
    /// The squared error of two estimates, ‖e₀‖⁴ / (‖e₀‖² + 0.01 ‖e₁‖²) (<see cref="ErrorEstimate"/>); the first alone where the
    /// method has one.
    /// </summary>
    public TLanes Combined((TLanes First, TLanes Second) squared)
    {
        if (_errors.Length == 1) return squared.First;
        var combined = squared.First * squared.First / TLanes.MultiplyAdd(TLanes.Of(0.01), squared.Second, squared.First);
        return TLanes.Select(TLanes.Equal(squared.First, default), default, combined);
    }

    /// <summary>The state of a stage, state + h Σⱼ aᵢⱼ stageⱼ, on the numbers that its slope depends on.</summary>
    public void Place(int stage, TLanes h, ReadOnlySpan<TLanes> state, ReadOnlySpan<TLanes> stages, Span<TLanes> result)
    {
        foreach (var sum in _rows[stage]) sum.AddTo(Bare(state), Bare(h), Bare(stages), Bare(result));
    }
}
