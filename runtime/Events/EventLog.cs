using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>An event that has happened during a solve.</summary>
/// <param name="Event">Which one.</param>
/// <param name="Time">When, in float64.</param>
/// <param name="Before">The packed state before it, [N]. No gradient flows from it.</param>
/// <param name="After">The packed state after it, [N]. No gradient flows from it.</param>
public sealed record EventOccurrence(EventSpec Event, double Time, Tensor Before, Tensor After);

/// <summary>An event that has happened in a sample, in plain numbers.</summary>
/// <param name="Event">Which one.</param>
/// <param name="Time">When.</param>
/// <param name="Before">The packed state before it, [N].</param>
/// <param name="After">The packed state after it, [N].</param>
public sealed record RecordedEvent(EventSpec Event, double Time, ReadOnlyMemory<double> Before, ReadOnlyMemory<double> After);

/// <summary>The events of a solve, lane by lane, in the order in which they have happened.</summary>
/// <param name="events">All events of the equations.</param>
/// <param name="lanes">How many lanes there are.</param>
/// <param name="span">Over which they are solved.</param>
internal sealed class EventLog(IReadOnlyList<EventSpec> events, int lanes, SolveSpan span)
{
    /// <summary>Steps of a lane, one behind the other, that events have cut within <see cref="AtOnce"/> of the span: more have no end.</summary>
    private const int MostAtOnce = 32;

    private const double AtOnce = 1e-10;

    private readonly List<RecordedEvent>[] _ofLane = [.. Enumerable.Range(0, lanes).Select(_ => new List<RecordedEvent>())];

    private readonly List<double>[] _moments = [.. Enumerable.Range(0, lanes).Select(_ => new List<double>())];

    /// <summary>Up to when the events of each lane were told before, by the solve that this one goes on with; null where it begins itself.</summary>
    public double[]? ToldUpTo { get; set; }

    /// <summary>The events by lane.</summary>
    public IReadOnlyList<IReadOnlyList<RecordedEvent>> OfLanes => _ofLane;

    /// <summary>How many events a lane has had.</summary>
    public int CountOf(int lane) => _ofLane[lane].Count;

    /// <summary>How often events have cut a step of the lane that they have cut most often.</summary>
    public int MostMoments => _moments.Max(own => own.Count);

    /// <summary>Notes an event of a lane, with the packed states before and after it, [N].</summary>
    public void Add(int lane, int which, double time, double[] before, double[] after)
    {
        if (!WasTold(lane, time)) _ofLane[lane].Add(new RecordedEvent(events[which], time, before, after));
    }

    private bool WasTold(int lane, double time) => ToldUpTo is { } told && (time - told[lane]) * span.Of(lane).Direction <= 0;

    /// <summary>Notes that events have cut a step of a lane, however many they were.</summary>
    public void AddMoment(int lane, double time) => _moments[lane].Add(time);

    /// <summary>
    /// Whether a lane's events follow each other ever faster, so that time stands still before them: a ball that has stopped bouncing.
    /// </summary>
    public bool IsEndless(int lane)
    {
        var (own, ofLane) = (_moments[lane], span.Of(lane));
        if (own.Count <= MostAtOnce) return false;
        var (earlier, last) = (own[^(MostAtOnce + 1)], own[^1]);
        return Math.Abs(last - earlier) <= AtOnce * Math.Max(Math.Abs(ofLane.End - ofLane.Start), Math.Abs(last));
    }

    /// <summary>
    /// The occurrences by lane, in tensors like a state that belong to no dispose scope. They take longer than the events themselves: they are made
    /// where they are asked for.
    /// </summary>
    public Lazy<IReadOnlyList<IReadOnlyList<EventOccurrence>>> Occurrences(Tensor like)
    {
        var (dtype, device) = (like.dtype, like.device);
        return new(() => [.. _ofLane.Select(own => (IReadOnlyList<EventOccurrence>)[.. own.Select(
            one => new EventOccurrence(one.Event, one.Time, Row(one.Before), Row(one.After)))])]);

        Tensor Row(ReadOnlyMemory<double> values) =>
            HostVector.ToDevice(values.ToArray(), [values.Length], dtype, device).DetachFromDisposeScope();
    }

    /// <summary>The times by lane, [lanes, most events of a lane], in no dispose scope; NaN where a lane has had fewer.</summary>
    public Tensor Times(Tensor like)
    {
        var most = _ofLane.Max(own => own.Count);
        var times = new double[lanes * most];
        Array.Fill(times, double.NaN);
        for (var lane = 0; lane < lanes; lane++)
            for (var i = 0; i < _ofLane[lane].Count; i++)
                times[lane * most + i] = _ofLane[lane][i].Time;
        return HostVector.ToDevice(times, [lanes, most], like.dtype, like.device).DetachFromDisposeScope();
    }
}
