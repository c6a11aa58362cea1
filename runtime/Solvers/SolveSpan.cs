namespace DiffEqLang.Runtime;

/// <summary>From where to where a solve runs and which times it keeps; the one reading of <see cref="SaveAt"/>.</summary>
/// <param name="Start">The time of the initial state.</param>
/// <param name="End">The last time; may lie before the start.</param>
/// <param name="Times">The times kept, in the direction of the solve; null where every step is.</param>
/// <param name="Source">The tensor that they came from and that gradients flow to, [T].</param>
internal sealed record SolveSpan(double Start, double End, double[]? Times, TorchSharp.torch.Tensor? Source)
{
    /// <summary>+1 or -1.</summary>
    public int Direction => End >= Start ? 1 : -1;

    /// <summary>
    /// What the options ask for. Saved times bound the solve unless the options say where it starts or ends; only then,
    /// and where no times are given, does the model's own span count.
    /// </summary>
    /// <exception cref="ArgumentException">No span is given, or the times do not fit it.</exception>
    public static SolveSpan Of(SolveOptions options, double? defaultStart, double? defaultEnd)
    {
        if (options.Save is SaveAt.AtTimes { Values: var times } at)
        {
            if (times.Length == 0) throw new ArgumentException("SaveAt.Times needs at least one time.");
            return new SolveSpan(options.Start ?? times[0], options.End ?? times[^1], times, at.Source).Checked();
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
        return new SolveSpan(start.Value, end.Value, saved, null).Checked();
    }

    /// <summary>Whether two solves run over the same times.</summary>
    public bool Equals(SolveSpan? other) =>
        other is not null && (Start, End) == (other.Start, other.End) && ReferenceEquals(Source, other.Source)
        && (Times is null ? other.Times is null : other.Times is not null && Times.AsSpan().SequenceEqual(other.Times));

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Start, End, Times?.Length);

    private SolveSpan Checked()
    {
        if (!double.IsFinite(Start) || !double.IsFinite(End))
            throw new ArgumentException($"A solve needs a finite span of time, not {Start} .. {End}.");
        double[] path = [Start, .. Times ?? [], End];
        for (var i = 1; i < path.Length; i++)
            if (!((path[i] - path[i - 1]) * Direction >= 0))
                throw new ArgumentException($"Saved times must follow the direction of the solve, {Start} .. {End}: {path[i]} comes after {path[i - 1]}.");
        return this;
    }
}
