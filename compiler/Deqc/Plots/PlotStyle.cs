using ScottPlot;

namespace DiffEqLang.Plots;

/// <summary>Colours and type of all our pictures.</summary>
internal static class PlotStyle
{
    // Okabe & Ito (2008), "Color Universal Design": told apart by people with any common colour vision.
    // Yellow is left out: on white it is too faint for a line.
    private static readonly Color[] Palette =
    [
        Color.FromHex("#0072B2"), Color.FromHex("#D55E00"), Color.FromHex("#009E73"), Color.FromHex("#CC79A7"),
        Color.FromHex("#E69F00"), Color.FromHex("#56B4E9"), Color.FromHex("#4D4D4D"),
    ];

    // Points of the viridis map (Smith & van der Walt, 2015), less its faint yellow end: rising in lightness, for time.
    private static readonly Color[] TimeMap =
    [
        Color.FromHex("#440154"), Color.FromHex("#46327E"), Color.FromHex("#365C8D"), Color.FromHex("#277F8E"),
        Color.FromHex("#1FA187"), Color.FromHex("#4AC16D"), Color.FromHex("#8FD744"),
    ];

    /// <summary>How many series have colours of their own.</summary>
    public static int ColourCount => Palette.Length;

    /// <summary>The colour of the n-th series.</summary>
    public static Color Colour(int n) => Palette[n % Palette.Length];

    /// <summary>The colour of a time, given as a fraction of the whole.</summary>
    public static Color TimeColour(double fraction)
    {
        var place = Math.Clamp(fraction, 0, 1) * (TimeMap.Length - 1);
        var below = Math.Min((int)place, TimeMap.Length - 2);
        return TimeMap[below].InterpolateRgb(TimeMap[below + 1], place - below);
    }

    /// <summary>Sets what all panels have in common.</summary>
    public static void Apply(Plot plot)
    {
        PlotFont.Register();
        plot.Font.Set(PlotFont.Name);
        plot.RenderManager.ClearCanvasBeforeEachRender = false; // several panels share one canvas
        plot.Axes.Title.IsVisible = false;
        plot.FigureBackground.Color = Colors.White;
        plot.DataBackground.Color = Colors.White;
        plot.Axes.Color(Color.FromHex("#444444"));
        plot.Grid.MajorLineColor = Color.FromHex("#E6E6E6");
        plot.Axes.Top.FrameLineStyle.IsVisible = false;
        plot.Axes.Right.FrameLineStyle.IsVisible = false;
        foreach (var axis in new IAxis[] { plot.Axes.Bottom, plot.Axes.Left })
        {
            axis.Label.Bold = false;
            axis.Label.FontSize = 15;
            axis.Label.ForeColor = Color.FromHex("#222222");
            axis.TickLabelStyle.FontSize = 13;
            axis.MinorTickStyle.Length = 0;
            axis.TickGenerator = new ScottPlot.TickGenerators.NumericAutomatic { TickDensity = 0.7 };
        }
    }
}
