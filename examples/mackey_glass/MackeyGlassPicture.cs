using DiffEqLang.Plots;
using static TorchSharp.torch;

namespace DiffEqLang.Examples;

/// <summary>The cells over time, each count over the one a delay before it, and the fitted curve.</summary>
internal static class MackeyGlassPicture
{
    private const int DelayInRows = 85;     // 17 days of 0.2

    /// <param name="path">Of the PNG or SVG file.</param>
    /// <param name="attractor">Over 600 days, every fifth of a day: [3001].</param>
    /// <param name="seen">The noisy counts, day by day: [61], as all that follow.</param>
    /// <param name="hidden">What they are counts of.</param>
    /// <param name="start">The model before fitting.</param>
    /// <param name="fitted">The model after it.</param>
    public static void Save(string path, Tensor attractor, Tensor seen, Tensor hidden, Tensor start, Tensor fitted)
    {
        var x = attractor.ToArray();
        var figure = new Figure("Mackey-Glass: an equation with a delay").AddRow(300);
        figure.AddPanel("t, days", "cells x").Line(Series.Grid(600, x.Length), x, null, colour: 0, width: 1.4f);
        figure.AddRow(460);
        figure.AddPanel("x(t - tau)", "x(t)").Line(x[1000..^DelayInRows], x[(1000 + DelayInRows)..], null, colour: 0, width: 1);
        var days = Series.Grid(60, (int)seen.size(0));
        figure.AddPanel("t, days", "cells x", weight: 1.4f)
            .Points(days, seen.ToArray(), "counted", colour: 6, size: 4)
            .Line(days, hidden.ToArray(), "true", colour: 0, width: 4, opacity: 0.35)
            .Line(days, start.ToArray(), "before the fit", colour: 1, width: 1, opacity: 0.5, dashed: true)
            .Line(days, fitted.ToArray(), "fitted", colour: 1, width: 1.6f);
        figure.Save(path);
    }
}
