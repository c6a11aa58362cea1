using System.Numerics;
using System.Runtime.CompilerServices;

namespace DiffEqLang.Runtime;

/// <summary>
/// Whether Newton iterations converge, written once for all targets, over lanes side by side: with θ the ratio of two changes, what is left
/// after the last is at most θ/(1 - θ) times it. Hairer and Wanner (1996), Solving Ordinary Differential Equations II, IV.8.10 and IV.8.11.
/// </summary>
/// <param name="goal">What may be left, in units of the tolerance.</param>
/// <param name="isToRounding">Whether the goal is so near rounding that the changes may stop to shrink before.</param>
/// <param name="most">The iterations that there are, where lanes that would need more are to be given up early; else 0.</param>
/// <param name="rounded">The size of changes that rounding alone makes: one of them has converged, whatever came before.</param>
internal sealed class ConvergenceRules(double goal, bool isToRounding, int most = 0, double rounded = 0)
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <summary>The iterations for stages, where the step follows the error.</summary>
    public const int MostIterations = 12;

    /// <summary>To rounding: what converges slowly has no smaller step to go on with.</summary>
    public const int MostIterationsToRounding = 50;

    private readonly Vector<double> _goal = new(goal), _clear = new(Math.Max(1e-3 * goal, rounded)), _rounding = new(1e3 * goal);

    /// <summary>What may be left of the tolerance where the error is estimated.</summary>
    private static double GoalOf(double rtol, double rounding) => Math.Max(RoundedOf(rtol, rounding), Math.Min(0.03, Math.Sqrt(rtol)));

    /// <summary>What rounding makes of changes.</summary>
    private static double RoundedOf(double rtol, double rounding) => 10 * rounding / Math.Max(rtol, rounding);

    /// <summary>The rules where the error is estimated.</summary>
    /// <param name="rtol">The relative tolerance.</param>
    /// <param name="rounding">The spacing of the state's numbers at one.</param>
    /// <param name="most">The iterations that there are, where lanes that would need more are to be given up early; else 0.</param>
    public static ConvergenceRules OfTolerance(double rtol, double rounding, int most = 0) =>
        new(GoalOf(rtol, rounding), false, most, RoundedOf(rtol, rounding));

    /// <summary>Where no error is estimated nothing says how exact a solution need be: both tolerances, of which all may be left.</summary>
    /// <param name="rounding">The spacing of the state's numbers at one.</param>
    public static double ToleranceToRounding(double rounding) => 4 * rounding;

    /// <summary>The rules for implicit stages of a problem.</summary>
    /// <param name="problem">What is solved.</param>
    /// <param name="rounding">The spacing of the state's numbers at one.</param>
    public static ConvergenceRules OfStages(RungeKuttaProblem problem, double rounding) => problem.IsAdaptive
        ? OfTolerance(problem.Rtol, rounding, MostIterations)
        : new(1, true);

    /// <summary>Judges an iteration by the sizes of the changes.</summary>
    /// <param name="size">Of each lane, in units of the tolerance.</param>
    /// <param name="iteration">Which, from 0.</param>
    /// <param name="last">The sizes before; receives these.</param>
    /// <param name="active">The lanes that go on; those that have converged, or do not, are taken out.</param>
    /// <param name="failed">Receives those that do not.</param>
    [MethodImpl(Inline)]
    public void Judge(Vector<double> size, int iteration, ref Vector<double> last, ref Vector<long> active, ref Vector<long> failed)
    {
        // Where there is no change before, the ratio is infinite and what is left negative: it neither shrinks nor grows.
        var ratio = size / last;
        var left = ratio / (Vector<double>.One - ratio) * size;
        var shrinks = Vector.LessThan(ratio, Vector<double>.One);
        var converged = Vector.LessThanOrEqual(size, _clear) | (shrinks & Vector.LessThanOrEqual(left, _goal));
        last = size;
        active = Vector.AndNot(active, converged);
        if (active == Vector<long>.Zero) return;
        var diverges = ~Vector.LessThan(size, new Vector<double>(double.PositiveInfinity));
        if (iteration > 0) diverges |= ~shrinks | Vector.GreaterThan(AtLast(left, ratio, iteration), _goal);
        Stop(diverges, size, iteration, ref active, ref failed);
    }

    /// <summary>Ends the lanes that have used all iterations up.</summary>
    public void End(Vector<double> last, ref Vector<long> active, ref Vector<long> failed) =>
        Stop(active, last, int.MaxValue, ref active, ref failed);

    /// <summary>What the last iteration would leave, at this ratio.</summary>
    [MethodImpl(Inline)]
    private Vector<double> AtLast(Vector<double> left, Vector<double> ratio, int iteration)
    {
        if (most == 0) return Vector<double>.Zero;
        for (var power = most - 1 - iteration; power > 0; power >>= 1)    // left · ratio^power, by squaring
        {
            if ((power & 1) != 0) left *= ratio;
            ratio *= ratio;
        }

        return left;
    }

    /// <summary>A change that no longer shrinks is a failure, but for one as small as rounding makes it; the first few may grow.</summary>
    private void Stop(Vector<long> lanes, Vector<double> size, int iteration, ref Vector<long> active, ref Vector<long> failed)
    {
        var stops = active & lanes;
        if (isToRounding)
        {
            var isRounded = stops & Vector.LessThanOrEqual(size, _rounding);
            active = Vector.AndNot(active, isRounded);
            stops = Vector.AndNot(stops, isRounded);
            if (iteration <= 3) stops = Vector.AndNot(stops, Vector.LessThan(size, new Vector<double>(double.PositiveInfinity)));
        }

        active = Vector.AndNot(active, stops);
        failed |= stops;
    }
}
