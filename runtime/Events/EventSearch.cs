namespace DiffEqLang.Runtime;

/// <summary>
/// The search for the place in a step at which what an event watches leaves its side of zero, on the step's dense output.
/// Evaluate value and rate at <see cref="Theta"/>, <see cref="Tell"/>, until <see cref="IsDone"/>.
/// </summary>
/// <remarks>
/// Between ends of different sides there is a root. Two more cases need the extremum in between, a root of the rate: ends of one
/// side, where the value may have passed zero and come back; and a start that is itself a root, just passed by the event before,
/// from which the value has to be followed to its turn.
/// </remarks>
internal sealed class EventSearch
{
    private enum Stage
    {
        Extremum,
        AtExtremum,
        Root,
    }

    private readonly EventKind _kind;
    private readonly int _side;
    private readonly double _precision;
    private readonly (double Start, double End) _values;
    private BrentSearch _search;
    private Stage _stage;

    /// <summary>The search, where the step may hold the event; null where it does not.</summary>
    /// <param name="lane">Whose step it is.</param>
    /// <param name="column">What is watched, among the values.</param>
    /// <param name="kind">Which way it has to pass zero.</param>
    /// <param name="side">The side of zero that it is on at the start, which the value there may not tell.</param>
    /// <param name="values">At both ends of the step.</param>
    /// <param name="rates">Their derivatives there, in the direction of the solve.</param>
    /// <param name="precision">The rounding of the values' type.</param>
    public static EventSearch? Of(
        int lane, int column, EventKind kind, int side, (double Start, double End) values, (double Start, double End) rates, double precision)
    {
        // A value that ends on zero has passed it where it goes on: one that stands there may have touched it.
        var isCrossed = side * values.End < 0 || (values.End == 0 && side * rates.End < 0);
        var mayReturn = side * values.Start > 0 && side * rates.Start < 0 && side * rates.End > 0;
        return side == 0 || !(isCrossed ? Matches(kind, side) : mayReturn)
            ? null
            : new EventSearch(lane, column, kind, side, values, rates, isCrossed, precision);
    }

    private EventSearch(
        int lane, int column, EventKind kind, int side, (double Start, double End) values, (double Start, double End) rates, bool isCrossed,
        double precision)
    {
        (Lane, Column, _kind, _side, _values, _precision) = (lane, column, kind, side, values, precision);
        var startsOnSide = side * values.Start > 0;
        if (startsOnSide == isCrossed || rates.Start * rates.End >= 0)
            (_stage, _search) = (Stage.Root, Between((0, startsOnSide ? values.Start : side * Least), (1, values.End)));
        else
            (_stage, _search) = (Stage.Extremum, Between((0, rates.Start), (1, rates.End)));
        Go();
    }

    /// <summary>A value that is of a side, and no more.</summary>
    private const double Least = 1e-300;

    /// <summary>Whose step it is.</summary>
    public int Lane { get; }

    /// <summary>What is watched, among the values.</summary>
    public int Column { get; }

    /// <summary>Where the dense output is to be evaluated next; where the event happens, once it is found.</summary>
    public double Theta { get; private set; }

    /// <summary>Whether the search is at its end.</summary>
    public bool IsDone { get; private set; }

    /// <summary>Whether it has found the event.</summary>
    public bool IsFound { get; private set; }

    /// <summary>Whether what is asked for at <see cref="Theta"/> is the derivative.</summary>
    public bool NeedsRate => _stage == Stage.Extremum;

    /// <summary>Takes the value at <see cref="Theta"/> and its derivative in the direction of the solve, where that is asked for.</summary>
    public void Tell(double value, double rate)
    {
        if (_stage == Stage.AtExtremum)
        {
            Decide(value);
            return;
        }

        _search.Tell(_stage == Stage.Extremum ? rate : value);
        Go();
    }

    private void Go()
    {
        Theta = _search.Trial;
        if (!_search.IsDone) return;
        if (_stage == Stage.Extremum) _stage = Stage.AtExtremum;
        else End(true);
    }

    /// <summary>At the extremum: on which part of the step the root lies, if there is one.</summary>
    private void Decide(double extremum)
    {
        var isPassed = _side * extremum < 0;
        if (_side * _values.Start <= 0)     // from a root: up to the turn, and down again
            if (_side * extremum > 0) Seek((Theta, extremum), (1, _values.End));
            else End(true);                 // a turn lost in rounding
        else if (isPassed && Matches(_kind, _side)) Seek((0, _values.Start), (Theta, extremum));
        else if (isPassed) Seek((Theta, extremum), (1, _values.End));
        else End(false);
    }

    private void Seek((double, double) from, (double, double) upTo)
    {
        (_stage, _search) = (Stage.Root, Between(from, upTo));
        Go();
    }

    private void End(bool isFound) => (IsDone, IsFound) = (true, isFound);

    private BrentSearch Between((double, double) from, (double, double) upTo) => new(from, upTo, _precision);

    /// <summary>Whether an event sees a value leave a side of zero.</summary>
    public static bool Matches(EventKind kind, int side) => kind switch
    {
        EventKind.Rising => side < 0,
        EventKind.Falling => side > 0,
        _ => true,
    };
}
