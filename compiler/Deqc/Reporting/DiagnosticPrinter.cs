using DiffEqLang.Contracts;

namespace DiffEqLang.Deqc.Reporting;

/// <summary>
/// Writes diagnostics: for machines one canonical line each, for a person also the source lines with a caret range.
/// </summary>
internal sealed class DiagnosticPrinter(TextWriter writer, bool interactive, Paint paint, int width)
{
    /// <summary>Writes to standard error, where nothing else shares the line.</summary>
    public static DiagnosticPrinter OnError(Terminal terminal) =>
        new(terminal.Error, terminal.ErrorIsInteractive, terminal.PaintError, terminal.Width);

    /// <summary>Writes to standard output, for verbs whose result the diagnostics are.</summary>
    public static DiagnosticPrinter OnOutput(Terminal terminal) =>
        new(terminal.Output, terminal.OutputIsInteractive, terminal.PaintOutput, terminal.Width);

    /// <summary>Writes them in the order of their places.</summary>
    public void Print(IEnumerable<Diagnostic> diagnostics, SourceFile? source)
    {
        foreach (var diagnostic in diagnostics.OrderBy(d => (d.Span.Line, d.Span.Column)))
        {
            if (interactive) PrintFor(diagnostic, source);
            else writer.WriteLine(OneLine(diagnostic.ToString()));
        }
    }

    private void PrintFor(Diagnostic diagnostic, SourceFile? source)
    {
        var severity = $"{diagnostic.Severity.ToString().ToLowerInvariant()} {diagnostic.Code}";
        writer.WriteLine($"{diagnostic.Span}: {Shade(diagnostic.Severity, severity)}: {paint.Bold(OneLine(diagnostic.Message))}");
        PrintExcerpt(diagnostic.Span, source, text => Shade(diagnostic.Severity, text));
        foreach (var note in diagnostic.Notes)
        {
            writer.WriteLine($"  {paint.Bold("note")}: {OneLine(note.Message)}  {paint.Dim(note.Span.ToString())}");
            PrintExcerpt(note.Span, source, paint.Cyan);
        }

        if (diagnostic.Hint is { } hint) writer.WriteLine($"  {paint.Green("hint")}: {OneLine(hint)}");
        writer.WriteLine();
    }

    private void PrintExcerpt(SourceSpan span, SourceFile? source, Func<string, string> shade)
    {
        if (source is null || !span.IsKnown || span.File != source.Path) return;
        foreach (var line in new SourceExcerpt(source.Text, span).Lines(width))
        {
            writer.WriteLine($"{paint.Dim(line.Gutter)} {line.Text}".TrimEnd());
            writer.WriteLine($"{paint.Dim(line.EmptyGutter)} {line.Indent}{shade(line.Carets)}");
        }
    }

    private string Shade(Severity severity, string text) => severity switch
    {
        Severity.Error => paint.Red(text),
        Severity.Warning => paint.Yellow(text),
        _ => paint.Cyan(text),
    };

    private static string OneLine(string text) => text.ReplaceLineEndings(" ");
}
