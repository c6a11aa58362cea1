using DiffEqLang.Plots;
using static TorchSharp.torch;

namespace DiffEqLang.Examples;

/// <summary>The three concentrations over the logarithm of time.</summary>
internal static class RobertsonPicture
{
    /// <param name="path">Of the PNG or SVG file.</param>
    /// <param name="times">The observed times, the first of them zero, which a logarithm has no place for.</param>
    /// <param name="seen">The observations: [times, 3].</param>
    /// <param name="start">The model before learning.</param>
    /// <param name="learned">The model after it.</param>
    public static void Save(string path, double[] times, Tensor seen, Tensor start, Tensor learned)
    {
        double[] decades = [.. times.Skip(1).Select(Math.Log10)];
        var figure = new Figure("Robertson's rates learned from its solution").AddRow(420);
        var panel = figure.AddPanel("log10 t", "a, 1e4 b, c");
        string[] names = ["a", "1e4 b", "c"];
        for (var i = 0; i < 3; i++)
        {
            panel.Points(decades, Of(seen, i), $"{names[i]} observed", colour: i, size: 4);
            panel.Line(decades, Of(start, i), i == 0 ? "before learning" : null, colour: i, width: 1, opacity: 0.5, dashed: true);
            panel.Line(decades, Of(learned, i), $"{names[i]} learned", colour: i);
        }

        figure.Save(path);
    }

    private static double[] Of(Tensor values, int i) => [.. values.Column(i).Skip(1).Select(value => i == 1 ? 1e4 * value : value)];
}
