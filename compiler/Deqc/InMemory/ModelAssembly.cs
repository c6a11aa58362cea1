using System.Collections.Immutable;
using System.Reflection;
using System.Runtime.Loader;
using System.Xml.Linq;
using DiffEqLang.Contracts;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace DiffEqLang.Deqc.InMemory;

/// <summary>Generated code, compiled and loaded without touching the disk; unloadable.</summary>
internal sealed class ModelAssembly : IDisposable
{
    // What generated code may refer to: the base class library and, through the runtime, TorchSharp.
    private static readonly string[] ReferencePrefixes = ["System.", "netstandard", "mscorlib", "TorchSharp", "DiffEqLang.Runtime", "DiffEqLang.Tableaux"];

    private readonly AssemblyLoadContext context = new("deqc", isCollectible: true);
    private readonly Assembly assembly;
    private readonly CSharpCompilation compilation;

    private ModelAssembly(CSharpCompilation compilation)
    {
        this.compilation = compilation;
        using var image = new MemoryStream();
        var emitted = compilation.Emit(image);
        var problems = emitted.Diagnostics.Where(d => d.Severity == Microsoft.CodeAnalysis.DiagnosticSeverity.Error).ToList();
        if (problems.Count > 0)
            throw new InvalidOperationException($"the generated code does not compile: {problems[0]}.");
        image.Position = 0;
        assembly = context.LoadFromStream(image);
    }

    /// <summary>Compiles generated files together.</summary>
    /// <exception cref="InvalidOperationException">They do not compile, which is a mistake in deqc.</exception>
    public static ModelAssembly Compile(IEnumerable<GeneratedFile> files)
    {
        var trees = files.Select(file => CSharpSyntaxTree.ParseText(file.Text, new CSharpParseOptions(LanguageVersion.Latest), file.FileName));
        var options = new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, optimizationLevel: OptimizationLevel.Release, nullableContextOptions: NullableContextOptions.Enable);
        return new ModelAssembly(CSharpCompilation.Create($"deqc.{Guid.NewGuid():N}", trees, References(), options));
    }

    /// <summary>The class generated for a model.</summary>
    public Type TypeOf(string model) =>
        assembly.GetExportedTypes().Single(type => !type.IsNested && type.IsSubclassOf(typeof(Runtime.DifferentialModel)) && NameOf(type) == NameOf(model));

    /// <summary>The summary of a class's documentation, on one line, or null.</summary>
    public string? SummaryOf(Type type)
    {
        var documentation = compilation.GetTypeByMetadataName(type.FullName!)?.GetDocumentationCommentXml();
        if (string.IsNullOrEmpty(documentation)) return null;
        var summary = XElement.Parse(documentation).Element("summary")?.Value;
        return summary is null ? null : string.Join(' ', summary.Split(default(char[]), StringSplitOptions.RemoveEmptyEntries));
    }

    /// <inheritdoc/>
    public void Dispose() => context.Unload();

    private static string NameOf(MemberInfo type) => NameOf(type.Name);

    // A name that is a C# keyword is escaped in the source and bare in the metadata.
    private static string NameOf(string name) => name.TrimStart('@');

    private static ImmutableArray<MetadataReference> References()
    {
        var trusted = ((string?)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES") ?? "").Split(Path.PathSeparator);
        return
        [
            .. trusted
                .Where(path => ReferencePrefixes.Any(prefix => Path.GetFileName(path).StartsWith(prefix, StringComparison.Ordinal)))
                .Select(path => MetadataReference.CreateFromFile(path)),
        ];
    }
}
