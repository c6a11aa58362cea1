using System.Numerics;
using System.Runtime.CompilerServices;
using DiffEqLang.Tableaux;

namespace DiffEqLang.Runtime.Simd;

/// <summary>
/// Steps of three coupled implicit stages on one register, each lane with matrices and iterations of its own: with zᵢ the stages' distances from
/// the state before the step and w = T⁻¹ z (<see cref="StageSpectrum"/>), a Newton iteration solves one real and one complex system of N
/// equations. It begins where the last step's polynomial, continued, lies.
/// </summary>
/// <remarks>
/// Hairer and Wanner (1996), Solving Ordinary Differential Equations II, IV.8. The Jacobian is taken anew in every step: keeping it, and
/// the step, while the iteration converges fast would save none to an eighth of the factorizations at a tolerance of 1e-4, and up to a quarter at
/// 1e-6 (five problems of the test set), for two more states to keep by lane.
/// </remarks>
internal sealed class RadauLanes<TRegister, TLanes, T>
    where TRegister : struct
    where TLanes : struct, ILanes<TLanes>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private const int Stages = 3;

    private readonly LaneStepper<TRegister, TLanes> _stepper;
    private readonly ConvergenceRules _rules;
    private readonly int _size, _mostIterations;
    private readonly TLanes _rtol, _atol;                  // of the iteration's norm
    private readonly TLanes _real, _alpha, _beta;          // the spectrum
    private readonly TLanes[] _t, _inverse, _ofSlopes;     // its matrices, row by row
    private readonly TLanes[] _nodes, _ends, _error;       // c, the weights of the step's end, and those of the error by the slopes
    private readonly DenseWeights<TLanes> _dense;
    private readonly StageFactors<TLanes> _factors;
    private readonly RegisterBuffer<TLanes> _jacobian;
    private readonly RegisterBuffer<TLanes> _z, _w, _changes, _lastSlopes;    // three vectors each
    private readonly RegisterBuffer<TLanes> _weights = new(Stages * Stages);
    private readonly RegisterBuffer<TLanes> _at, _scales, _ofError;
    private readonly Vector<double>[] _sizes, _lastSizes;
    private readonly Vector<long>[] _active, _failed, _iterations;
    private TLanes _lastStep;    // the size of the step whose slopes are kept; 0 where there is none

    /// <param name="stepper">The equations and the method.</param>
    /// <param name="problem">What is solved.</param>
    public RadauLanes(LaneStepper<TRegister, TLanes> stepper, RungeKuttaProblem problem)
    {
        var (tableau, spectrum, rounding) = (stepper.Tableau, stepper.Tableau.Spectrum!, LaneNumbers<TLanes, T>.Rounding);
        (_stepper, _size, _rules) = (stepper, stepper.Size, ConvergenceRules.OfStages(problem, rounding));
        var toRounding = ConvergenceRules.ToleranceToRounding(rounding);
        (_rtol, _atol) = problem.IsAdaptive ? (TLanes.Of(problem.Rtol), TLanes.Of(problem.Atol)) : (TLanes.Of(toRounding), TLanes.Of(toRounding));
        _mostIterations = problem.IsAdaptive ? ConvergenceRules.MostIterations : ConvergenceRules.MostIterationsToRounding;
        (_real, _alpha, _beta) = (TLanes.Of(spectrum.Real), TLanes.Of(spectrum.Alpha), TLanes.Of(spectrum.Beta));
        (_t, _inverse, _ofSlopes) = (Numbers(spectrum.T), Numbers(spectrum.Inverse), Numbers(spectrum.OfSlopes));
        (_nodes, _ends) = ([.. tableau.C.Skip(1).Select(TLanes.Of)], [.. tableau.A[^1].Select(TLanes.Of)]);
        _error = [.. (tableau.Error?.Estimates[0] ?? []).Select(weight => TLanes.Of(weight / tableau.Error!.Filter!.Value))];
        (_dense, _jacobian) = (new(tableau, stepper.Parts), new(_size * _size));
        _factors = new(new EliminationPlan(_size, stepper.Kernel.JacobianPattern), spectrum);
        (_z, _w, _changes, _lastSlopes) = (new(Stages * _size), new(Stages * _size), new(Stages * _size), new(Stages * _size));
        (_at, _scales, _ofError) = (new(_size), new(_size), new(_size));
        var vectors = LaneNumbers<TLanes, T>.Count / Vector<double>.Count;
        (_sizes, _lastSizes) = (new Vector<double>[vectors], new Vector<double>[vectors]);
        (_active, _failed, _iterations) = (new Vector<long>[vectors], new Vector<long>[vectors], new Vector<long>[vectors]);
    }

    /// <summary>The lanes whose stages were not found in the last attempt.</summary>
    public ReadOnlySpan<Vector<long>> Failed => _failed;

    /// <summary>The iterations of a lane since its sample began.</summary>
    public long Iterations(int lane) => _iterations[lane / Vector<long>.Count][lane % Vector<long>.Count];

    /// <summary>A sample begins in a lane.</summary>
    public void Begin(int lane)
    {
        Forget(lane);
        ref var iterations = ref _iterations[lane / Vector<long>.Count];
        iterations = iterations.WithElement(lane % Vector<long>.Count, 0);
    }

    /// <summary>There is no step that a lane goes on from: at the start, and behind an event.</summary>
    public void Forget(int lane)
    {
        LaneNumbers<TLanes, T>.Of(new Span<TLanes>(ref _lastStep))[lane] = default;
        var slopes = LaneNumbers<TLanes, T>.Of(_lastSlopes.Span);
        var count = LaneNumbers<TLanes, T>.Count;
        for (var i = lane; i < slopes.Length; i += count) slopes[i] = default;
    }

    /// <summary>The lanes of a mask go on from the last attempt.</summary>
    public void Accept(TLanes moves, TLanes h, ReadOnlySpan<TLanes> stages)
    {
        var slopes = stages.Slice(_size, Stages * _size);
        var last = _lastSlopes.Span;
        for (var i = 0; i < last.Length; i++) last[i] = TLanes.Select(moves, slopes[i], last[i]);
        _lastStep = TLanes.Select(moves, h, _lastStep);
    }

    /// <summary>Finds the stages and the state after the step.</summary>
    /// <param name="t">The time before the step.</param>
    /// <param name="h">The step; 0 in lanes that rest.</param>
    /// <param name="state">The state before it, length N.</param>
    /// <param name="parameters">Those of the kernel.</param>
    /// <param name="stages">The slopes of all four stages, N each, of which the first is given.</param>
    /// <param name="after">Receives the state after it.</param>
    /// <param name="terms">Room for the kernel's terms.</param>
    public void Evaluate(
        TLanes t, TLanes h, ReadOnlySpan<TLanes> state, ReadOnlySpan<TLanes> parameters, Span<TLanes> stages, Span<TLanes> after, Span<TLanes> terms)
    {
        _stepper.DriftJacobian(t, state, parameters, _jacobian.Span);
        _factors.Factorize(h, _jacobian.Span);
        Guess(h);
        var scales = _scales.Span;
        for (var c = 0; c < scales.Length; c++) scales[c] = TLanes.Of(1) / TLanes.MultiplyAdd(_rtol, TLanes.Abs(state[c]), _atol);
        Iterate(t, h, state, parameters, terms);
        var z = _z.Span;
        Transform(_ofSlopes, z, stages.Slice(_size, Stages * _size), TLanes.Of(1) / h);
        var end = z[(2 * _size)..];
        for (var c = 0; c < after.Length; c++) after[c] = state[c] + end[c];
    }

    /// <summary>The squared norm of the filtered estimate of the error: as of <see cref="LaneStepper{TRegister, TLanes}.SquaredErrors"/>.</summary>
    public TLanes SquaredError(TLanes h, ReadOnlySpan<TLanes> state, ReadOnlySpan<TLanes> after, ReadOnlySpan<TLanes> stages, TLanes rtol, TLanes atol)
    {
        var error = _ofError.Span;
        var k0 = stages[.._size];
        var k1 = stages[_size..];
        var k2 = stages[(2 * _size)..];
        var k3 = stages[(3 * _size)..];
        for (var c = 0; c < error.Length; c++)
        {
            var sum = TLanes.MultiplyAdd(_error[1], k1[c], _error[0] * k0[c]);
            error[c] = h * TLanes.MultiplyAdd(_error[3], k3[c], TLanes.MultiplyAdd(_error[2], k2[c], sum));
        }

        _factors.Solve(error);
        return _stepper.SquaredNorm(error, state, after, rtol, atol);
    }

    /// <summary>z and w by the polynomial of the last step; zero where there is none.</summary>
    private void Guess(TLanes h)
    {
        var z = _z.Span;
        var last = _lastSlopes.Span;
        var hasNone = TLanes.Equal(_lastStep, default);
        var ratio = TLanes.AndNot(h / _lastStep, hasNone);
        var weights = _weights.Span;
        for (var i = 0; i < Stages; i++)
        {
            var place = TLanes.MultiplyAdd(_nodes[i], ratio, TLanes.Of(1));
            for (var j = 0; j < Stages; j++) weights[i * Stages + j] = _dense.OfValue(j + 1, place) - _ends[j + 1];
        }

        Transform(weights, last, z, _lastStep);
        Transform(_inverse, z, _w.Span, TLanes.Of(1));
    }

    private void Iterate(TLanes t, TLanes h, ReadOnlySpan<TLanes> state, ReadOnlySpan<TLanes> parameters, Span<TLanes> terms)
    {
        Open(h);
        var z = _z.Span;
        var w = _w.Span;
        var changes = _changes.Span;
        var first = changes[.._size];
        var second = changes.Slice(_size, _size);
        var third = changes.Slice(2 * _size, _size);
        for (var iteration = 0; iteration < _mostIterations && IsAnyActive(); iteration++)
        {
            Slopes(t, h, state, parameters, z, changes, terms);
            Residuals(h, w, changes);
            _factors.Solve(first, second, third);
            LaneNumbers<TLanes, T>.ToDoubles(Move(z, w, changes), _sizes);
            for (var v = 0; v < _sizes.Length; v++)
            {
                _iterations[v] -= _active[v];
                _rules.Judge(Vector.SquareRoot(_sizes[v]), iteration, ref _lastSizes[v], ref _active[v], ref _failed[v]);
            }
        }

        for (var v = 0; v < _sizes.Length; v++) _rules.End(_lastSizes[v], ref _active[v], ref _failed[v]);
    }

    /// <summary>Lets the lanes iterate that do not rest.</summary>
    private void Open(TLanes h)
    {
        LaneNumbers<TLanes, T>.ToDoubles(h, _sizes);
        for (var v = 0; v < _sizes.Length; v++)
            (_active[v], _failed[v], _lastSizes[v]) = (~Vector.Equals(_sizes[v], Vector<double>.Zero), Vector<long>.Zero, Vector<double>.Zero);
    }

    private bool IsAnyActive()
    {
        var any = Vector<long>.Zero;
        foreach (var active in _active) any |= active;
        return any != Vector<long>.Zero;
    }

    /// <summary>f at the stages, one after another.</summary>
    private void Slopes(
        TLanes t, TLanes h, ReadOnlySpan<TLanes> state, ReadOnlySpan<TLanes> parameters, ReadOnlySpan<TLanes> z, Span<TLanes> slopes,
        Span<TLanes> terms)
    {
        var at = _at.Span;
        for (var i = 0; i < Stages; i++)
        {
            var own = z.Slice(i * _size, _size);
            for (var c = 0; c < at.Length; c++) at[c] = state[c] + own[c];
            _stepper.Drift(TLanes.MultiplyAdd(h, _nodes[i], t), at, parameters, slopes.Slice(i * _size, _size), terms);
        }
    }

    /// <summary>From the slopes F in place: h T⁻¹ F - diag(γ, B) w, the right-hand sides of both systems.</summary>
    private void Residuals(TLanes h, ReadOnlySpan<TLanes> w, Span<TLanes> slopes)
    {
        ReadOnlySpan<TLanes> m = _inverse;
        var r0 = slopes[.._size];
        var r1 = slopes.Slice(_size, _size);
        var r2 = slopes.Slice(2 * _size, _size);
        var w0 = w[.._size];
        var w1 = w.Slice(_size, _size);
        var w2 = w.Slice(2 * _size, _size);
        for (var c = 0; c < r0.Length; c++)
        {
            var (x, y, u) = (r0[c], r1[c], r2[c]);
            var first = h * Sum(m[0], x, m[1], y, m[2], u);
            var second = TLanes.MultiplyAdd(h, Sum(m[3], x, m[4], y, m[5], u), -(_beta * w2[c]));
            var third = TLanes.MultiplyAdd(h, Sum(m[6], x, m[7], y, m[8], u), _beta * w1[c]);
            r0[c] = TLanes.NegatedMultiplyAdd(_real, w0[c], first);
            r1[c] = TLanes.NegatedMultiplyAdd(_alpha, w1[c], second);
            r2[c] = TLanes.NegatedMultiplyAdd(_alpha, w2[c], third);
        }
    }

    /// <summary>Adds the changes of w, and those of z that follow from them, in the lanes that iterate.</summary>
    /// <returns>The squared norm of the changes of z.</returns>
    private TLanes Move(Span<TLanes> z, Span<TLanes> w, ReadOnlySpan<TLanes> changes)
    {
        ReadOnlySpan<TLanes> m = _t;
        var scales = _scales.Span;
        var (moves, squares) = (LaneNumbers<TLanes, T>.FromMasks(_active), default(TLanes));
        for (var c = 0; c < scales.Length; c++)
        {
            var (x, y, u) = (changes[c], changes[_size + c], changes[2 * _size + c]);
            var (first, second, third) = (Sum(m[0], x, m[1], y, m[2], u), Sum(m[3], x, m[4], y, m[5], u), Sum(m[6], x, m[7], y, m[8], u));
            squares = TLanes.MultiplyAdd(scales[c] * scales[c], Sum(first, first, second, second, third, third), squares);
            Add(w, c, x & moves, y & moves, u & moves);
            Add(z, c, first & moves, second & moves, third & moves);
        }

        return squares * TLanes.Of(1.0 / w.Length);
    }

    /// <summary>To a component of each of three vectors one after another.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Add(Span<TLanes> vectors, int c, TLanes first, TLanes second, TLanes third)
    {
        vectors[c] = vectors[c] + first;
        vectors[_size + c] = vectors[_size + c] + second;
        vectors[2 * _size + c] = vectors[2 * _size + c] + third;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TLanes Sum(TLanes a, TLanes x, TLanes b, TLanes y, TLanes c, TLanes z) =>
        TLanes.MultiplyAdd(c, z, TLanes.MultiplyAdd(b, y, a * x));

    /// <summary>scale · (matrix ⊗ I) v for three vectors one after another; the result may lie where they lie.</summary>
    private void Transform(ReadOnlySpan<TLanes> matrix, ReadOnlySpan<TLanes> vectors, Span<TLanes> results, TLanes scale)
    {
        var (m00, m01, m02) = (scale * matrix[0], scale * matrix[1], scale * matrix[2]);
        var (m10, m11, m12) = (scale * matrix[3], scale * matrix[4], scale * matrix[5]);
        var (m20, m21, m22) = (scale * matrix[6], scale * matrix[7], scale * matrix[8]);
        var v0 = vectors[.._size];
        var v1 = vectors.Slice(_size, _size);
        var v2 = vectors.Slice(2 * _size, _size);
        var r0 = results[.._size];
        var r1 = results.Slice(_size, _size);
        var r2 = results.Slice(2 * _size, _size);
        for (var c = 0; c < r0.Length; c++)
        {
            var (x, y, u) = (v0[c], v1[c], v2[c]);
            r0[c] = TLanes.MultiplyAdd(m02, u, TLanes.MultiplyAdd(m01, y, m00 * x));
            r1[c] = TLanes.MultiplyAdd(m12, u, TLanes.MultiplyAdd(m11, y, m10 * x));
            r2[c] = TLanes.MultiplyAdd(m22, u, TLanes.MultiplyAdd(m21, y, m20 * x));
        }
    }

    private static TLanes[] Numbers(IReadOnlyList<double[]> rows) => [.. rows.SelectMany(row => row).Select(TLanes.Of)];
}
