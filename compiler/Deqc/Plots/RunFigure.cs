using DiffEqLang.Deqc.Solving;

namespace DiffEqLang.Plots;

/// <summary>Draws what <c>deqc run</c> found.</summary>
internal static class RunFigure
{
    /// <summary>States whose ranges differ by more than this are drawn in panels of their own.</summary>
    private const double MostRangeRatio = 30;

    private const int MostPathsShown = 40;

    /// <summary>
    /// States over time; beside it the phase plane of two components, below it the three planes of three. Several
    /// paths: their mean, the band that holds nine tenths of them, and some of the paths.
    /// </summary>
    public static Figure Of(RunResult run)
    {
        var curves = Curve.All(run);
        if (run.Paths > 1 || curves.Count is < 2 or > 3) return OverTime(run, curves);
        return curves.Count == 2 ? WithPhasePlane(run, curves) : WithProjections(run, curves);
    }

    private static Figure OverTime(RunResult run, IReadOnlyList<Curve> curves)
    {
        var figure = new Figure(run.Title);
        if (!RangesDiffer(run))
        {
            DrawTimes(figure.AddRow(480).AddPanel("t", AxisName(run.States)), run, curves);
            return figure;
        }

        foreach (var state in run.States.Take(6))
            DrawTimes(figure.AddRow(260).AddPanel("t", state.Name), run, [.. curves.Where(curve => curve.Series == state)]);
        return figure;
    }

    private static Figure WithPhasePlane(RunResult run, IReadOnlyList<Curve> curves)
    {
        var figure = new Figure(run.Title) { Width = 1240 }.AddRow(480);
        DrawTimes(figure.AddPanel("t", AxisName(run.States), 1.5f), run, curves);
        figure.AddPanel(curves[0].Name, curves[1].Name).Path(curves[0].Path(0), curves[1].Path(0));
        return figure;
    }

    private static Figure WithProjections(RunResult run, IReadOnlyList<Curve> curves)
    {
        var figure = new Figure(run.Title) { Width = 1240 }.AddRow(340);
        DrawTimes(figure.AddPanel("t", AxisName(run.States)), run, curves);
        figure.AddRow(400);
        foreach (var (first, second) in new[] { (0, 1), (0, 2), (1, 2) })
            figure.AddPanel(curves[first].Name, curves[second].Name).Path(curves[first].Path(0), curves[second].Path(0));
        return figure;
    }

    private static void DrawTimes(Panel panel, RunResult run, IReadOnlyList<Curve> curves)
    {
        var byState = curves.Count > 7;
        for (var i = 0; i < curves.Count; i++)
        {
            var curve = curves[i];
            var colour = byState ? curve.StateIndex : i;
            var label = !byState ? curve.Name : curve.Element == 0 ? curve.Series.Name : null;
            if (run.Paths > 1) DrawPaths(panel, run, curve, label, colour);
            else panel.Line(run.Times, curve.Path(0), label, colour, byState ? 1.2f : 2.2f, byState ? 0.7 : 1);
        }
    }

    private static void DrawPaths(Panel panel, RunResult run, Curve curve, string? label, int colour)
    {
        for (var path = 0; path < Math.Min(run.Paths, MostPathsShown); path++)
            panel.Line(run.Times, curve.Path(path), null, colour, 0.7f, 0.22);
        var summaries = Enumerable.Range(0, run.Times.Length).Select(curve.Summary).ToList();
        panel.Band(run.Times, [.. summaries.Select(s => s.Low)], [.. summaries.Select(s => s.High)], label is null ? null : $"{label}, 90% of paths", colour);
        panel.Line(run.Times, [.. summaries.Select(s => s.Mean)], label is null ? null : $"{label}, mean", colour, 2.6f);
    }

    private static bool RangesDiffer(RunResult run)
    {
        var ranges = run.States.Select(state => Range(state.Values)).Where(range => range > 0).ToList();
        return ranges.Count > 1 && ranges.Max() > MostRangeRatio * ranges.Min();
    }

    private static double Range(double[] values)
    {
        var finite = values.Where(double.IsFinite).DefaultIfEmpty().ToList();
        return finite.Max() - finite.Min();
    }

    private static string AxisName(IReadOnlyList<Series> states) => string.Join(", ", states.Take(4).Select(state => state.Name)) + (states.Count > 4 ? ", …" : "");

    /// <summary>One element of one state over time, for every path.</summary>
    private sealed record Curve(RunResult Run, Series Series, int StateIndex, int Element)
    {
        public string Name => Series.ElementName(Element);

        public static IReadOnlyList<Curve> All(RunResult run) =>
            [.. run.States.SelectMany((series, index) => Enumerable.Range(0, series.Size).Select(element => new Curve(run, series, index, element)))];

        public double[] Path(int path) => [.. Enumerable.Range(0, Run.Times.Length).Select(time => At(time, path))];

        /// <summary>Mean and the 5% and 95% quantiles over the paths.</summary>
        public (double Low, double Mean, double High) Summary(int time)
        {
            double[] values = [.. Enumerable.Range(0, Run.Paths).Select(path => At(time, path)).Where(double.IsFinite)];
            if (values.Length == 0) return (double.NaN, double.NaN, double.NaN);
            Array.Sort(values);
            return (Quantile(values, 0.05), values.Average(), Quantile(values, 0.95));
        }

        private double At(int time, int path) => Series.Values[(time * Run.Paths + path) * Series.Size + Element];

        private static double Quantile(double[] sorted, double fraction)
        {
            var place = fraction * (sorted.Length - 1);
            var below = (int)place;
            return below + 1 < sorted.Length ? sorted[below] + (place - below) * (sorted[below + 1] - sorted[below]) : sorted[below];
        }
    }
}
