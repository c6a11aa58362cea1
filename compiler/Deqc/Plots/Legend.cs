using ScottPlot;
using SkiaSharp;

namespace DiffEqLang.Plots;

/// <summary>What stands before an entry of a legend.</summary>
internal enum LegendMark
{
    Line,
    DashedLine,
    Point,
    Band,
}

/// <summary>
/// The legend of a panel, in lines above its axes, where it covers no data. The plotting library's own drops the entries
/// that do not fit on one line.
/// </summary>
internal sealed class Legend
{
    private const float TextSize = 13, LineHeight = 21, MarkWidth = 26, MarkGap = 7, EntryGap = 18;

    private readonly List<(string Label, LegendMark Mark, Color Colour, float Size)> _entries = [];

    /// <summary>Adds an entry; nothing where the label is null.</summary>
    public void Add(string? label, LegendMark mark, Color colour, float size)
    {
        if (label is not null) _entries.Add((label, mark, colour, size));
    }

    /// <summary>The height that the entries take in a width.</summary>
    public float Height(float width) => Lines(width).Count * LineHeight;

    /// <summary>Draws the lines, each centred on <paramref name="centre"/>, the first at <paramref name="top"/>.</summary>
    public void Draw(SKCanvas canvas, float centre, float top, float width)
    {
        using var font = TextFont();
        foreach (var line in Lines(width))
        {
            var left = centre - line.Sum(entry => EntryWidth(font, entry.Label)) / 2 + EntryGap / 2;
            foreach (var (label, mark, colour, size) in line)
            {
                DrawMark(canvas, mark, colour, size, left, top + LineHeight / 2);
                using var ink = new SKPaint { Color = new SKColor(0xFF222222), IsAntialias = true };
                canvas.DrawText(label, left + MarkWidth + MarkGap, top + LineHeight / 2 + TextSize * 0.36f, SKTextAlign.Left, font, ink);
                left += EntryWidth(font, label);
            }

            top += LineHeight;
        }
    }

    private List<List<(string Label, LegendMark Mark, Color Colour, float Size)>> Lines(float width)
    {
        using var font = TextFont();
        List<List<(string, LegendMark, Color, float)>> lines = [];
        var room = 0f;
        foreach (var entry in _entries)
        {
            var needed = EntryWidth(font, entry.Label);
            if (lines.Count == 0 || needed > room)
            {
                lines.Add([]);
                room = width;
            }

            lines[^1].Add(entry);
            room -= needed;
        }

        return lines;
    }

    private static float EntryWidth(SKFont font, string label) => MarkWidth + MarkGap + font.MeasureText(label) + EntryGap;

    private static SKFont TextFont() => new(PlotFont.Typeface, TextSize) { Edging = SKFontEdging.Antialias };

    private static void DrawMark(SKCanvas canvas, LegendMark mark, Color colour, float size, float left, float middle)
    {
        using var paint = new SKPaint { Color = colour.ToSKColor(), IsAntialias = true, StrokeWidth = size };
        using var dashes = mark == LegendMark.DashedLine ? SKPathEffect.CreateDash([7, 4], 0) : null;
        paint.PathEffect = dashes;
        switch (mark)
        {
            case LegendMark.Point:
                canvas.DrawCircle(left + MarkWidth / 2, middle, size / 2, paint);
                break;
            case LegendMark.Band:
                canvas.DrawRect(left, middle - 6, MarkWidth, 12, paint);
                break;
            case LegendMark.Line or LegendMark.DashedLine:
                canvas.DrawLine(left, middle, left + MarkWidth, middle, paint);
                break;
        }
    }
}
