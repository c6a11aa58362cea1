using ScottPlot;
using SkiaSharp;

namespace DiffEqLang.Plots;

/// <summary>
/// A titled picture of one or more panels, saved as PNG or SVG. The only file that knows the plotting library:
/// deqc draws with it, and so do the programs under examples.
/// </summary>
public sealed class Figure(string title)
{
    private const float TitleHeight = 46;
    private const float Margin = 14;
    private const float PixelsPerUnit = 2; // PNG files are sharp on dense screens

    private readonly List<List<Panel>> rows = [];
    private readonly List<float> heights = [];

    /// <summary>Begins a new row of panels.</summary>
    /// <param name="height">In units of 1/96 inch.</param>
    public Figure AddRow(float height)
    {
        rows.Add([]);
        heights.Add(height);
        return this;
    }

    /// <summary>Adds a panel to the last row.</summary>
    /// <param name="horizontal">Label of the horizontal axis.</param>
    /// <param name="vertical">Label of the vertical axis.</param>
    /// <param name="weight">Width, compared with the other panels of the row.</param>
    public Panel AddPanel(string horizontal, string vertical, float weight = 1)
    {
        if (rows.Count == 0) AddRow(460);
        var panel = new Panel(horizontal, vertical, weight);
        rows[^1].Add(panel);
        return panel;
    }

    /// <summary>Width of the whole picture, in units of 1/96 inch.</summary>
    public float Width { get; init; } = 1080;

    /// <summary>Saves the picture; the ending of the path, .png or .svg, decides its form.</summary>
    public void Save(string path)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(path));
        if (folder is not null) Directory.CreateDirectory(folder);
        File.WriteAllBytes(path, path.EndsWith(".svg", StringComparison.OrdinalIgnoreCase) ? ToSvg() : ToPng());
    }

    /// <summary>The picture as PNG.</summary>
    public byte[] ToPng()
    {
        var info = new SKImageInfo((int)(Width * PixelsPerUnit), (int)(Height * PixelsPerUnit));
        using var surface = SKSurface.Create(info);
        surface.Canvas.Scale(PixelsPerUnit);
        Draw(surface.Canvas);
        using var image = surface.Snapshot();
        using var data = image.Encode(SKEncodedImageFormat.Png, 100);
        return data.ToArray();
    }

    /// <summary>The picture as SVG.</summary>
    public byte[] ToSvg()
    {
        using var stream = new MemoryStream();
        using (var canvas = SKSvgCanvas.Create(SKRect.Create(Width, Height), stream)) Draw(canvas);
        return stream.ToArray();
    }

    private float Height => TitleHeight + heights.Sum() + Margin;

    private void Draw(SKCanvas canvas)
    {
        canvas.Clear(SKColors.White);
        DrawTitle(canvas);
        var top = TitleHeight;
        for (var row = 0; row < rows.Count; row++)
        {
            DrawRow(canvas, rows[row], top, heights[row]);
            top += heights[row];
        }
    }

    private void DrawTitle(SKCanvas canvas)
    {
        using var font = new SKFont(PlotFont.Typeface, 19) { Embolden = true, Edging = SKFontEdging.Antialias };
        using var paint = new SKPaint { Color = new SKColor(0xFF222222), IsAntialias = true };
        var room = Width - 2 * Margin;
        if (font.MeasureText(title) > room) font.Size *= room / font.MeasureText(title);
        canvas.DrawText(title, Width / 2, 31, SKTextAlign.Center, font, paint);
    }

    private void DrawRow(SKCanvas canvas, List<Panel> panels, float top, float height)
    {
        var (left, total) = (Margin, panels.Sum(panel => panel.Weight));
        float WidthOf(Panel panel) => (Width - 2 * Margin) * panel.Weight / total;
        var legend = panels.Max(panel => panel.Legend.Height(WidthOf(panel)));
        foreach (var panel in panels)
        {
            var width = WidthOf(panel);
            panel.Legend.Draw(canvas, left + width / 2, top, width);
            panel.Finish().Render(canvas, new PixelRect(left, left + width, top + height, top + legend));
            left += width;
        }
    }
}
