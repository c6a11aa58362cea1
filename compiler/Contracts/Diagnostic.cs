using System.Collections.Immutable;

namespace DiffEqLang.Contracts;

/// <summary>How grave a diagnostic is. Only an error keeps code from being generated.</summary>
public enum Severity
{
    /// <summary>Worth knowing; nothing to do.</summary>
    Info,

    /// <summary>Legal, and probably not what was meant.</summary>
    Warning,

    /// <summary>The model cannot be compiled.</summary>
    Error,
}

/// <summary>One kind of diagnostic: what its page in <c>compiler/diagnostics</c> describes.</summary>
/// <param name="Code"><c>DEQ</c> and four digits.</param>
/// <param name="Severity">The severity of every diagnostic of this kind.</param>
/// <param name="Title">A short sentence without the particulars of one occurrence.</param>
public sealed record DiagnosticDescriptor(string Code, Severity Severity, string Title);

/// <summary>A second place that explains a diagnostic, such as the declaration it clashes with.</summary>
public sealed record DiagnosticNote(string Message, SourceSpan Span);

/// <summary>Something the compiler has to say about a place in a source file.</summary>
/// <param name="Descriptor">Its kind.</param>
/// <param name="Message">What is wrong here, in one line, with the names and shapes concerned.</param>
/// <param name="Span">Where.</param>
public sealed record Diagnostic(DiagnosticDescriptor Descriptor, string Message, SourceSpan Span)
{
    /// <summary>What to do about it, in one line (a did-you-mean, the spelling that was probably meant), or null.</summary>
    public string? Hint { get; init; }

    /// <summary>Other places that explain this one.</summary>
    public ImmutableArray<DiagnosticNote> Notes { get; init; } = [];

    /// <summary>The code of its kind.</summary>
    public string Code => Descriptor.Code;

    /// <summary>The severity of its kind.</summary>
    public Severity Severity => Descriptor.Severity;

    /// <summary><c>file.deq(line,col,endLine,endCol): error DEQ0101: message</c>, on one line.</summary>
    public override string ToString()
    {
        var text = $"{Span}: {Severity.ToString().ToLowerInvariant()} {Code}: {Message}";
        return Hint is null ? text : $"{text} ({Hint})";
    }
}
