using ScottPlot;
using SkiaSharp;

namespace DiffEqLang.Plots;

/// <summary>
/// The typeface of our pictures, which the assembly carries: a machine without fonts (a container) draws labels too,
/// and every machine draws the same picture.
/// </summary>
internal sealed class PlotFont : IFontResolver
{
    /// <summary>The family's name.</summary>
    public const string Name = "DejaVu Sans (DiffEqLang)";

    private const string Resource = "DiffEqLang.Plots.DejaVuSans.ttf";

    /// <summary>The typeface itself.</summary>
    public static SKTypeface Typeface { get; } = Load();

    /// <summary>Makes it known to the plotting library.</summary>
    public static void Register()
    {
        if (!Fonts.FontResolvers.OfType<PlotFont>().Any()) Fonts.FontResolvers.Insert(0, new PlotFont());
    }

    /// <inheritdoc/>
    public SKTypeface? CreateTypeface(string fontName, FontWeight weight, FontSlant slant, FontSpacing spacing) =>
        fontName == Name ? Typeface : null;

    /// <inheritdoc/>
    public SKTypeface? CreateTypeface(string fontName, bool bold, bool italic) => fontName == Name ? Typeface : null;

    private static SKTypeface Load()
    {
        using var stream = typeof(PlotFont).Assembly.GetManifestResourceStream(Resource)
            ?? throw new InvalidOperationException($"The assembly lacks its resource {Resource}.");
        return SKTypeface.FromStream(stream);
    }
}
