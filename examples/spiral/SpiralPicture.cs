using DiffEqLang.Plots;
using static TorchSharp.torch;

namespace DiffEqLang.Examples;

/// <summary>True and learned trajectories over time, and in the plane.</summary>
internal static class SpiralPicture
{
    /// <param name="path">Of the PNG or SVG file.</param>
    /// <param name="end">The trajectories lie on [0, end], evenly spaced.</param>
    /// <param name="truth">[times, 2]</param>
    /// <param name="learned">[times, 2]</param>
    public static void Save(string path, double end, Tensor truth, Tensor learned)
    {
        var time = Series.Grid(end, (int)truth.size(0));
        var figure = new Figure("Neural ODE on a cubic spiral").AddRow(460);
        var overTime = figure.AddPanel("t", "y", weight: 1.3f);
        for (var i = 0; i < 2; i++)
        {
            overTime.Line(time, truth.Column(i), $"true y[{i}]", colour: i, width: 3, opacity: 0.35);
            overTime.Line(time, learned.Column(i), $"learned y[{i}]", colour: i, width: 1.6f, dashed: true);
        }

        figure.AddPanel("y[0]", "y[1]")
            .Line(truth.Column(0), truth.Column(1), "true", colour: 0, width: 3, opacity: 0.35)
            .Line(learned.Column(0), learned.Column(1), "learned", colour: 1, width: 1.6f, dashed: true);
        figure.Save(path);
    }
}
