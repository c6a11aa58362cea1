using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DiffEqLang.Tableaux;

namespace DiffEqLang.Runtime.Simd;

/// <summary>Explicit Runge-Kutta steps of the states of one register, by any tableau over a kernel's right-hand side.</summary>
/// <typeparam name="TRegister">The kernel's register.</typeparam>
/// <typeparam name="TLanes">The same register with its arithmetic.</typeparam>
/// <param name="kernel">The equations.</param>
/// <param name="tableau">The method.</param>
/// <param name="parts">Which numbers of the state its stages move.</param>
internal sealed class LaneStepper<TRegister, TLanes>(LaneKernel<TRegister> kernel, RungeKuttaTableau tableau, LaneParts parts)
    where TRegister : struct
    where TLanes : struct, ILanes<TLanes>
{
    private readonly LaneSum<TLanes>[][] _rows = [.. Enumerable.Range(0, tableau.A.Count).Select(parts.Row<TLanes>)];
    private readonly LaneSum<TLanes>[][] _errors = [.. (tableau.Error?.Estimates ?? []).Select(parts.Sums<TLanes>)];
    private readonly TLanes[] _places = [.. tableau.C.Select(TLanes.Of)];    // of the stages in the step
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
    public void Evaluate(
        int from, int to, TLanes t, TLanes h, ReadOnlySpan<TLanes> state, ReadOnlySpan<TLanes> parameters,
        Span<TLanes> stages, Span<TLanes> states, Span<TLanes> terms)
    {
        var keepsAll = terms.Length > kernel.TermSize;
        for (var i = from; i < to; i++)
        {
            var at = StateOf(i, states);
            var slope = stages.Slice(i * Size, Size);
            Place(i, h, state, stages, at);
            var ofStage = keepsAll ? terms.Slice((i - 1) * kernel.TermSize, kernel.TermSize) : terms[..kernel.TermSize];
            if (parts.IsVelocity(i))
            {
                parts.Slope(at, slope);
                continue;
            }

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

    /// <summary>The squared norms of both estimates of the error (the second is 0 where there is one).</summary>
    public (TLanes First, TLanes Second) SquaredErrors(
        TLanes h, ReadOnlySpan<TLanes> state, ReadOnlySpan<TLanes> after, ReadOnlySpan<TLanes> stages, TLanes rtol, TLanes atol) =>
        (SquaredError(_errors[0], h, state, after, stages, rtol, atol),
            _errors.Length == 1 ? default : SquaredError(_errors[1], h, state, after, stages, rtol, atol));

    private TLanes SquaredError(
        LaneSum<TLanes>[] estimate, TLanes h, ReadOnlySpan<TLanes> state, ReadOnlySpan<TLanes> after, ReadOnlySpan<TLanes> stages,
        TLanes rtol, TLanes atol)
    {
        var squares = default(TLanes);
        foreach (var sum in estimate)
        {
            for (var i = 0; i < sum.Count; i += 4)
            {
                SumFour(sum.Weights, stages, sum.Components.AsSpan(i, 4), out var e0, out var e1, out var e2, out var e3);
                squares = Squared(e0, sum.Components[i], squares, state, after);
                if (i + 1 < sum.Count) squares = Squared(e1, sum.Components[i + 1], squares, state, after);
                if (i + 2 < sum.Count) squares = Squared(e2, sum.Components[i + 2], squares, state, after);
                if (i + 3 < sum.Count) squares = Squared(e3, sum.Components[i + 3], squares, state, after);
            }
        }

        return squares * _perComponent;

        TLanes Squared(TLanes sum, int component, TLanes before, ReadOnlySpan<TLanes> state, ReadOnlySpan<TLanes> after)
        {
            var error = sum * (h / Tolerance(state[component], after[component], rtol, atol));
            return TLanes.MultiplyAdd(error, error, before);
        }
    }

    /// <summary>The squared norm of an estimate of the error itself, length N: 1/N Σ (eᵢ / (atol + rtol max(|yᵢ|, |y₁ᵢ|)))².</summary>
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
        foreach (var sum in _rows[stage])
        {
            for (var i = 0; i < sum.Components.Length; i += 4)
            {
                var four = sum.Components.AsSpan(i, 4);
                SumFour(sum.Weights, stages, four, out var s0, out var s1, out var s2, out var s3);
                result[four[0]] = TLanes.MultiplyAdd(h, s0, state[four[0]]);
                result[four[1]] = TLanes.MultiplyAdd(h, s1, state[four[1]]);
                result[four[2]] = TLanes.MultiplyAdd(h, s2, state[four[2]]);
                result[four[3]] = TLanes.MultiplyAdd(h, s3, state[four[3]]);
            }
        }
    }

    /// <summary>
    /// The sums of four components: four chains of additions that do not wait for each other. Memory is addressed without checks, which took as
    /// long as the sums, but for the last stage's; components are below N by construction.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void SumFour(
        (int Stage, TLanes Weight)[] weights, ReadOnlySpan<TLanes> stages, ReadOnlySpan<int> components,
        out TLanes s0, out TLanes s1, out TLanes s2, out TLanes s3)
    {
        var (c0, c1, c2, c3) = (components[0], components[1], components[2], components[3]);
        s0 = s1 = s2 = s3 = default;
        if (weights.Length == 0) return;
        ref var slopes = ref MemoryMarshal.GetReference(stages[..((weights[^1].Stage + 1) * Size)]);
        foreach (var (stage, weight) in weights)
        {
            ref var slope = ref Unsafe.Add(ref slopes, stage * Size);
            s0 = TLanes.MultiplyAdd(weight, Unsafe.Add(ref slope, c0), s0);
            s1 = TLanes.MultiplyAdd(weight, Unsafe.Add(ref slope, c1), s1);
            s2 = TLanes.MultiplyAdd(weight, Unsafe.Add(ref slope, c2), s2);
            s3 = TLanes.MultiplyAdd(weight, Unsafe.Add(ref slope, c3), s3);
        }
    }

    private static TRegister Bare(TLanes lanes) => Unsafe.BitCast<TLanes, TRegister>(lanes);

    private static Span<TRegister> Bare(Span<TLanes> lanes) => MemoryMarshal.Cast<TLanes, TRegister>(lanes);

    private static ReadOnlySpan<TRegister> Bare(ReadOnlySpan<TLanes> lanes) => MemoryMarshal.Cast<TLanes, TRegister>(lanes);
}
