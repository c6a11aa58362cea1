using Antlr4.Runtime;
using DiffEqLang.Contracts;

namespace DiffEqLang.Grammar;

/// <summary>
/// What reading one file has found wrong. It stops listening after <see cref="Limit"/> errors: nobody reads further,
/// and a file that is not a model at all is answered at once.
/// </summary>
public sealed class SyntaxErrors
{
    /// <summary>The number of errors reported for one file.</summary>
    public const int Limit = 100;

    private readonly List<Diagnostic> diagnostics = [];
    private readonly HashSet<int> lines = [];
    private readonly HashSet<int> unreadLines = [];
    private readonly SortedSet<int> unreadPlaces = [];

    /// <summary>The number of errors so far; a warning is none.</summary>
    public int Count { get; private set; }

    /// <summary>Whether the limit is reached, so that reading on is of no use.</summary>
    public bool IsFull => Count >= Limit;

    /// <summary>Everything reported, in the order of the file.</summary>
    public IReadOnlyList<Diagnostic> InOrder =>
        [.. diagnostics.OrderBy(d => d.Span.Line).ThenBy(d => d.Span.Column).ThenBy(d => d.Severity)];

    /// <summary>Reports one thing; without effect once the limit is reached.</summary>
    public void Add(DiagnosticDescriptor descriptor, SourceSpan span, string message, string? hint = null, params DiagnosticNote[] notes)
    {
        if (IsFull) return;
        diagnostics.Add(new Diagnostic(descriptor, message, span) { Hint = hint, Notes = [.. notes] });
        if (descriptor.Severity == Severity.Error)
        {
            Count++;
            lines.Add(span.Line);
        }
        if (IsFull)
            diagnostics.Add(new Diagnostic(
                DiagnosticCatalogue.TooManyErrors,
                $"the file has more than {Limit} syntax errors; the rest is not shown",
                span));
    }

    /// <summary>Whether an error is reported on a line, so that what follows from it need not be.</summary>
    public bool AnyOn(int line) => lines.Contains(line);

    /// <summary>Notes that a token was left out, so that its statement is not what was written.</summary>
    public void LeaveOut(IToken token)
    {
        unreadLines.Add(token.Line);
        unreadPlaces.Add(token.StartIndex);
    }

    /// <summary>Whether every token was read.</summary>
    public bool IsAllRead => unreadPlaces.Count == 0;

    /// <summary>Whether something on a line was left out.</summary>
    public bool LeftOutOn(int line) => unreadLines.Contains(line);

    /// <summary>Whether something was left out from one code point of the file to another.</summary>
    public bool LeftOutBetween(int first, int last) => first <= last && unreadPlaces.GetViewBetween(first, last).Count > 0;

    /// <summary>A copy to try a reading on that may be thrown away.</summary>
    public SyntaxErrors Copy()
    {
        var copy = new SyntaxErrors { Count = Count };
        copy.diagnostics.AddRange(diagnostics);
        copy.lines.UnionWith(lines);
        copy.unreadLines.UnionWith(unreadLines);
        copy.unreadPlaces.UnionWith(unreadPlaces);
        return copy;
    }
}
