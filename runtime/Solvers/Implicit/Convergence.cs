using System.Numerics;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>Which lanes of a Newton iteration on tensors still go on, by the <see cref="ConvergenceRules"/>.</summary>
/// <param name="failed">Told of the lanes that do not converge; one told before takes no part.</param>
/// <param name="rules">When they do.</param>
internal sealed class Convergence(bool[] failed, ConvergenceRules rules)
{
    private readonly bool[] _active = [.. failed.Select(hasFailed => !hasFailed)];
    private readonly double[] _last = new double[failed.Length];

    /// <summary>The norm of changes, in whose units the rules' goal is.</summary>
    public static ErrorNorm NormOf(OdeProblem problem, int lanes, ScalarType dtype)
    {
        var toRounding = ConvergenceRules.ToleranceToRounding(RoundingOf(dtype));
        return problem.IsAdaptive ? new ErrorNorm(problem.Rtol, problem.Atol, lanes) : new ErrorNorm(toRounding, toRounding, lanes);
    }

    /// <summary>The spacing of numbers at one.</summary>
    public static double RoundingOf(ScalarType dtype) => Math.ScaleB(1, dtype == ScalarType.Float32 ? -23 : -52);

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
            var (last, active, hasFailed) = (new Vector<double>(_last[lane]), Vector<long>.AllBitsSet, Vector<long>.Zero);
            rules.Judge(new(sizes[lane]), iteration, ref last, ref active, ref hasFailed);
            Put(lane, last, active, hasFailed);
        }
    }

    /// <summary>The lanes that have used all iterations up.</summary>
    public void End()
    {
        for (var lane = 0; lane < _active.Length; lane++)
        {
            if (!_active[lane]) continue;
            var (last, active, hasFailed) = (new Vector<double>(_last[lane]), Vector<long>.AllBitsSet, Vector<long>.Zero);
            rules.End(last, ref active, ref hasFailed);
            Put(lane, last, active, hasFailed);
        }
    }

    private void Put(int lane, Vector<double> last, Vector<long> active, Vector<long> hasFailed) =>
        (_last[lane], _active[lane], failed[lane]) = (last[0], active[0] != 0, hasFailed[0] != 0);
}
