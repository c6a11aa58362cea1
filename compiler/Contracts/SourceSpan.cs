using System.Collections.Immutable;

namespace DiffEqLang.Contracts;

/// <summary>A file's text together with the path that diagnostics and generated comments show for it.</summary>
/// <param name="Path">As the user wrote it; never made absolute, so that output is the same on every machine.</param>
/// <param name="Text">The decoded text, without a byte-order mark.</param>
public sealed record SourceFile(string Path, string Text)
{
    /// <summary>The texts of the files that it names, by their names as it writes them: the tableaux of <c>rk("file.json")</c>.</summary>
    public IReadOnlyDictionary<string, string> Files { get; init; } = ImmutableDictionary<string, string>.Empty;
}

/// <summary>
/// A region of a source file. Lines and columns count from 1, columns in UTF-16 units; the end is exclusive,
/// so an empty region has its end at its start.
/// </summary>
public readonly record struct SourceSpan(string File, int Line, int Column, int EndLine, int EndColumn)
{
    /// <summary>A place in no file: what the compiler itself introduced.</summary>
    public static SourceSpan None { get; } = new("", 0, 0, 0, 0);

    /// <summary>Whether the region lies in a file at all.</summary>
    public bool IsKnown => Line > 0;

    /// <summary>Whether another region lies in this one.</summary>
    public bool Contains(SourceSpan inner) =>
        inner.IsKnown
        && (Line, Column).CompareTo((inner.Line, inner.Column)) <= 0
        && (EndLine, EndColumn).CompareTo((inner.EndLine, inner.EndColumn)) >= 0;

    /// <summary>The smallest region of one file that holds both this one and <paramref name="other"/>.</summary>
    public SourceSpan To(SourceSpan other)
    {
        if (!IsKnown) return other;
        if (!other.IsKnown) return this;
        var startsFirst = (Line, Column).CompareTo((other.Line, other.Column)) <= 0;
        var endsLast = (EndLine, EndColumn).CompareTo((other.EndLine, other.EndColumn)) >= 0;
        return new SourceSpan(
            File,
            startsFirst ? Line : other.Line,
            startsFirst ? Column : other.Column,
            endsLast ? EndLine : other.EndLine,
            endsLast ? EndColumn : other.EndColumn);
    }

    /// <summary><c>file(line,col,endLine,endCol)</c>, the form that MSBuild and editors link.</summary>
    public override string ToString() =>
        IsKnown ? $"{File}({Line},{Column},{EndLine},{EndColumn})" : File;
}
