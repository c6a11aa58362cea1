using ScottPlot;

namespace DiffEqLang.Plots;

/// <summary>One pair of axes of a <see cref="Figure"/>.</summary>
public sealed class Panel
{
    private const int PiecesOfTime = 96;
    private readonly Plot plot = new();

    internal Panel(string horizontal, string vertical, float weight)
    {
        Weight = weight;
        PlotStyle.Apply(plot);
        plot.XLabel(horizontal);
        plot.YLabel(vertical);
    }

    internal float Weight { get; }

    internal Legend Legend { get; } = new();

    /// <summary>A curve.</summary>
    /// <param name="x">Horizontal places.</param>
    /// <param name="y">Vertical places; NaN interrupts it.</param>
    /// <param name="label">In the legend; none where null.</param>
    /// <param name="colour">Which colour of the palette.</param>
    /// <param name="width">Of the line.</param>
    /// <param name="opacity">0 to 1.</param>
    /// <param name="dashed">Whether it is dashed.</param>
    public Panel Line(IReadOnlyList<double> x, IReadOnlyList<double> y, string? label, int colour, float width = 2, double opacity = 1, bool dashed = false)
    {
        var line = plot.Add.ScatterLine(x.ToArray(), y.ToArray(), PlotStyle.Colour(colour).WithAlpha(opacity));
        line.LineWidth = width;
        line.LinePattern = dashed ? LinePattern.Dashed : LinePattern.Solid;
        Legend.Add(label, dashed ? LegendMark.DashedLine : LegendMark.Line, line.LineColor, width);
        return this;
    }

    /// <summary>Separate points.</summary>
    /// <param name="x">Horizontal places.</param>
    /// <param name="y">Vertical places.</param>
    /// <param name="label">In the legend; none where null.</param>
    /// <param name="colour">Which colour of the palette.</param>
    /// <param name="size">Diameter.</param>
    public Panel Points(IReadOnlyList<double> x, IReadOnlyList<double> y, string? label, int colour, float size = 6)
    {
        var points = plot.Add.ScatterPoints(x.ToArray(), y.ToArray(), PlotStyle.Colour(colour).WithAlpha(0.85));
        points.MarkerSize = size;
        points.MarkerShape = MarkerShape.FilledCircle;
        Legend.Add(label, LegendMark.Point, points.MarkerFillColor, size);
        return this;
    }

    /// <summary>The region between two curves.</summary>
    /// <param name="x">Horizontal places, rising.</param>
    /// <param name="low">The lower curve.</param>
    /// <param name="high">The upper curve.</param>
    /// <param name="label">In the legend; none where null.</param>
    /// <param name="colour">Which colour of the palette.</param>
    public Panel Band(IReadOnlyList<double> x, IReadOnlyList<double> low, IReadOnlyList<double> high, string? label, int colour)
    {
        var band = plot.Add.FillY(x.ToArray(), low.ToArray(), high.ToArray());
        band.FillColor = PlotStyle.Colour(colour).WithAlpha(0.18);
        band.LineWidth = 0;
        band.MarkerSize = 0;
        Legend.Add(label, LegendMark.Band, band.FillColor, 0);
        return this;
    }

    /// <summary>A path through a plane, coloured from its start (dark) to its end (light), the start marked.</summary>
    /// <param name="x">Horizontal places.</param>
    /// <param name="y">Vertical places.</param>
    public Panel Path(IReadOnlyList<double> x, IReadOnlyList<double> y)
    {
        var pieces = Math.Min(PiecesOfTime, x.Count - 1);
        for (var piece = 0; piece < pieces; piece++)
        {
            var (from, to) = (piece * (x.Count - 1) / pieces, (piece + 1) * (x.Count - 1) / pieces);
            var colour = PlotStyle.TimeColour((piece + 0.5) / pieces);
            var line = plot.Add.ScatterLine(x.Skip(from).Take(to - from + 1).ToArray(), y.Skip(from).Take(to - from + 1).ToArray(), colour);
            line.LineWidth = 1.6f;
        }

        if (x.Count > 0 && double.IsFinite(x[0]) && double.IsFinite(y[0]))
            plot.Add.Marker(x[0], y[0], MarkerShape.FilledCircle, 8, PlotStyle.TimeColour(0));
        return this;
    }

    /// <summary>Values over a plane, from low (dark) to high (light).</summary>
    /// <param name="values">Row by row, the lowest first.</param>
    /// <param name="rows">How many rows there are.</param>
    /// <param name="width">Up to where the plane goes horizontally, from 0.</param>
    /// <param name="height">Up to where it goes vertically, from 0.</param>
    public Panel Field(IReadOnlyList<double> values, int rows, double width, double height)
    {
        var columns = values.Count / rows;
        var cells = new double[rows, columns];
        for (var i = 0; i < values.Count; i++) cells[rows - 1 - i / columns, i % columns] = values[i];
        var map = plot.Add.Heatmap(cells);
        map.Colormap = new ScottPlot.Colormaps.Viridis();
        map.Extent = new CoordinateRect(0, width, 0, height);
        return this;
    }

    /// <summary>Gives both axes the same scale.</summary>
    public Panel EqualScales()
    {
        plot.Axes.SquareUnits();
        return this;
    }

    internal Plot Finish()
    {
        plot.HideLegend();
        plot.Axes.Margins(0.02, 0.08);
        return plot;
    }
}
