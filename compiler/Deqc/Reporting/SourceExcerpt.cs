using DiffEqLang.Contracts;

namespace DiffEqLang.Deqc.Reporting;

/// <summary>A source line and the carets below it.</summary>
internal sealed record ExcerptLine(string Gutter, string Text, string Indent, string Carets)
{
    /// <summary>As wide as <see cref="Gutter"/>, without the number.</summary>
    public string EmptyGutter => new string(' ', Gutter.Length - 1) + Gutter[^1];
}

/// <summary>The lines of a region, each with carets below its part of it.</summary>
internal sealed class SourceExcerpt(string text, SourceSpan span)
{
    private const int MostLines = 3;
    private const string Ellipsis = "…";

    /// <summary>The first lines of the region, cut to the width of the window around the region's start.</summary>
    public IEnumerable<ExcerptLine> Lines(int width)
    {
        var digits = Math.Max(3, span.EndLine.ToString().Length);
        var number = span.Line;
        foreach (var line in LinesFrom(span.Line).Take(Math.Min(MostLines, span.EndLine - span.Line + 1)))
        {
            var start = number == span.Line ? span.Column - 1 : line.Length - line.TrimStart().Length;
            var end = number == span.EndLine ? span.EndColumn - 1 : line.TrimEnd().Length;
            if (number == span.Line || end > start)
                yield return Cut(new Columns(line), start, end, $"{number.ToString().PadLeft(digits)} |", width);
            number++;
        }
    }

    private static ExcerptLine Cut(Columns line, int start, int end, string gutter, int width)
    {
        var room = Math.Max(20, width - gutter.Length - 3);
        var (from, to) = (line.At(start), Math.Max(line.At(end), line.At(start) + 1));
        var left = line.Width <= room ? 0 : Math.Clamp(from - room / 3, 0, line.Width - room);
        var right = Math.Min(line.Width, left + room);
        var (before, after) = (left > 0 ? Ellipsis : "", right < line.Width ? Ellipsis : "");
        var carets = Math.Max(1, Math.Min(to, Math.Max(right, from + 1)) - from);
        return new ExcerptLine(
            gutter,
            before + line.Slice(left, right) + after,
            new string(' ', before.Length + from - left),
            new string('^', carets));
    }

    private IEnumerable<string> LinesFrom(int first)
    {
        using var reader = new StringReader(text);
        for (var number = 1; reader.ReadLine() is { } line; number++)
        {
            if (number >= first) yield return line;
        }

        // The end of the file counts as a line: that is where an unclosed brace is reported.
        yield return "";
    }
}
