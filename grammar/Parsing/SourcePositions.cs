using Antlr4.Runtime;
using DiffEqLang.Contracts;

namespace DiffEqLang.Grammar;

/// <summary>
/// Where a token stands. ANTLR counts code points; spans count UTF-16 units, as editors and MSBuild do.
/// </summary>
public sealed class SourcePositions
{
    private readonly SourceFile file;
    private readonly int[] lineStarts;

    /// <summary>The UTF-16 offset of each code point, or null where the two counts agree.</summary>
    private readonly int[]? offsets;

    /// <summary>Measures the lines of a file.</summary>
    public SourcePositions(SourceFile file)
    {
        this.file = file;
        lineStarts = LineStarts(file.Text);
        offsets = file.Text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF') ? CodePointOffsets(file.Text) : null;
    }

    /// <summary>The place of one token; empty for a token that the layout put in.</summary>
    public SourceSpan Of(IToken token) => Between(token.StartIndex, token.StopIndex + 1);

    /// <summary>The place from the first token to the end of the last.</summary>
    public SourceSpan Of(IToken first, IToken last) =>
        Between(first.StartIndex, Math.Max(first.StopIndex, last.StopIndex) + 1);

    /// <summary>The empty place right behind a token.</summary>
    public SourceSpan After(IToken token) => Between(token.StopIndex + 1, token.StopIndex + 1);

    private SourceSpan Between(int start, int end)
    {
        var (line, column) = Position(start);
        var (endLine, endColumn) = Position(end);
        return new SourceSpan(file.Path, line, column, endLine, endColumn);
    }

    private (int Line, int Column) Position(int codePoint)
    {
        var offset = Math.Min(offsets is null ? codePoint : offsets[Math.Min(codePoint, offsets.Length - 1)], file.Text.Length);
        var found = Array.BinarySearch(lineStarts, offset);
        var line = found >= 0 ? found : ~found - 1;
        return (line + 1, offset - lineStarts[line] + 1);
    }

    private static int[] LineStarts(string text)
    {
        var starts = new List<int> { 0 };
        for (var next = text.IndexOf('\n'); next >= 0; next = text.IndexOf('\n', next + 1))
            starts.Add(next + 1);
        return [.. starts];
    }

    private static int[] CodePointOffsets(string text)
    {
        var result = new List<int>(text.Length + 1);
        for (var i = 0; i < text.Length; i += char.IsSurrogatePair(text, i) ? 2 : 1)
            result.Add(i);
        result.Add(text.Length);
        return [.. result];
    }
}
