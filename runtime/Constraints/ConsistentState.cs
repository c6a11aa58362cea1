using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// Finds the algebraic unknowns that fulfil the constraints at one time, sample by sample, by Newton's method from a guess. It is damped:
/// a step is taken as far as the next one that it would lead to, with the same matrix, is shorter by itself (the natural monotonicity
/// test), which does not depend on how the constraints are scaled.
/// </summary>
/// <remarks>Deuflhard (2004), Newton Methods for Nonlinear Problems, 3.3, restricted monotonicity test (3.32).</remarks>
internal sealed class ConsistentState
{
    private const int MostIterations = 100;
    private const double LeastDamping = 1.0 / 4096;

    /// <summary>A step as near to rounding as this may stop to shrink.</summary>
    private const double NearRounding = 1e3;

    private readonly AlgebraicConstraints _constraints;
    private readonly Tensor _time;
    private readonly ErrorNorm _norm;
    private readonly bool[] _isDone;
    private Tensor _state;

    private ConsistentState(AlgebraicConstraints constraints, Tensor time, Tensor state, ErrorNorm norm)
    {
        (_constraints, _time, _state, _norm) = (constraints, time, state.clone(), norm);
        (_isDone, Failed) = (new bool[state.size(0)], new bool[state.size(0)]);
    }

    /// <summary>The state found, [samples, N]; where that failed, the last one tried.</summary>
    public Tensor State => _state;

    /// <summary>The samples for which none was found.</summary>
    public bool[] Failed { get; }

    /// <summary>Finds it.</summary>
    /// <param name="constraints">What it fulfils.</param>
    /// <param name="time">[] or [samples].</param>
    /// <param name="guess">[samples, N]; differential entries stay as they are.</param>
    public static ConsistentState Find(AlgebraicConstraints constraints, Tensor time, Tensor guess)
    {
        var rounding = 4 * (guess.dtype == ScalarType.Float32 ? Math.ScaleB(1, -23) : Math.ScaleB(1, -52));
        using var norm = new ErrorNorm(rounding, rounding, guess.size(0));
        var search = new ConsistentState(constraints, time, guess, norm);
        for (var iteration = 0; iteration < MostIterations && search.IsOpen; iteration++) search.Iterate();
        for (var i = 0; i < search._isDone.Length; i++) search.Failed[i] |= !search._isDone[i];
        return search;
    }

    /// <summary>What is said about the samples that failed.</summary>
    public UnsolvedConstraints Warning(double time)
    {
        var residuals = HostVector.ToHost(_constraints.Residual(_time, _state).abs().amax([1L]));
        return new UnsolvedConstraints(time, residuals.Where((_, sample) => Failed[sample]).Max());
    }

    private bool IsOpen => _isDone.Zip(Failed).Any(sample => !sample.First && !sample.Second);

    private void Iterate()
    {
        using var scope = NewDisposeScope();
        var matrix = _constraints.Matrix(_time, _state);
        var step = StepFrom(matrix, _state);
        var tolerance = _norm.Tolerance(_state);
        var sizes = _norm.Of(step, tolerance);
        var damping = new double[sizes.Length];
        for (var i = 0; i < sizes.Length; i++)
        {
            Failed[i] |= !_isDone[i] && !double.IsFinite(sizes[i]);
            damping[i] = _isDone[i] || Failed[i] ? 0 : 1;
        }

        var next = Damped(matrix, step, tolerance, sizes, damping);
        _state.Dispose();
        _state = next.MoveToOuterDisposeScope();
    }

    /// <summary>The state after the longest step that the test allows; judges which samples are done, and which cannot go on.</summary>
    private Tensor Damped(Tensor matrix, Tensor step, Tensor tolerance, double[] sizes, double[] damping)
    {
        while (true)
        {
            var trial = Moved(step, damping);
            var after = _norm.Of(StepFrom(matrix, trial), tolerance);
            var isLonger = false;
            for (var i = 0; i < sizes.Length; i++)
            {
                if (damping[i] == 0 || _isDone[i]) continue;
                if (after[i] <= 1) _isDone[i] = true;
                else if (!(after[i] <= (1 - damping[i] / 4) * sizes[i])) isLonger |= Shorten(i, sizes[i], damping);
            }

            if (!isLonger) return trial;
        }
    }

    /// <summary>Halves a step; tells whether it is to be tried again.</summary>
    private bool Shorten(int i, double size, double[] damping)
    {
        _isDone[i] = size <= NearRounding;
        damping[i] = _isDone[i] ? 0 : damping[i] / 2;
        Failed[i] = damping[i] < LeastDamping && !_isDone[i];
        if (Failed[i]) damping[i] = 0;
        return true;
    }

    private Tensor Moved(Tensor step, double[] damping)
    {
        var factors = HostVector.ToDevice(damping, [damping.Length, 1], step.dtype, step.device);
        return where(factors.eq(Scalars.Of(0)), _state, _state.add(step.mul(factors), Scalars.One));
    }

    /// <summary>K⁻¹ g: Newton's step, zero in differential entries.</summary>
    private Tensor StepFrom(Tensor matrix, Tensor state) => AlgebraicConstraints.Solve(matrix, _constraints.Residual(_time, state));
}
