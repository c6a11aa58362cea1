namespace DiffEqLang.Runtime;

/// <summary>One lane's accepted step, to its end.</summary>
/// <param name="Time">The time before it.</param>
/// <param name="Size">Its signed size.</param>
/// <param name="Target">The time that it was planned to reach.</param>
internal readonly record struct LaneStep(double Time, double Size, double Target)
{
    /// <summary>The time at a place in it, from 0 to 1.</summary>
    public double TimeAt(double theta) => theta == 1 ? Target : Time + theta * Size;
}

/// <summary>Where the first events of a step happen.</summary>
/// <param name="Theta">The place in the step.</param>
/// <param name="Time">The time.</param>
/// <param name="Which">The events of that time, in the order in which they act.</param>
internal readonly record struct EventArrival(double Theta, double Time, int[] Which);

/// <summary>
/// The rules by which a lane's steps meet events, written once for all targets: of one lane, in float64.
/// </summary>
/// <remarks>
/// What is watched has a side of zero in every lane, from which an event sees it pass. An event that has just acted leaves its value
/// at zero, up to rounding, unless it has changed it; the side is then that to which the value goes. So an event does not happen
/// again by rounding at its own root, and does where the value turns. Roots are looked for on the step's dense output, whose state
/// there is the state before the event: Shampine and Thompson (2000), Event location for ordinary differential equations, Computers
/// and Mathematics with Applications 39.
/// </remarks>
/// <param name="events">All events of the equations.</param>
/// <param name="precision">The spacing of the state's numbers at one.</param>
internal sealed class EventRules(IReadOnlyList<EventSpec> events, double precision)
{
    /// <summary>Roots this many roundings of the time apart are at one time.</summary>
    private const double AtOnce = 16;

    /// <summary>All events.</summary>
    public IReadOnlyList<EventSpec> Events => events;

    /// <summary>The events that watch a value, by column.</summary>
    public int[] Roots { get; } = [.. Enumerable.Range(0, events.Count).Where(i => events[i].IsRoot)];

    /// <summary>The search for a column's event in a step: see <see cref="EventSearch.Of"/>.</summary>
    public EventSearch? Search(int lane, int column, int side, (double Start, double End) values, (double Start, double End) rates) =>
        EventSearch.Of(lane, column, events[Roots[column]].Kind, side, values, rates, precision);

    /// <summary>The first time in a step at which events happen; null where none do.</summary>
    /// <param name="step">The step.</param>
    /// <param name="found">The events that were found in it.</param>
    /// <param name="timed">Those at given times that it ends at; null where it ends at none.</param>
    /// <param name="sides">Of what is watched, at the start.</param>
    /// <param name="values">What is watched, at the end.</param>
    /// <param name="rates">Its derivatives there, in the direction of the solve.</param>
    public EventArrival? Earliest(
        LaneStep step, IReadOnlyCollection<EventSearch> found, IEnumerable<int>? timed, ReadOnlySpan<int> sides, ReadOnlySpan<double> values,
        ReadOnlySpan<double> rates)
    {
        if (found.Count == 0 && timed is null) return null;
        var first = found.Select(search => search.Theta).Append(timed is null ? double.PositiveInfinity : 1).Min();
        var rounding = AtOnce * precision * Math.Max(Math.Abs(step.Time), Math.Abs(step.Time + step.Size)) / Math.Abs(step.Size);
        var isTimed = timed is not null && 1 - first <= rounding;
        if (isTimed) first = 1;
        var which = found.Where(search => search.Theta - first <= rounding).Select(search => Roots[search.Column]).ToList();
        if (isTimed)
        {
            which.AddRange(timed!);
            AddJustBehind(which, sides, values, rates, rounding * Math.Abs(step.Size));
        }

        return new EventArrival(first, step.TimeAt(first), [.. which.Distinct().Order()]);
    }

    /// <summary>The events whose roots lie behind the end of the step by rounding alone.</summary>
    private void AddJustBehind(
        List<int> which, ReadOnlySpan<int> sides, ReadOnlySpan<double> values, ReadOnlySpan<double> rates, double rounding)
    {
        for (var column = 0; column < Roots.Length; column++)
        {
            var (value, rate, side) = (values[column], rates[column], sides[column]);
            if (side * value > 0 && side * rate < 0 && Math.Abs(value) <= Math.Abs(rate) * rounding && EventSearch.Matches(events[Roots[column]].Kind, side))
                which.Add(Roots[column]);
        }
    }

    /// <summary>The side of zero that a value is on, or goes to.</summary>
    public static int SideOf(double value, double rate) => value is > 0 or < 0 ? Math.Sign(value) : rate is > 0 or < 0 ? Math.Sign(rate) : 0;

    /// <summary>The side and value of a column behind events that have cut a step.</summary>
    /// <param name="isOwn">Whether its own event is among them.</param>
    /// <param name="side">Its side at the start of the step.</param>
    /// <param name="atStart">Its value there.</param>
    /// <param name="before">Its value before the events.</param>
    /// <param name="after">Its value after them.</param>
    /// <param name="rate">The derivative of that, in the direction of the solve.</param>
    public (int Side, double Value) Behind(bool isOwn, int side, double atStart, double before, double after, double rate)
    {
        var size = Math.Max(Math.Abs(atStart), Math.Abs(before));
        var isAtRoot = isOwn && Math.Abs(after) <= 2 * Math.Abs(before) + 8 * precision * size;
        var own = SideOf(isAtRoot ? 0 : after, rate);
        return (isAtRoot && own == 0 ? -side : own, isAtRoot ? 0 : after);
    }

    /// <summary>How a lane ends with events: by one that gives no number, by one that stops it, or by events without end; null where it goes on.</summary>
    public SolveStatus? Ending(int[] which, bool isFinite, bool isEndless) =>
        !isFinite ? SolveStatus.NonFinite
        : Array.Exists(which, one => events[one].Stops) ? SolveStatus.Stopped
        : isEndless ? SolveStatus.EndlessEvents
        : null;
}
