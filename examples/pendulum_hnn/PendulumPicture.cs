using DiffEqLang.Plots;

namespace DiffEqLang.Examples;

/// <summary>True and learned motion over time and in the phase plane, and each system's own energy.</summary>
internal static class PendulumPicture
{
    /// <param name="path">Of the PNG or SVG file.</param>
    /// <param name="end">Both lie on [0, end], evenly spaced.</param>
    /// <param name="exact">The true motion.</param>
    /// <param name="learned">The learned one.</param>
    public static void Save(string path, double end, Pendulum.Trajectory exact, PendulumHnn.Trajectory learned)
    {
        var time = Series.Grid(end, (int)exact.q.size(0));
        var figure = new Figure("A pendulum whose energy was learned").AddRow(420);
        figure.AddPanel("t", "angle q", weight: 1.3f)
            .Line(time, exact.q.ToArray(), "true", colour: 0, width: 4, opacity: 0.35)
            .Line(time, learned.q.ToArray(), "learned", colour: 1, width: 1.6f, dashed: true);
        figure.AddPanel("angle q", "momentum p")
            .Line(exact.q.ToArray(), exact.p.ToArray(), "true", colour: 0, width: 4, opacity: 0.35)
            .Line(learned.q.ToArray(), learned.p.ToArray(), "learned", colour: 1, width: 1.6f, dashed: true);
        figure.AddPanel("t", "energy since the start")
            .Line(time, (exact.E - exact.E[0]).ToArray(), "true, along the true motion", colour: 0)
            .Line(time, (learned.E - learned.E[0]).ToArray(), "learned, along the learned motion", colour: 1);
        figure.Save(path);
    }
}
