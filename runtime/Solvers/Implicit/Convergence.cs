using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// Whether a Newton iteration converges, lane by lane: with θ the ratio of two changes, what is left after the last is at most
/// θ/(1 - θ) times it. Hairer and Wanner (1996), IV.8.10.
/// </summary>
/// <param name="failed">Told of the lanes that do not; one told before takes no part.</param>
/// <param name="goal">What may be left, in units of the tolerance.</param>
/// <param name="isToRounding">Whether the goal is so near rounding that the changes may stop to shrink before.</param>
internal sealed class Convergence(bool[] failed, double goal, bool isToRounding)
{
    /// <summary>The norm of changes, and what may be left in it: where no error is estimated, nothing says how exact a solution need be.</summary>
    public static (ErrorNorm Norm, double Goal) GoalOf(OdeProblem problem, int lanes, ScalarType dtype)
    {
        var rounding = dtype == ScalarType.Float32 ? Math.ScaleB(1, -23) : Math.ScaleB(1, -52);
        return problem.IsAdaptive
            ? (new ErrorNorm(problem.Rtol, problem.Atol, lanes), Math.Max(10 * rounding / Math.Max(problem.Rtol, rounding), Math.Min(0.03, Math.Sqrt(problem.Rtol))))
            : (new ErrorNorm(4 * rounding, 4 * rounding, lanes), 1);
    }

    private readonly bool[] _active = [.. failed.Select(hasFailed => !hasFailed)];
    private readonly double[] _last = new double[failed.Length];

    /// <summary>Whether a lane has still to go on.</summary>
    public bool AnyActive => Array.Exists(_active, active => active);

    /// <summary>Whether a lane rests.</summary>
    public bool AnyResting => Array.Exists(_active, active => !active);

    /// <summary>Which lanes rest: [lanes, 1].</summary>
    public Tensor Resting(Device device) => tensor([.. _active.Select(active => !active)], [_active.Length, 1], device: device);

    /// <summary>Judges every lane by the size of its last change.</summary>
    public void Judge(double[] sizes, int iteration)
    {
        for (var lane = 0; lane < sizes.Length; lane++)
        {
            if (!_active[lane]) continue;
            var ratio = sizes[lane] / _last[lane];
            _last[lane] = sizes[lane];
            if (sizes[lane] <= 1e-3 * goal || (iteration > 0 && ratio < 1 && ratio / (1 - ratio) * sizes[lane] <= goal)) _active[lane] = false;
            else if (!double.IsFinite(sizes[lane]) || (iteration > 0 && ratio >= 1)) Stop(lane, iteration);
        }
    }

    /// <summary>The lanes that have used all iterations up.</summary>
    public void End()
    {
        for (var lane = 0; lane < _active.Length; lane++)
            if (_active[lane])
                Stop(lane, int.MaxValue);
    }

    /// <summary>A change that no longer shrinks is a failure, but for one as small as rounding makes it; the first few may grow.</summary>
    private void Stop(int lane, int iteration)
    {
        if (isToRounding && _last[lane] <= 1e3 * goal) _active[lane] = false;
        else if (!isToRounding || iteration > 3 || !double.IsFinite(_last[lane])) (_active[lane], failed[lane]) = (false, true);
    }
}
