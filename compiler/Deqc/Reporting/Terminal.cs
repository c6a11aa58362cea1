namespace DiffEqLang.Deqc.Reporting;

/// <summary>Where a command reads from and writes to. Tests hand in their own writers.</summary>
/// <param name="Input">Standard input.</param>
/// <param name="Output">Standard output: results.</param>
/// <param name="Error">Standard error: messages.</param>
public sealed record Terminal(TextReader Input, TextWriter Output, TextWriter Error)
{
    /// <summary>Whether a person reads standard output.</summary>
    public bool OutputIsInteractive { get; init; }

    /// <summary>Whether a person reads standard error.</summary>
    public bool ErrorIsInteractive { get; init; }

    /// <summary>Whether interactive writers are coloured.</summary>
    public bool Colour { get; init; }

    /// <summary>Columns of the window.</summary>
    public int Width { get; init; } = 100;

    /// <summary>The process's console. NO_COLOR (no-color.org) and TERM=dumb turn colours off.</summary>
    public static Terminal OfProcess() => new(Console.In, Console.Out, Console.Error)
    {
        OutputIsInteractive = !Console.IsOutputRedirected,
        ErrorIsInteractive = !Console.IsErrorRedirected,
        Colour = string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"))
            && Environment.GetEnvironmentVariable("TERM") != "dumb",
        Width = WindowWidth(),
    };

    /// <summary>Paints text for standard output.</summary>
    public Paint PaintOutput => new(Colour && OutputIsInteractive);

    /// <summary>Paints text for standard error.</summary>
    public Paint PaintError => new(Colour && ErrorIsInteractive);

    private static int WindowWidth()
    {
        if (Console.IsOutputRedirected) return 100;
        try
        {
            return Math.Clamp(Console.WindowWidth, 40, 120);
        }
        catch (IOException)
        {
            return 100;
        }
    }
}

/// <summary>ANSI styles, or plain text where colours are off.</summary>
public readonly record struct Paint(bool Enabled)
{
    /// <summary>For errors.</summary>
    public string Red(string text) => Style("1;31", text);

    /// <summary>For warnings.</summary>
    public string Yellow(string text) => Style("1;33", text);

    /// <summary>For hints and success.</summary>
    public string Green(string text) => Style("32", text);

    /// <summary>For names of options and verbs.</summary>
    public string Cyan(string text) => Style("36", text);

    /// <summary>For headings.</summary>
    public string Bold(string text) => Style("1", text);

    /// <summary>For what matters less.</summary>
    public string Dim(string text) => Style("2", text);

    private string Style(string code, string text) => Enabled ? $"\e[{code}m{text}\e[0m" : text;
}
