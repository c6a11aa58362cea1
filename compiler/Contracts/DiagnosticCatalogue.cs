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

    // 01: syntax
    public static readonly DiagnosticDescriptor SyntaxError = Error("DEQ0101", "Unexpected text");

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
