using DiffEqLang.Plots;
using static TorchSharp.torch;

namespace DiffEqLang.Examples;

/// <summary>Some paths, and the moments of all of them beside the exact ones.</summary>
internal static class OrnsteinUhlenbeckPicture
{
    private const int Shown = 30;

    /// <param name="path">Of the PNG or SVG file.</param>
    /// <param name="end">The paths lie on [0, end], evenly spaced.</param>
    /// <param name="paths">[times, paths]</param>
    /// <param name="mean">The exact mean at a time.</param>
    /// <param name="variance">The exact variance at a time.</param>
    public static void Save(string path, double end, Tensor paths, Func<double, double> mean, Func<double, double> variance)
    {
        var time = Series.Grid(end, (int)paths.size(0));
        var (exactMean, deviation) = (time.Select(mean).ToArray(), time.Select(t => Math.Sqrt(variance(t))).ToArray());
        var figure = new Figure($"Ornstein-Uhlenbeck process: {paths.size(1):N0} paths and the exact moments").AddRow(460);

        var some = figure.AddPanel("t", "x", weight: 1.3f);
        some.Band(time, Shifted(-2), Shifted(2), "exact mean ± 2 standard deviations", colour: 0);
        for (var i = 0; i < Shown; i++) some.Line(time, paths.Column(i), i == 0 ? "paths" : null, colour: 6, width: 0.8f, opacity: 0.5);
        some.Line(time, exactMean, "exact mean", colour: 0);

        figure.AddPanel("t", "moments")
            .Line(time, exactMean, "exact mean", colour: 0, width: 4, opacity: 0.35)
            .Line(time, paths.mean([1L]).ToArray(), "mean of the paths", colour: 0, width: 1.6f, dashed: true)
            .Line(time, time.Select(variance).ToArray(), "exact variance", colour: 1, width: 4, opacity: 0.35)
            .Line(time, paths.var(1).ToArray(), "variance of the paths", colour: 1, width: 1.6f, dashed: true);
        figure.Save(path);

        double[] Shifted(double deviations) => [.. exactMean.Zip(deviation, (m, s) => m + deviations * s)];
    }
}
