using DiffEqLang.Plots;
using static TorchSharp.torch;

namespace DiffEqLang.Examples;

/// <summary>True and learned motion over time and in the phase plane, and the true energy along both.</summary>
internal static class PendulumPicture
{
    /// <param name="path">Of the PNG or SVG file.</param>
    /// <param name="end">Both lie on [0, end], evenly spaced.</param>
    /// <param name="exact">The true motion.</param>
    /// <param name="learned">The learned one.</param>
    /// <param name="energy">The true energy along the learned motion, [times].</param>
    public static void Save(string path, double end, Pendulum.Trajectory exact, PendulumHnn.Trajectory learned, Tensor energy)
    {
        var time = Series.Grid(end, (int)exact.q.size(0));
        var figure = new Figure("A pendulum whose energy was learned").AddRow(420);
        figure.AddPanel("t", "angle q", weight: 1.3f)
            .Line(time, exact.q.ToArray(), "true", colour: 0, width: 4, opacity: 0.35)
            .Line(time, learned.q.ToArray(), "learned", colour: 1, width: 1.6f, dashed: true);
        figure.AddPanel("angle q", "momentum p")
            .Line(exact.q.ToArray(), exact.p.ToArray(), "true", colour: 0, width: 4, opacity: 0.35)
            .Line(learned.q.ToArray(), learned.p.ToArray(), "learned", colour: 1, width: 1.6f, dashed: true);
        figure.AddPanel("t", "true energy")
            .Line(time, exact.E.ToArray(), "true motion", colour: 0, width: 4, opacity: 0.35)
            .Line(time, energy.ToArray(), "learned motion", colour: 1, width: 1.6f);
        figure.Save(path);
    }
}
