using DiffEqLang.Plots;
using static TorchSharp.torch;

namespace DiffEqLang.Examples;

/// <summary>Observations and the fitted curves over time, and the cycle in the plane.</summary>
internal static class LotkaVolterraPicture
{
    /// <param name="path">Of the PNG or SVG file.</param>
    /// <param name="end">All lie on [0, end], evenly spaced, and are [times, 2]: prey, predators.</param>
    /// <param name="seen">The noisy observations.</param>
    /// <param name="hidden">What they are observations of.</param>
    /// <param name="start">The model before fitting.</param>
    /// <param name="fitted">The model after it.</param>
    public static void Save(string path, double end, Tensor seen, Tensor hidden, Tensor start, Tensor fitted)
    {
        var time = Series.Grid(end, (int)seen.size(0));
        var figure = new Figure("Lotka-Volterra fitted to noisy observations").AddRow(460);
        var overTime = figure.AddPanel("t", "population", weight: 1.4f);
        string[] names = ["prey", "predators"];
        for (var i = 0; i < 2; i++)
        {
            overTime.Points(time, seen.Column(i), $"{names[i]} observed", colour: i, size: 4);
            overTime.Line(time, start.Column(i), i == 0 ? "before the fit" : null, colour: i, width: 1, opacity: 0.5, dashed: true);
            overTime.Line(time, fitted.Column(i), $"{names[i]} fitted", colour: i);
        }

        figure.AddPanel("prey x", "predators y")
            .Points(seen.Column(0), seen.Column(1), "observed", colour: 6, size: 4)
            .Line(hidden.Column(0), hidden.Column(1), "true", colour: 0, width: 4, opacity: 0.35)
            .Line(fitted.Column(0), fitted.Column(1), "fitted", colour: 1, width: 1.6f);
        figure.Save(path);
    }
}
