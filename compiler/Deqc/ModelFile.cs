using System.Collections.Immutable;
using System.Text;
using DiffEqLang.Compiler;
using DiffEqLang.Contracts;
using DiffEqLang.Deqc.Files;
using DiffEqLang.Deqc.Reporting;
using DiffEqLang.Deqc.Solving;

namespace DiffEqLang.Deqc;

/// <summary>A .deq file on its way through the compiler: every call of a verb to the compiler goes through here.</summary>
internal sealed class ModelFile
{
    private readonly ImmutableArray<Diagnostic> unreadable;

    private ModelFile(string path, byte[] bytes)
    {
        Original = Encoding.UTF8.GetString(bytes);
        var (file, problems) = Compilation.Read(path, bytes);
        (File, unreadable) = (file is null ? null : file with { Files = Named(path, file) }, problems);
    }

    /// <summary>The text as the compiler sees it, or null where the bytes are no text.</summary>
    public SourceFile? File { get; }

    /// <summary>The text as it stands, with its byte-order mark and line ends.</summary>
    public string Original { get; }

    /// <summary>Reads a file.</summary>
    /// <exception cref="CommandFailure">It cannot be read.</exception>
    public static ModelFile Read(string path) => new(path, InputFile.Read(path));

    /// <summary>Takes text that stands in no file.</summary>
    public static ModelFile OfText(string name, string text) => new(name, Encoding.UTF8.GetBytes(text));

    /// <summary>The texts of the files that the model names, found beside it; one that is not there is the compiler's to report.</summary>
    private static Dictionary<string, string> Named(string path, SourceFile file) =>
        Compilation.FilesNamed(file)
            .Select(name => (name, Place: Path.Combine(Path.GetDirectoryName(path) ?? "", name)))
            .Where(named => System.IO.File.Exists(named.Place))
            .ToDictionary(named => named.name, named => Encoding.UTF8.GetString(InputFile.Read(named.Place)));

    /// <summary>All that is wrong with it.</summary>
    public ImmutableArray<Diagnostic> Check() => File is null ? unreadable : Compilation.Check(File);

    /// <summary>Generates code.</summary>
    public CompileResult Compile(CompileOptions options) =>
        File is null ? new CompileResult([], unreadable) : Compilation.Compile(File, options);

    /// <summary>The compile-time sizes that it declares.</summary>
    public IReadOnlyList<string> DimNames() => File is null ? [] : Compilation.DimNames(File);

    /// <summary>The parameters that start at random values.</summary>
    public IReadOnlyList<string> RandomParameterNames(string? model) => File is null ? [] : Compilation.RandomParameterNames(File, model);

    /// <summary>Lays it out; null where it does not parse.</summary>
    public (string? Text, ImmutableArray<Diagnostic> Diagnostics) Format() =>
        File is null ? (null, unreadable) : Compilation.Format(File);

    /// <summary>Writes about it; null where it has errors.</summary>
    public (string? Text, ImmutableArray<Diagnostic> Diagnostics) Explain(string? model, string format) =>
        File is null ? (null, unreadable) : Compilation.Explain(File, model, format);

    /// <summary>The value of an output or an expression; null where the model or the expression has errors.</summary>
    public (NumberArray? Value, ImmutableArray<Diagnostic> Diagnostics) Evaluate(string? model, string expression, Assignments values)
    {
        if (File is null) return (null, unreadable);
        var settings = values.Values.ToDictionary(p => p.Key, p => (p.Value.Shape.ToArray(), p.Value.Values));
        try
        {
            var (shape, numbers, diagnostics) = Compilation.Evaluate(File, model, expression, settings);
            return (numbers is null ? null : new NumberArray(shape, numbers), diagnostics);
        }
        catch (ArgumentException refusal)
        {
            throw CommandFailure.Usage(refusal.Message.Split(" (Parameter '")[0]);
        }
    }

    /// <summary>Prints diagnostics of this file to standard error.</summary>
    public void Report(IEnumerable<Diagnostic> diagnostics, Terminal terminal) =>
        DiagnosticPrinter.OnError(terminal).Print(diagnostics, File);
}
