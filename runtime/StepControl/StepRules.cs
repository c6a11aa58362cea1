using System.Numerics;
using System.Runtime.CompilerServices;

namespace DiffEqLang.Runtime;

/// <summary>
/// The rules by which steps are planned and judged, written once for all targets: over lanes side by side, in float64. A lane
/// alone is a vector of equals.
/// </summary>
/// <param name="problem">What is solved.</param>
internal sealed class StepRules(RungeKuttaProblem problem)
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <summary>After so many attempts in a row without a finite error, a lane is given up: its step has shrunk 10²⁰-fold.</summary>
    public const int MostNonFinite = 30;

    /// <summary>The least error that the next steps remember: Hairer's floor, so that one lucky step does not throw the next.</summary>
    public const double LeastRememberedError = 1e-4;

    private readonly Vector<double> _ofLast = new(-problem.Controller.Beta1 / OrderOf(problem));
    private readonly Vector<double> _ofPrevious = new(-problem.Controller.Beta2 / OrderOf(problem));
    private readonly Vector<double> _ofBefore = new(-problem.Controller.Beta3 / OrderOf(problem));
    private readonly Vector<double> _integral = new(-1.0 / OrderOf(problem));
    private readonly Vector<double> _ofGrowth = new(-problem.Controller.Alpha2);
    private readonly bool _isPredictive = problem.Controller.Alpha2 != 0;
    private readonly Vector<double> _safety = new(problem.Controller.Safety);
    private readonly Vector<double> _minFactor = new(problem.Controller.MinFactor);
    private readonly Vector<double> _maxFactor = new(problem.Controller.MaxFactor);
    private readonly double _direction = problem.Span.Direction;
    private readonly Vector<double> _start = new(problem.Span.Start);
    private readonly Vector<double> _end = new(problem.Span.End);
    private readonly double _dt = problem.Method.Dt ?? double.NaN;

    /// <summary>The steps of a fixed size; the last of them may be shorter.</summary>
    public double FixedSteps { get; } = problem.Method.Dt is { } dt
        ? Math.Ceiling(Math.Abs(problem.Span.End - problem.Span.Start) / dt * (1 - 1e-12))
        : double.NaN;

    /// <summary>Where the next attempt ends: at the end where it reaches it, or comes so close that a sliver would be left.</summary>
    [MethodImpl(Inline)]
    public Vector<double> AdaptiveTarget(Vector<double> time, Vector<double> size) => Vector.ConditionalSelect(
        Vector.GreaterThanOrEqual(size * 1.01, Vector.Abs(_end - time)), _end, time + size * _direction);

    /// <summary>Where a step of fixed size ends: multiples of it from the start, so that rounding does not add up.</summary>
    [MethodImpl(Inline)]
    public Vector<double> FixedTarget(Vector<double> step) => Vector.ConditionalSelect(
        Vector.GreaterThanOrEqual(step, new Vector<double>(FixedSteps)), _end, _start + step * _dt * _direction);

    /// <summary>Where an attempt ends that may not step over a given time: there, where it reaches it, or comes so close that a sliver would be left.</summary>
    /// <param name="time">The time before.</param>
    /// <param name="target">Where it would end otherwise.</param>
    /// <param name="limit">The given time; infinite where there is none.</param>
    /// <param name="longest">The longest step.</param>
    [MethodImpl(Inline)]
    public Vector<double> LimitedTarget(Vector<double> time, Vector<double> target, Vector<double> limit, Vector<double> longest)
    {
        var reach = Vector.Min(Vector.Min(Vector.Abs(target - time) * 1.01, longest), Vector.Abs(_end - time));
        return Vector.ConditionalSelect(Vector.LessThanOrEqual(Vector.Abs(limit - time), reach), limit, target);
    }

    /// <summary>How many steps of a fixed size lie behind a time, at least so many, which the end of the next one can be told from.</summary>
    public double StepsBehind(double time, double steps)
    {
        while (IsTooNear(time, FixedTarget(new(steps + 1)))) steps++;
        return steps;
    }

    private bool IsTooNear(double time, Vector<double> target) => IsLostInRounding(new(time), target)[0] != 0;

    /// <summary>Whether a step, other than the last, is too small for the time to be told from the time before.</summary>
    [MethodImpl(Inline)]
    public Vector<long> IsLostInRounding(Vector<double> time, Vector<double> target)
    {
        var size = Vector.Abs(time);
        var spacing = Vector.AsVectorDouble(Vector.AsVectorInt64(size) + Vector<long>.One) - size;
        return Vector.AndNot(Vector.LessThan(Vector.Abs(target - time), spacing * 10), Vector.Equals(target, _end));
    }

    /// <summary>
    /// By what factor the next step is longer: after an accepted step by the rule of <see cref="StepController"/>, not above 1 where the
    /// attempt before was rejected; after a rejected one by the error's own order alone, and the most where the error is not a number.
    /// </summary>
    /// <param name="isAccepted">Whether this step was.</param>
    /// <param name="wasRejected">Whether the attempt before it was not.</param>
    /// <param name="log">log₂ of the error of this attempt, in units of the tolerance.</param>
    /// <param name="previous">That of the accepted step before, as <see cref="Remembered"/>.</param>
    /// <param name="beforePrevious">And of the one before it.</param>
    /// <param name="step">The size of this step.</param>
    /// <param name="previousStep">That of the accepted step before; 0 where there is none.</param>
    [MethodImpl(Inline)]
    public Vector<double> Factor(
        Vector<long> isAccepted, Vector<long> wasRejected, Vector<double> log, Vector<double> previous, Vector<double> beforePrevious,
        Vector<double> step, Vector<double> previousStep)
    {
        var ofHistory = Vector.MultiplyAddEstimate(previous, _ofPrevious, beforePrevious * _ofBefore);
        var weighted = Vector.MultiplyAddEstimate(log, _ofLast, ofHistory);
        if (_isPredictive) weighted = Predicted(weighted, log * _integral, step, previousStep);
        var exponent = Vector.ConditionalSelect(isAccepted, weighted, log * _integral);
        var afterAccepted = Vector.ConditionalSelect(wasRejected, Vector<double>.One, _maxFactor);
        var most = Vector.ConditionalSelect(isAccepted, afterAccepted, _safety);
        return Vector.MinNative(Vector.MaxNative(RoughLogarithm.Exp2(exponent) * _safety, _minFactor), most);
    }

    /// <summary>The exponent with the growth of the last step; that of integral control where there is none to go by, and at most.</summary>
    [MethodImpl(Inline)]
    private Vector<double> Predicted(Vector<double> weighted, Vector<double> integral, Vector<double> step, Vector<double> previousStep)
    {
        var growth = RoughLogarithm.Log2(step / previousStep);
        var predicted = Vector.MinNative(Vector.MultiplyAddEstimate(growth, _ofGrowth, weighted), integral);
        return Vector.ConditionalSelect(Vector.GreaterThan(previousStep, Vector<double>.Zero), predicted, integral);
    }

    /// <summary>What of log₂ of an accepted step's error the next ones remember.</summary>
    [MethodImpl(Inline)]
    public static Vector<double> Remembered(Vector<double> log) => Vector.MaxNative(log, new Vector<double>(LogOfLeast));

    /// <summary>The order of the error estimate plus one.</summary>
    private static double OrderOf(RungeKuttaProblem problem) => (problem.Tableau.Error?.Order ?? problem.Tableau.Order) + 1;

    private static readonly double LogOfLeast = Math.Log2(LeastRememberedError);
}
