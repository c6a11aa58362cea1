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

    /// <summary>A copy to try a reading on that may be thrown away.</summary>
    public SyntaxErrors Copy()
    {
        var copy = new SyntaxErrors { Count = Count };
        copy.diagnostics.AddRange(diagnostics);
        copy.lines.UnionWith(lines);
        return copy;
    }
}
