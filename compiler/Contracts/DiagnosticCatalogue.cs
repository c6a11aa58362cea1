using System.Reflection;

namespace DiffEqLang.Contracts;

/// <summary>
/// Every diagnostic of the compiler. The first two digits group them: 00 files, 01 syntax, 02 names,
/// 03 shapes, 04 structure of a model, 05 noise and calculus, 06 the solve block, 09 not supported yet.
/// Each has a page of the same name in <c>compiler/diagnostics</c>.
/// </summary>
#pragma warning disable CS1591 // each field is documented by its title and its page
public static class DiagnosticCatalogue
{
    // 00: files
    public static readonly DiagnosticDescriptor UnreadableFile = Error("DEQ0001", "The file cannot be read");
    public static readonly DiagnosticDescriptor InvalidUtf8 = Error("DEQ0002", "The file is not valid UTF-8");
    public static readonly DiagnosticDescriptor NulCharacter = Error("DEQ0003", "The file holds a NUL character");
    public static readonly DiagnosticDescriptor FileTooLarge = Error("DEQ0004", "The file is too large to be a model");

    // 01: syntax
    public static readonly DiagnosticDescriptor SyntaxError = Error("DEQ0101", "Unexpected text");
    public static readonly DiagnosticDescriptor UnexpectedCharacter = Error("DEQ0102", "A character that means nothing here");
    public static readonly DiagnosticDescriptor MisspelledKeyword = Error("DEQ0103", "A word that was probably meant for another");
    public static readonly DiagnosticDescriptor UnclosedBracket = Error("DEQ0104", "A bracket is never closed");
    public static readonly DiagnosticDescriptor UnmatchedBracket = Error("DEQ0105", "A bracket closes nothing");
    public static readonly DiagnosticDescriptor MissingEquals = Error("DEQ0106", "`=` is missing");
    public static readonly DiagnosticDescriptor MissingComma = Error("DEQ0107", "A comma is missing");
    public static readonly DiagnosticDescriptor MissingBrace = Error("DEQ0108", "`{` is missing");
    public static readonly DiagnosticDescriptor EmptyFile = Error("DEQ0109", "The file declares nothing");
    public static readonly DiagnosticDescriptor NestedTooDeeply = Error("DEQ0110", "An expression is nested too deeply");
    public static readonly DiagnosticDescriptor DoubleStar = Error("DEQ0111", "`**` for `^`");
    public static readonly DiagnosticDescriptor DoubleEquals = Error("DEQ0112", "`==` for `=`");
    public static readonly DiagnosticDescriptor TildeForEquals = Error("DEQ0113", "`~` for `=`");
    public static readonly DiagnosticDescriptor MisplacedAssignment = Error("DEQ0114", "`:=` outside an event");
    public static readonly DiagnosticDescriptor EquationInEvent = Error("DEQ0115", "`=` for `:=` in an event");
    public static readonly DiagnosticDescriptor Semicolon = Error("DEQ0116", "A semicolon");
    public static readonly DiagnosticDescriptor MisplacedPrime = Error("DEQ0117", "A prime behind something that is not a name");
    public static readonly DiagnosticDescriptor SpacedDifferential = Error("DEQ0118", "A differential in two words");
    public static readonly DiagnosticDescriptor ForeignComment = Error("DEQ0119", "A comment in another language's marks");
    public static readonly DiagnosticDescriptor UnquotedPath = Error("DEQ0120", "A path without quotation marks");
    public static readonly DiagnosticDescriptor UnclosedString = Error("DEQ0121", "A quoted text is never closed");
    public static readonly DiagnosticDescriptor MalformedNumber = Error("DEQ0122", "A number without a digit before or behind its point");
    public static readonly DiagnosticDescriptor ImpliedMultiplication = Error("DEQ0123", "A product without `*`");
    public static readonly DiagnosticDescriptor LeadingOperator = Error("DEQ0124", "A line begins with an operator");
    public static readonly DiagnosticDescriptor ForeignLogic = Error("DEQ0125", "A logical operator of another language");
    public static readonly DiagnosticDescriptor ChainedComparison = Error("DEQ0126", "A chain of comparisons");
    public static readonly DiagnosticDescriptor NameBeginning = Error("DEQ0127", "A name begins with an underscore");
    public static readonly DiagnosticDescriptor RepeatedClause = Error("DEQ0128", "A clause stands twice");
    public static readonly DiagnosticDescriptor NumberTooLarge = Error("DEQ0129", "A number beyond the range of float64");
    public static readonly DiagnosticDescriptor OutsideModel = Error("DEQ0130", "A statement in the wrong place");
    public static readonly DiagnosticDescriptor TooManyErrors = Info("DEQ0140", "Further errors are not shown");
    public static readonly DiagnosticDescriptor MixedScripts = Warning("DEQ0141", "A name mixes alphabets that look alike");

    /// <summary>All descriptors, in the order of their codes.</summary>
    public static IReadOnlyList<DiagnosticDescriptor> All { get; } =
        [.. typeof(DiagnosticCatalogue)
            .GetFields(BindingFlags.Public | BindingFlags.Static)
            .Where(f => f.FieldType == typeof(DiagnosticDescriptor))
            .Select(f => (DiagnosticDescriptor)f.GetValue(null)!)
            .OrderBy(d => d.Code, StringComparer.Ordinal)];

    private static DiagnosticDescriptor Error(string code, string title) => new(code, Severity.Error, title);

    private static DiagnosticDescriptor Warning(string code, string title) => new(code, Severity.Warning, title);

    private static DiagnosticDescriptor Info(string code, string title) => new(code, Severity.Info, title);
}
