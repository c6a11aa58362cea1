using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DiffEqLang.Tableaux;

namespace DiffEqLang.Runtime.Simd;

/// <summary>Explicit Runge-Kutta steps of the states of one register, by any tableau over a kernel's right-hand side.</summary>
/// <typeparam name="TRegister">The kernel's register.</typeparam>
/// <typeparam name="TLanes">The same register with its arithmetic.</typeparam>
/// <param name="kernel">The equations.</param>
/// <param name="tableau">The method.</param>
internal sealed class LaneStepper<TRegister, TLanes>(LaneKernel<TRegister> kernel, RungeKuttaTableau tableau)
    where TRegister : struct
    where TLanes : struct, ILanes<TLanes>
{
    private readonly (int Stage, TLanes Weight)[][] _rows = [.. tableau.A.Select(NonZero)];
    private readonly (int Stage, TLanes Weight)[][] _errors = [.. (tableau.Error?.Estimates ?? []).Select(NonZero)];
    private readonly TLanes[] _places = [.. tableau.C.Select(TLanes.Of)];    // of the stages in the step
    private readonly TLanes _perComponent = TLanes.Of(1.0 / kernel.StateSize);

    /// <summary>The equations; another kernel of the same class may take their place between solves.</summary>
    public LaneKernel<TRegister> Kernel
    {
        get => kernel;
        set => kernel = value;
    }

    /// <summary>The method.</summary>
    public RungeKuttaTableau Tableau => tableau;

    /// <summary>N, the numbers of a state.</summary>
    public int Size { get; } = kernel.StateSize;

    /// <summary>Whether the kernel has this method's step as one piece.</summary>
    public bool IsFused { get; } = kernel.FusedStep == tableau.Identity;

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

    /// <summary>Evaluates stages, each at its own state.</summary>
    /// <param name="from">The first stage.</param>
    /// <param name="to">The stage after the last.</param>
    /// <param name="t">The time before the step.</param>
    /// <param name="h">The step.</param>
    /// <param name="state">The state before it.</param>
    /// <param name="parameters">Those of the kernel.</param>
    /// <param name="stages">All stages, those before <paramref name="from"/> given.</param>
    /// <param name="states">Receives the states of the stages from 1 on, stage by stage.</param>
    /// <param name="terms">Receives their terms, stage by stage; or one stage's, overwritten by each.</param>
    public void Evaluate(
        int from, int to, TLanes t, TLanes h, ReadOnlySpan<TLanes> state, ReadOnlySpan<TLanes> parameters,
        Span<TLanes> stages, Span<TLanes> states, Span<TLanes> terms)
    {
        var keepsAll = terms.Length > kernel.TermSize;
        for (var i = from; i < to; i++)
        {
            var at = states.Slice((i - 1) * Size, Size);
            Place(i, h, state, stages, at);
            var ofStage = keepsAll ? terms.Slice((i - 1) * kernel.TermSize, kernel.TermSize) : terms[..kernel.TermSize];
            Drift(TLanes.MultiplyAdd(h, _places[i], t), at, parameters, stages.Slice(i * Size, Size), ofStage);
        }
    }

    /// <summary>The squared norms of both estimates of the error (the second is 0 where there is one).</summary>
    public (TLanes First, TLanes Second) SquaredErrors(
        TLanes h, ReadOnlySpan<TLanes> state, ReadOnlySpan<TLanes> after, ReadOnlySpan<TLanes> stages, TLanes rtol, TLanes atol) =>
        (SquaredError(_errors[0], h, state, after, stages, rtol, atol),
            _errors.Length == 1 ? default : SquaredError(_errors[1], h, state, after, stages, rtol, atol));

    private TLanes SquaredError(
        (int, TLanes)[] row, TLanes h, ReadOnlySpan<TLanes> state, ReadOnlySpan<TLanes> after, ReadOnlySpan<TLanes> stages, TLanes rtol, TLanes atol)
    {
        var squares = default(TLanes);
        var c = 0;
        for (; c + 4 <= Size; c += 4)
        {
            SumFour(row, stages, c, out var e0, out var e1, out var e2, out var e3);
            squares = Squared(e0, c, squares, state, after);
            squares = Squared(e1, c + 1, squares, state, after);
            squares = Squared(e2, c + 2, squares, state, after);
            squares = Squared(e3, c + 3, squares, state, after);
        }

        for (; c < Size; c++) squares = Squared(Sum(row, stages, c), c, squares, state, after);
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

    /// <summary>The state of a stage, state + h Σⱼ aᵢⱼ stageⱼ.</summary>
    public void Place(int stage, TLanes h, ReadOnlySpan<TLanes> state, ReadOnlySpan<TLanes> stages, Span<TLanes> result)
    {
        var row = _rows[stage];
        var c = 0;
        for (; c + 4 <= result.Length; c += 4)
        {
            SumFour(row, stages, c, out var s0, out var s1, out var s2, out var s3);
            result[c] = TLanes.MultiplyAdd(h, s0, state[c]);
            result[c + 1] = TLanes.MultiplyAdd(h, s1, state[c + 1]);
            result[c + 2] = TLanes.MultiplyAdd(h, s2, state[c + 2]);
            result[c + 3] = TLanes.MultiplyAdd(h, s3, state[c + 3]);
        }

        for (; c < result.Length; c++) result[c] = TLanes.MultiplyAdd(h, Sum(row, stages, c), state[c]);
    }

    private TLanes Sum((int Stage, TLanes Weight)[] row, ReadOnlySpan<TLanes> stages, int component)
    {
        var sum = default(TLanes);
        foreach (var (stage, weight) in row) sum = TLanes.MultiplyAdd(weight, stages[stage * Size + component], sum);
        return sum;
    }

    /// <summary>The sums of four components from one on: four chains of additions that do not wait for each other.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void SumFour(
        (int Stage, TLanes Weight)[] row, ReadOnlySpan<TLanes> stages, int component,
        out TLanes s0, out TLanes s1, out TLanes s2, out TLanes s3)
    {
        s0 = s1 = s2 = s3 = default;
        foreach (var (stage, weight) in row)
        {
            var four = stages.Slice(stage * Size + component, 4);
            s0 = TLanes.MultiplyAdd(weight, four[0], s0);
            s1 = TLanes.MultiplyAdd(weight, four[1], s1);
            s2 = TLanes.MultiplyAdd(weight, four[2], s2);
            s3 = TLanes.MultiplyAdd(weight, four[3], s3);
        }
    }

    private static (int, TLanes)[] NonZero(double[] weights) =>
        [.. weights.Index().Where(pair => pair.Item != 0).Select(pair => (pair.Index, TLanes.Of(pair.Item)))];

    private static TRegister Bare(TLanes lanes) => Unsafe.BitCast<TLanes, TRegister>(lanes);

    private static Span<TRegister> Bare(Span<TLanes> lanes) => MemoryMarshal.Cast<TLanes, TRegister>(lanes);

    private static ReadOnlySpan<TRegister> Bare(ReadOnlySpan<TLanes> lanes) => MemoryMarshal.Cast<TLanes, TRegister>(lanes);
}
