using System.Numerics;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// Which steps begin or end at a given time, at which the equations may break (<c>if t &lt; 1 then ... else ...</c>): the right-hand side is
/// evaluated there one rounding of the time inside the step, so that every stage sees the equations of its own side.
/// </summary>
/// <remarks>Without it the last stage of a step that lands on a break is on the other side of it, and the step is rejected again and again.</remarks>
/// <param name="AtStart">Of each lane, whether its step begins at one.</param>
/// <param name="AtEnd">Of each lane, the one at which its step ends; NaN where there is none.</param>
/// <param name="Direction">That of each lane, +1 or -1.</param>
internal sealed record StepBreaks(bool[] AtStart, double[] AtEnd, int[] Direction)
{
    /// <summary>Nodes are sums of a tableau's coefficients.</summary>
    private const double RoundingOfNodes = 1e-12;

    /// <summary>The time at which a stage is evaluated.</summary>
    /// <param name="lane">The lane.</param>
    /// <param name="node">The stage's place in the step, 0 to 1.</param>
    /// <param name="time">Where that is.</param>
    /// <param name="dtype">In which the time is rounded.</param>
    public double Inside(int lane, double node, double time, ScalarType dtype)
    {
        if (node == 0 && AtStart[lane]) return Beside(time, Direction[lane], dtype);
        var isEnd = Math.Abs(node - 1) <= RoundingOfNodes && double.IsFinite(AtEnd[lane]);
        return isEnd ? Beside(AtEnd[lane], -Direction[lane], dtype) : time;
    }

    /// <summary>Those of some lanes only.</summary>
    public StepBreaks Select(int[] lanes) => new(
        [.. lanes.Select(lane => AtStart[lane])], [.. lanes.Select(lane => AtEnd[lane])], [.. lanes.Select(lane => Direction[lane])]);

    /// <summary>A step that begins or ends at a break, as its stages see it: one rounding of the time inside.</summary>
    /// <typeparam name="T">In which times are rounded.</typeparam>
    /// <param name="start">Where it begins.</param>
    /// <param name="end">Where it ends.</param>
    /// <param name="isAtStart">Whether that is a break.</param>
    /// <param name="isAtEnd">Whether this is one.</param>
    /// <param name="direction">That of the solve, +1 or -1.</param>
    /// <returns>The time before it, and its signed size, which nodes that are 1 up to rounding do not take to the end.</returns>
    public static (T Time, T Step) Inside<T>(double start, double end, bool isAtStart, bool isAtEnd, int direction)
        where T : IFloatingPointIeee754<T>
    {
        var time = isAtStart ? Beside<T>(start, direction) : T.CreateTruncating(start);
        var last = isAtEnd ? Beside<T>(end, -direction) : T.CreateTruncating(end);
        return (time, (last - time) * (T.One - T.CreateTruncating(4) * (T.BitIncrement(T.One) - T.One)));
    }

    /// <summary>A time one rounding of it further in a direction, +1 or -1.</summary>
    /// <typeparam name="T">In which times are rounded.</typeparam>
    public static T Beside<T>(double time, int direction)
        where T : IFloatingPointIeee754<T> =>
        direction > 0 ? T.BitIncrement(T.CreateTruncating(time)) : T.BitDecrement(T.CreateTruncating(time));

    private static double Beside(double time, int direction, ScalarType dtype) =>
        dtype == ScalarType.Float64 ? Beside<double>(time, direction) : Beside<float>(time, direction);
}
