using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>From where to where a solve runs and which times it keeps; the one reading of <see cref="SaveAt"/>.</summary>
/// <param name="Start">The time of the initial state; NaN where lanes have their own.</param>
/// <param name="End">The last time; may lie before the start. NaN where lanes have their own.</param>
/// <param name="Times">The times kept, in the direction of the solve: [T], or [T, lanes] row by row; null where every step is.</param>
/// <param name="Source">The tensor that they came from and that gradients flow to, [T] or [T, ...].</param>
internal sealed record SolveSpan(double Start, double End, double[]? Times, Tensor? Source)
{
    /// <summary>The span of each lane, where they have their own; null where all have this one.</summary>
    public SolveSpan[]? Lanes { get; private init; }

    /// <summary>The axes of the batch whose samples these are; none where all have this one.</summary>
    public long[] Batch { get; private init; } = [];

    /// <summary>+1 or -1; of lanes that have their own, the first one's.</summary>
    public int Direction => Lanes is not null ? Lanes[0].Direction : End >= Start ? 1 : -1;

    /// <summary>How many times are kept; zero where every step is.</summary>
    public int Count => (Times?.Length ?? 0) / (Lanes?.Length ?? 1);

    /// <summary>The span of a lane.</summary>
    public SolveSpan Of(int lane) => Lanes?[lane] ?? this;

    /// <summary>That of some lanes, which are counted anew.</summary>
    public SolveSpan Select(int[] lanes) => Lanes is null ? this : Together([.. lanes.Select(lane => Lanes[lane])], [lanes.Length], Source);

    /// <summary>The same up to some length.</summary>
    public SolveSpan UpTo(double length) => Lanes is null
        ? this with { End = Math.Abs(End - Start) > length ? Start + length * Direction : End }
        : Together([.. Lanes.Select(lane => lane.UpTo(length))], Batch, Source);

    /// <summary>The same, counted from where each lane began.</summary>
    public SolveSpan From(double[] starts) => Lanes is null && Array.TrueForAll(starts, start => start == starts[0])
        ? this with { Start = starts[0] }
        : Together([.. starts.Select((start, lane) => Of(lane) with { Start = start })], Batch, Source);

    /// <summary>The times that lanes start from, as equations take them: [], or [lanes] where they have their own.</summary>
    public Tensor StartTime(Tensor like) => Lanes is null
        ? HostVector.ToDevice([Start], [], like.dtype, like.device)
        : HostVector.ToDevice([.. Lanes.Select(lane => lane.Start)], [Lanes.Length], like.dtype, like.device);

    /// <summary>
    /// What the options ask for. Saved times bound the solve unless the options say where it starts or ends; only then,
    /// and where no times are given, does the model's own span count.
    /// </summary>
    /// <exception cref="ArgumentException">No span is given, or the times do not fit it.</exception>
    public static SolveSpan Of(SolveOptions options, double? defaultStart, double? defaultEnd)
    {
        if (options.Save is SaveAt.AtTimes at)
        {
            if (at.Values.Length == 0) throw new ArgumentException("SaveAt.Times needs at least one time.");
            if (at.Batch.Length == 0) return Between(at.Values).Checked("") with { Source = at.Source };
            var samples = (int)at.Batch.Aggregate((product, size) => product * size);
            double[] TimesOf(int sample) => [.. Enumerable.Range(0, at.Values.Length / samples).Select(i => at.Values[i * samples + sample])];
            return Together([.. Enumerable.Range(0, samples).Select(sample => Between(TimesOf(sample)).Checked(OfSample(sample)))], at.Batch, at.Source);
        }

        var (start, end) = (options.Start ?? defaultStart, options.End ?? defaultEnd);
        if (start is null || end is null)
            throw new ArgumentException("The time to solve over is missing: give `t = a .. b` in the solve block, SolveOptions.Start and End, or SaveAt.Times.");
        double[]? saved = options.Save switch
        {
            null or SaveAt.AtEnd => [end.Value],
            SaveAt.AtGrid { Count: < 2 } => throw new ArgumentException("SaveAt.Grid needs at least two times."),
            SaveAt.AtGrid { Count: var count } => [.. Enumerable.Range(0, count).Select(i =>
                i == count - 1 ? end.Value : start.Value + (end.Value - start.Value) * i / (count - 1))],
            _ => null,
        };
        return new SolveSpan(start.Value, end.Value, saved, null).Checked("");

        SolveSpan Between(double[] times) => new(options.Start ?? times[0], options.End ?? times[^1], times, null);
    }

    /// <summary>The same, where one span is all that there can be.</summary>
    /// <param name="reason">Why, without an end: "Samples share ...".</param>
    /// <exception cref="ArgumentException">Lanes have their own.</exception>
    public SolveSpan Shared(string reason) => Lanes is null
        ? this
        : throw new ArgumentException($"{reason}, and cannot have times of their own: give times that all of them share, [T], or solve them one by one.");

    /// <summary>The same, of some length.</summary>
    /// <exception cref="ArgumentException">It starts where it ends, in some lane.</exception>
    public SolveSpan WithLength()
    {
        for (var lane = 0; lane < (Lanes?.Length ?? 1); lane++)
            if (Of(lane) is var span && span.Start == span.End)
                throw new ArgumentException($"The solve starts and ends at t = {span.Start}{(Lanes is null ? "" : OfSample(lane))}; give two different times (SolveOptions.Start and End, or SaveAt.Times).");
        return this;
    }

    /// <summary>Whether two solves run over the same times.</summary>
    public bool Equals(SolveSpan? other) =>
        other is not null && Start.Equals(other.Start) && End.Equals(other.End) && ReferenceEquals(Source, other.Source)
        && (Lanes ?? []).SequenceEqual(other.Lanes ?? [])
        && (Times is null ? other.Times is null : other.Times is not null && Times.AsSpan().SequenceEqual(other.Times));

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Start, End, Times?.Length);

    private static SolveSpan Together(SolveSpan[] lanes, long[] batch, Tensor? source)
    {
        double[]? times = lanes[0].Times is null ? null : [.. Enumerable.Range(0, lanes[0].Count).SelectMany(i => lanes.Select(lane => lane.Times![i]))];
        return new SolveSpan(double.NaN, double.NaN, times, source) { Lanes = lanes, Batch = batch };
    }

    private static string OfSample(int sample) => $" (sample {sample})";

    private SolveSpan Checked(string whose)
    {
        if (!double.IsFinite(Start) || !double.IsFinite(End))
            throw new ArgumentException($"A solve needs a finite span of time, not {Start} .. {End}{whose}.");
        double[] path = [Start, .. Times ?? [], End];
        for (var i = 1; i < path.Length; i++)
            if (!((path[i] - path[i - 1]) * Direction >= 0))
                throw new ArgumentException($"Saved times must follow the direction of the solve, {Start} .. {End}{whose}: {path[i]} comes after {path[i - 1]}.");
        return this;
    }
}
