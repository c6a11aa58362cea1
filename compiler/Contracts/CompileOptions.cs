using System.Collections.Immutable;

namespace DiffEqLang.Contracts;

/// <summary>What a caller decides about a compilation. Nothing here depends on the machine.</summary>
public sealed record CompileOptions
{
    /// <summary>The C# namespace of the generated classes.</summary>
    public string Namespace { get; init; } = "DiffEqLang.Models";

    /// <summary>Only the model of this name, or all models of the file where null.</summary>
    public string? Model { get; init; }

    /// <summary>Values for <c>dim</c> declarations, over the ones in the file.</summary>
    public ImmutableDictionary<string, long> Dims { get; init; } = ImmutableDictionary<string, long>.Empty;

    /// <summary>Further outputs, as name and expression in the language, checked in the model's scope.</summary>
    public ImmutableArray<(string Name, string Expression)> ExtraOutputs { get; init; } = [];

    /// <summary>Whether the Jacobian of the drift is generated too.</summary>
    public bool Jacobian { get; init; }

    /// <summary>
    /// Whether the variational equations are generated too, from which gradients are differentiated again; they are also where the solve
    /// block says <c>gradient = discrete(order = 2)</c>.
    /// </summary>
    public bool SecondDerivatives { get; init; }

    /// <summary>What the code runs on: <c>auto</c>, <c>torch</c> or <c>simd</c>; the solve block's choice where null, else <c>auto</c>.</summary>
    public string? Target { get; init; }

    /// <summary>
    /// What registers hold, <c>float32</c> or <c>float64</c>; the solve block's choice where null, else <c>float32</c>. The code for
    /// torch takes either.
    /// </summary>
    public string? Dtype { get; init; }

    /// <summary>
    /// The method by which callers will solve, where it is not the solve block's: one that splits has its parts of the equations generated.
    /// </summary>
    public string? Method { get; init; }

    /// <summary>Whether <c>#line</c> directives lead a debugger to the <c>.deq</c> file.</summary>
    public bool LineDirectives { get; init; }

    /// <summary>Whether every pass's result is validated (slower; always on in tests).</summary>
    public bool Validate { get; init; }

    /// <summary>The name of a pass whose result is wanted as text, or null.</summary>
    public string? DumpAfter { get; init; }
}

/// <summary>A file of generated code, not yet written anywhere.</summary>
/// <param name="Model">The model it was generated from.</param>
/// <param name="FileName"><c>Name.g.cs</c>, and for the simd target <c>Name.Simd.g.cs</c> and <c>Name.Simd512.g.cs</c>.</param>
/// <param name="Text">UTF-8 text with LF line ends; the same on every run and machine.</param>
public sealed record GeneratedFile(string Model, string FileName, string Text)
{
    /// <summary>Every file that a model may have: what it does not have any more has to go, or it would still be compiled.</summary>
    public static IReadOnlyList<string> NamesFor(string model) => [$"{model}.g.cs", $"{model}.Simd.g.cs", $"{model}.Simd512.g.cs"];
}

/// <summary>What a compilation gave. Where an error is among the diagnostics, there are no files.</summary>
public sealed record CompileResult(ImmutableArray<GeneratedFile> Files, ImmutableArray<Diagnostic> Diagnostics)
{
    /// <summary>What <see cref="CompileOptions.DumpAfter"/> asked for.</summary>
    public string? Dump { get; init; }

    /// <summary>Whether no diagnostic is an error.</summary>
    public bool Succeeded => !Diagnostics.Any(d => d.Severity == Severity.Error);
}
