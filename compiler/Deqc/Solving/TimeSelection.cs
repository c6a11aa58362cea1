namespace DiffEqLang.Deqc.Solving;

/// <summary>Which times a run covers and reports.</summary>
/// <param name="Start">Over the solve block's; null where the solve block decides.</param>
/// <param name="End">Over the solve block's; null where the solve block decides.</param>
/// <param name="At">Exactly these times, the first being the start; null where not asked.</param>
/// <param name="Points">Evenly spaced times, both ends included.</param>
internal sealed record TimeSelection(double? Start, double? End, double[]? At, int Points)
{
    /// <summary>Reads <c>--t a..b</c>, <c>--at a,b,c</c> and <c>--points n</c>.</summary>
    /// <param name="defaultPoints">Where --points is left out: enough for what is asked.</param>
    public static TimeSelection Parse(string? span, string? at, int? points, int defaultPoints)
    {
        if (points is < 2) throw CommandFailure.Usage($"--points {points}: at least 2, the two ends");
        if (at is null)
        {
            var (start, end) = span is null ? (null, null) : Span(span);
            return new TimeSelection(start, end, null, points ?? defaultPoints);
        }

        if (span is not null) throw CommandFailure.Usage("--t and --at exclude each other: --at gives exactly its times");
        if (points is not null) throw CommandFailure.Usage("--points goes with --t; --at gives exactly its times");
        return new TimeSelection(null, null, Times(at), 0);
    }

    private static (double? Start, double? End) Span(string text)
    {
        var dots = text.IndexOf("..", StringComparison.Ordinal);
        if (dots < 0) throw CommandFailure.Usage($"--t {text}: write --t 0..20");
        var (start, end) = (Number.Parse("--t", text[..dots]), Number.Parse("--t", text[(dots + 2)..]));
        return start == end ? throw CommandFailure.Usage($"--t {text}: the two ends are the same time") : (start, end);
    }

    private static double[] Times(string text)
    {
        double[] times = [.. text.Trim('[', ']', ' ').Split(',').Select(word => Number.Parse("--at", word))];
        var direction = times.Length > 1 ? Math.Sign(times[^1] - times[0]) : 1;
        for (var i = 1; i < times.Length; i++)
        {
            if (direction == 0 || Math.Sign(times[i] - times[i - 1]) != direction)
                throw CommandFailure.Usage($"--at {text}: the times must all rise or all fall");
        }

        return times;
    }
}
