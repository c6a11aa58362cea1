namespace DiffEqLang.Runtime;

/// <summary>When the events at given times come next, lane by lane.</summary>
/// <param name="events">All events of the equations.</param>
/// <param name="span">From where to where; the start itself is behind.</param>
/// <param name="lanes">How many lanes there are.</param>
internal sealed class TimedEvents(IReadOnlyList<EventSpec> events, SolveSpan span, int lanes)
{
    private readonly double[] _next = [.. Enumerable.Range(0, lanes).Select(lane => Next(events, span.Of(lane).Start, span.Of(lane).Direction))];

    private readonly double[] _last = [.. Enumerable.Repeat(double.NaN, lanes)];    // that each lane has passed

    /// <summary>Whether there are events at given times.</summary>
    public bool Any { get; } = events.Any(one => !one.IsRoot);

    /// <summary>The time of the next, which no step may pass; infinite where there is none.</summary>
    public double[] Limits => _next;

    /// <summary>Lets a lane begin at the start.</summary>
    public void Begin(int lane) => (_next[lane], _last[lane]) = (Next(events, span.Of(lane).Start, span.Of(lane).Direction), double.NaN);

    /// <summary>Whether a lane that is at some time has landed there on a given one.</summary>
    public bool IsAtStart(int lane, double time) => _last[lane] == time;

    /// <summary>Whether a lane's step to some time ends at a given one.</summary>
    public bool IsAtEnd(int lane, double target) => _next[lane] == target;

    /// <summary>What is known of a lane: the next time and the last.</summary>
    public double[] Memory(int lane) => [_next[lane], _last[lane]];

    /// <summary>Lets a lane go on from there.</summary>
    public void Recall(int lane, double[] memory) => (_next[lane], _last[lane]) = (memory[0], memory[1]);

    /// <summary>The steps of an attempt that begin or end at such a time; null where none does.</summary>
    public StepBreaks? Breaks(LaneClock clock)
    {
        bool[] atStart = [.. _last.Select((_, lane) => IsAtStart(lane, clock.Time[lane]))];
        double[] atEnd = [.. _next.Select((time, lane) => IsAtEnd(lane, clock.Target(lane)) ? time : double.NaN)];
        return atStart.Contains(true) || atEnd.Any(double.IsFinite)
            ? new StepBreaks(atStart, atEnd, [.. Enumerable.Range(0, lanes).Select(lane => span.Of(lane).Direction)])
            : null;
    }

    /// <summary>The events of the time that a lane has reached.</summary>
    public IEnumerable<int> At(double time) => Enumerable.Range(0, events.Count).Where(i => events[i].Kind switch
    {
        EventKind.Every => Multiple(events[i].Time, time) == time,
        EventKind.At => events[i].Time == time,
        _ => false,
    });

    /// <summary>Goes on behind a time.</summary>
    public void Pass(int lane, double time)
    {
        if (time == _next[lane]) _last[lane] = time;
        _next[lane] = Next(events, time, span.Of(lane).Direction);
    }

    private static double Next(IReadOnlyList<EventSpec> events, double time, int direction)
    {
        var next = direction * double.PositiveInfinity;
        foreach (var timed in events)
        {
            var candidate = timed.Kind switch
            {
                EventKind.Every => NextMultiple(timed.Time, time, direction),
                EventKind.At => timed.Time,
                _ => double.NaN,
            };
            if ((candidate - time) * direction > 0 && (next - candidate) * direction > 0) next = candidate;
        }

        return next;
    }

    /// <summary>The multiple of a period that lies nearest.</summary>
    private static double Multiple(double period, double time) => Math.Round(time / period) * period;

    private static double NextMultiple(double period, double time, int direction)
    {
        var multiple = Multiple(period, time);
        return (multiple - time) * direction > 0 ? multiple : (Math.Round(time / period) + direction) * period;
    }
}
