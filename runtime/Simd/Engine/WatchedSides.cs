using System.Numerics;

namespace DiffEqLang.Runtime.Simd;

/// <summary>
/// What the events of one register's samples watch, at the start of their steps: the side of zero that each value is on, the value, and its
/// derivative in the direction of the solve, lane by lane and column by column (see <see cref="EventRules"/>).
/// </summary>
/// <param name="columns">How many values are watched.</param>
internal sealed class WatchedSides<TLanes, T>(int columns)
    where TLanes : struct, ILanes<TLanes>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly RegisterBuffer<TLanes> _sides = new(columns);
    private readonly RegisterBuffer<TLanes> _values = new(columns);
    private readonly RegisterBuffer<TLanes> _rates = new(columns);

    /// <summary>A column's side in a lane.</summary>
    public int Side(int column, int lane) => (int)LaneNumbers<TLanes, T>.Number(_sides.Span, column, lane);

    /// <summary>Its value.</summary>
    public double Value(int column, int lane) => LaneNumbers<TLanes, T>.Number(_values.Span, column, lane);

    /// <summary>Its derivative.</summary>
    public double Rate(int column, int lane) => LaneNumbers<TLanes, T>.Number(_rates.Span, column, lane);

    /// <summary>The lanes whose step to values and derivatives at its end may hold an event, as <see cref="EventSearch.Of"/> then decides.</summary>
    public TLanes MayHold(ReadOnlySpan<TLanes> endValues, ReadOnlySpan<TLanes> endRates)
    {
        var sides = _sides.Span;
        var rates = _rates.Span;
        var some = default(TLanes);
        for (var c = 0; c < sides.Length; c++)
        {
            var hasSide = TLanes.LessThan(default, sides[c] * sides[c]);
            var staysOnSide = TLanes.LessThan(default, sides[c] * endValues[c]);
            var turns = TLanes.LessThan(sides[c] * rates[c], default) & TLanes.LessThan(default, sides[c] * endRates[c]);
            some |= TLanes.AndNot(hasSide, staysOnSide) | turns;
        }

        return some;
    }

    /// <summary>Takes the lanes of a mask to the end of a step that nothing has cut: a value of zero leaves its side.</summary>
    public void Move(TLanes moves, ReadOnlySpan<TLanes> endValues, ReadOnlySpan<TLanes> endRates)
    {
        var sides = _sides.Span;
        var values = _values.Span;
        var rates = _rates.Span;
        for (var c = 0; c < sides.Length; c++)
        {
            var ofNegative = TLanes.Select(moves & TLanes.LessThan(endValues[c], default), TLanes.Of(-1), sides[c]);
            sides[c] = TLanes.Select(moves & TLanes.LessThan(default, endValues[c]), TLanes.Of(1), ofNegative);
            values[c] = TLanes.Select(moves, endValues[c], values[c]);
            rates[c] = TLanes.Select(moves, endRates[c], rates[c]);
        }
    }

    /// <summary>Sets a column of a lane.</summary>
    public void Set(int column, int lane, (int Side, double Value) at, double rate)
    {
        Set(_sides, column, lane, at.Side);
        Set(_values, column, lane, at.Value);
        Set(_rates, column, lane, rate);
    }

    private static void Set(RegisterBuffer<TLanes> buffer, int column, int lane, double number) =>
        LaneNumbers<TLanes, T>.Of(buffer.Span)[column * LaneNumbers<TLanes, T>.Count + lane] = T.CreateTruncating(number);
}
