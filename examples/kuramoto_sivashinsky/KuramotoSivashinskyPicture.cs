using DiffEqLang.Plots;
using static TorchSharp.torch;

namespace DiffEqLang.Examples;

/// <summary>The waves over space and time, and what the learned model makes of the last ones.</summary>
internal static class KuramotoSivashinskyPicture
{
    private const double Length = 32 * Math.PI;

    /// <param name="path">Of the PNG or SVG file.</param>
    /// <param name="history">The waves to t = 150: [times, 256].</param>
    /// <param name="seen">The last of those learned from: [256], as all that follow.</param>
    /// <param name="before">What the model made of them before learning.</param>
    /// <param name="learned">After it.</param>
    public static void Save(string path, Tensor history, Tensor seen, Tensor before, Tensor learned)
    {
        var figure = new Figure("Kuramoto-Sivashinsky: waves that never repeat").AddRow(420);
        figure.AddPanel("t", "x").Field(history.t().ToArray(), (int)history.size(1), 150, Length);
        figure.AddRow(300);
        double[] x = [.. Enumerable.Range(0, (int)seen.size(0)).Select(i => i * Length / seen.size(0))];
        figure.AddPanel("x", "u at t = 160")
            .Line(x, seen.ToArray(), "seen", colour: 0, width: 5, opacity: 0.35)
            .Line(x, before.ToArray(), "before learning", colour: 1, width: 1, opacity: 0.5, dashed: true)
            .Line(x, learned.ToArray(), "learned", colour: 1, width: 1.6f);
        figure.Save(path);
    }
}
