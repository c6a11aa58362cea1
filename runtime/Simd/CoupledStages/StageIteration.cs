using System.Runtime.CompilerServices;
using DiffEqLang.Tableaux;

namespace DiffEqLang.Runtime.Simd;

/// <summary>
/// The iteration of one register for any kernel with a Jacobian: with zᵢ the stages' increments and w = T⁻¹ z (<see cref="StageSpectrum"/>), it
/// solves one real and one complex system of N equations.
/// </summary>
internal sealed class StageIteration<TRegister, TLanes> : IStageIteration<TLanes>
    where TRegister : struct
    where TLanes : struct, ILanes<TLanes>
{
    private const int Stages = 3;

    private readonly LaneStepper<TRegister, TLanes> _stepper;
    private readonly int _size;
    private readonly TLanes _real, _alpha, _beta;                  // the spectrum
    private readonly TLanes[] _t, _inverse, _ofSlopes, _error;     // its matrices, row by row, and the error's weights of k₀ and the increments
    private readonly TLanes[][] _continued;                        // of each power of the ratio
    private readonly TLanes[] _nodes;
    private readonly StageFactors<TLanes> _factors;
    private readonly RegisterBuffer<TLanes> _jacobian, _w, _changes, _at, _scales, _ofError, _terms;
    private readonly RegisterBuffer<TLanes> _weights = new(Stages * Stages);

    /// <param name="stepper">The equations and the method.</param>
    public StageIteration(LaneStepper<TRegister, TLanes> stepper)
    {
        var (tableau, spectrum, kernel) = (stepper.Tableau, stepper.Tableau.Spectrum!, stepper.Kernel);
        (_stepper, _size) = (stepper, stepper.Size);
        (_real, _alpha, _beta) = (TLanes.Of(spectrum.Real), TLanes.Of(spectrum.Alpha), TLanes.Of(spectrum.Beta));
        (_t, _inverse, _ofSlopes) = (Numbers(spectrum.T), Numbers(spectrum.Inverse), Numbers(spectrum.OfSlopes));
        (_continued, _error) = ([.. spectrum.Continued.Select(Numbers)], [.. spectrum.OfFilteredError(tableau.Error!).Select(TLanes.Of)]);
        _nodes = [.. tableau.C.Skip(1).Select(TLanes.Of)];
        _factors = new(new EliminationPlan(_size, kernel.JacobianPattern), spectrum);
        (_jacobian, _w, _changes) = (new(kernel.JacobianSize), new(Stages * _size), new(Stages * _size));
        (_at, _scales, _ofError, _terms) = (new(_size), new(_size), new(_size), new(kernel.TermSize));
    }

    /// <inheritdoc/>
    public int RoomSize => 2 * Stages * _size;

    /// <inheritdoc/>
    public void Begin(
        ReadOnlySpan<TLanes> times, ReadOnlySpan<TLanes> steps, ReadOnlySpan<TLanes> lastSteps, ReadOnlySpan<TLanes> state,
        ReadOnlySpan<TLanes> parameters, TLanes rtol, TLanes atol, Span<TLanes> room)
    {
        _stepper.DriftJacobian(times[0], state, parameters, _jacobian.Span);
        _factors.Factorize(steps[0], _jacobian.Span);
        Continue(steps[0], lastSteps[0], room);
        var scales = _scales.Span;
        for (var c = 0; c < scales.Length; c++) scales[c] = TLanes.Of(1) / TLanes.MultiplyAdd(rtol, TLanes.Abs(state[c]), atol);
    }

    /// <inheritdoc/>
    public void Iterate(
        ReadOnlySpan<TLanes> times, ReadOnlySpan<TLanes> steps, ReadOnlySpan<TLanes> active, ReadOnlySpan<TLanes> state,
        ReadOnlySpan<TLanes> parameters, Span<TLanes> room, Span<TLanes> squaredChanges)
    {
        var z = room[..(Stages * _size)];
        var changes = _changes.Span;
        Slopes(times[0], steps[0], state, parameters, z, changes);
        Residuals(steps[0], changes);
        _factors.Solve(changes[.._size], changes.Slice(_size, _size), changes[(2 * _size)..]);
        squaredChanges[0] = Move(z, active[0]);
    }

    /// <inheritdoc/>
    public void End(
        ReadOnlySpan<TLanes> steps, ReadOnlySpan<TLanes> state, TLanes rtol, TLanes atol, ReadOnlySpan<TLanes> room, Span<TLanes> stages,
        Span<TLanes> after, Span<TLanes> squaredErrors)
    {
        var z = room[..(Stages * _size)];
        var first = z[.._size];
        var second = z.Slice(_size, _size);
        var third = z[(2 * _size)..];
        Transform(_ofSlopes, z, stages.Slice(_size, Stages * _size), TLanes.Of(1) / steps[0]);
        for (var c = 0; c < after.Length; c++) after[c] = state[c] + third[c];
        var error = _ofError.Span;
        var ofSlope = steps[0] * _error[0];
        for (var c = 0; c < error.Length; c++)
            error[c] = TLanes.MultiplyAdd(ofSlope, stages[c], Sum(_error[1], first[c], _error[2], second[c], _error[3], third[c]));
        _factors.Solve(error);
        squaredErrors[0] = _stepper.SquaredNorm(error, state, after, rtol, atol);
    }

    /// <summary>z and w by the polynomial of the last step; zero where there is none.</summary>
    private void Continue(TLanes h, TLanes lastStep, Span<TLanes> room)
    {
        var z = room[..(Stages * _size)];
        var ratio = TLanes.AndNot(h / lastStep, TLanes.Equal(lastStep, default));
        var weights = _weights.Span;
        for (var i = 0; i < weights.Length; i++)
            weights[i] = ratio * TLanes.MultiplyAdd(ratio, TLanes.MultiplyAdd(ratio, _continued[2][i], _continued[1][i]), _continued[0][i]);
        Transform(weights, room.Slice(Stages * _size, Stages * _size), z, TLanes.Of(1));
        Transform(_inverse, z, _w.Span, TLanes.Of(1));
    }

    /// <summary>f at the stages, one after another.</summary>
    private void Slopes(
        TLanes t, TLanes h, ReadOnlySpan<TLanes> state, ReadOnlySpan<TLanes> parameters, ReadOnlySpan<TLanes> z, Span<TLanes> slopes)
    {
        var at = _at.Span;
        for (var i = 0; i < Stages; i++)
        {
            var own = z.Slice(i * _size, _size);
            for (var c = 0; c < at.Length; c++) at[c] = state[c] + own[c];
            _stepper.Drift(TLanes.MultiplyAdd(h, _nodes[i], t), at, parameters, slopes.Slice(i * _size, _size), _terms.Span);
        }
    }

    /// <summary>From the slopes F in place: h T⁻¹ F - diag(γ, B) w, the right-hand sides of both systems.</summary>
    private void Residuals(TLanes h, Span<TLanes> slopes)
    {
        ReadOnlySpan<TLanes> m = _inverse;
        var r0 = slopes[.._size];
        var r1 = slopes.Slice(_size, _size);
        var r2 = slopes.Slice(2 * _size, _size);
        var w0 = _w.Span[.._size];
        var w1 = _w.Span.Slice(_size, _size);
        var w2 = _w.Span.Slice(2 * _size, _size);
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
    private TLanes Move(Span<TLanes> z, TLanes moves)
    {
        ReadOnlySpan<TLanes> m = _t;
        ReadOnlySpan<TLanes> changes = _changes.Span;
        var w = _w.Span;
        var scales = _scales.Span;
        var squares = default(TLanes);
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

    /// <summary>scale · (matrix ⊗ I) v for three vectors one after another.</summary>
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

    private static TLanes[] Numbers(IReadOnlyList<double[]> rows) => [.. rows.SelectMany(row => row.Select(TLanes.Of))];
}
