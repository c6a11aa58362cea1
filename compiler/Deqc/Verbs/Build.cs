using System.CommandLine;
using System.Diagnostics;
using DiffEqLang.Compiler;
using DiffEqLang.Contracts;
using DiffEqLang.Deqc.Files;
using DiffEqLang.Deqc.Reporting;

namespace DiffEqLang.Deqc.Verbs;

/// <summary><c>deqc build FILE|DIR... -o DIR</c>: writes Name.g.cs.</summary>
public sealed class Build : Verb
{
    private readonly Argument<string[]> files = new("FILE|DIR") { Description = "models; a directory stands for all below it", Arity = ArgumentArity.OneOrMore };
    private readonly Option<string?> output = new("--output", "-o") { HelpName = "DIR", Description = "where Name.g.cs goes; a folder Generated beside each model where left out" };
    private readonly Option<string?> nameSpace = Value<string?>("--namespace", "N", "the C# namespace of the classes; DiffEqLang.Models where left out");
    private readonly Option<string?> target = Value<string?>("--target", "T", "what the code runs on: torch, simd (registers of the CPU, beside torch), or auto, which takes simd for small systems");
    private readonly Option<string?> dtype = Value<string?>("--dtype", "T", "what the simd target computes in: float32 or float64; the solve block's, else float32");
    private readonly Option<bool> check = Flag("--check", "write nothing; exit with 1 where checked-in code is stale");
    private readonly Option<bool> force = Flag("--force", "overwrite files that were edited by hand or that deqc did not write");
    private readonly Option<bool> jacobian = Flag("--jacobian", "generate the Jacobian of the drift too");
    private readonly Option<bool> secondDerivatives = Flag("--second-derivatives", "generate what gradients of gradients need too");
    private readonly Option<bool> lineDirectives = Flag("--line-directives", "let a debugger step through the .deq file");
    private readonly Option<bool> validate = Flag("--validate", "check the compiler's own work after every pass");
    private readonly Option<string?> dumpAfter = Value<string?>("--dump-after", "PASS", "print the model after a pass, and write nothing");

    public Build() => dtype.AcceptOnlyFromAmong("float32", "float64");

    /// <inheritdoc/>
    public override string Summary => "compiles models to C# classes, to check in and use";

    /// <inheritdoc/>
    public override int Position => 1;

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples =>
    [
        new("deqc build spiral.deq -o Generated --namespace My.Models", "Generated/Spiral.g.cs"),
        new("deqc build examples --check", "for CI: fails where a model changed and its code did not"),
    ];

    /// <inheritdoc/>
    protected override IReadOnlyList<Argument> Arguments => [files];

    /// <inheritdoc/>
    protected override IReadOnlyList<Option> Options =>
        [output, nameSpace, target, dtype, check, force, jacobian, secondDerivatives, lineDirectives, validate, dumpAfter];

    /// <inheritdoc/>
    public override ExitCode Execute(ParseResult arguments, Terminal terminal)
    {
        var options = OptionsOf(arguments);
        if (Compile(arguments.GetRequiredValue(files), options, terminal) is not { } compiled) return ExitCode.ModelErrors;
        if (options.DumpAfter is not null) return ExitCode.Done;
        var code = GeneratedCode.Place(compiled, arguments.GetValue(output));
        return arguments.GetValue(check) ? ReportStale(code, terminal) : Write(code, arguments.GetValue(force), terminal);
    }

    private CompileOptions OptionsOf(ParseResult arguments)
    {
        var options = new CompileOptions
        {
            Jacobian = arguments.GetValue(jacobian),
            SecondDerivatives = arguments.GetValue(secondDerivatives),
            Target = Target.Read(arguments.GetValue(target)),
            Dtype = arguments.GetValue(dtype),
            LineDirectives = arguments.GetValue(lineDirectives),
            Validate = arguments.GetValue(validate),
            DumpAfter = PassOf(arguments.GetValue(dumpAfter)),
        };
        if (arguments.GetValue(nameSpace) is not { } name) return options;
        return IsNamespace(name) ? options with { Namespace = name } : throw CommandFailure.Usage($"--namespace {name}: not a C# namespace; write names joined by dots, such as My.Models");
    }

    private static string? PassOf(string? name)
    {
        if (name is null || Compilation.PassNames.Contains(name)) return name;
        throw CommandFailure.Usage(
            $"--dump-after {name}: there is no such pass{CommandLine.DidYouMean(name, Compilation.PassNames)} (the passes are {string.Join(", ", Compilation.PassNames)})");
    }

    // All models are compiled, so that all their errors are seen, before anything is written.
    private static List<(string, GeneratedFile)>? Compile(IEnumerable<string> words, CompileOptions options, Terminal terminal)
    {
        var (files, succeeded) = (new List<(string, GeneratedFile)>(), true);
        foreach (var path in InputFile.Expand(words))
        {
            var model = ModelFile.Read(path);
            var result = model.Compile(options);
            model.Report(result.Diagnostics, terminal);
            if (result.Dump is { } dump) terminal.Output.WriteLine(dump);
            succeeded &= result.Succeeded;
            files.AddRange(result.Files.Select(file => (path, file)));
        }

        return succeeded ? files : null;
    }

    private static ExitCode Write(IReadOnlyList<GeneratedCode> code, bool force, Terminal terminal)
    {
        var written = GeneratedCode.Write(code, force);
        foreach (var file in code)
            terminal.Output.WriteLine($"{file.Source} -> {file.Path}{terminal.PaintOutput.Dim(Note(file))}");
        return ExitCode.Done;

        string Note(GeneratedCode file) =>
            file.Text is null ? " (removed: the model has no such code any more)" : written.Contains(file) ? "" : " (unchanged)";
    }

    private static ExitCode ReportStale(IReadOnlyList<GeneratedCode> code, Terminal terminal)
    {
        var stale = code.Select(file => (file, state: file.Compare())).Where(f => f.state != Freshness.Fresh).ToList();
        foreach (var (file, state) in stale) terminal.Error.WriteLine($"{file.Path}: {Explain(state)}; deqc build {file.Source} writes it again");
        if (stale.Count > 0) return ExitCode.ModelErrors;
        terminal.Output.WriteLine($"{code.Count} generated file{(code.Count == 1 ? " is" : "s are")} up to date");
        return ExitCode.Done;
    }

    private static string Explain(Freshness state) => state switch
    {
        Freshness.Fresh => "up to date",
        Freshness.Missing => "missing",
        Freshness.Stale => "stale: the model or deqc changed since it was written",
        Freshness.EditedByHand => "edited by hand since deqc wrote it",
        Freshness.Foreign => "not written by deqc",
        _ => throw new UnreachableException(),
    };

    private static bool IsNamespace(string name) =>
        name.Split('.').All(part => part.Length > 0 && !char.IsAsciiDigit(part[0]) && part.All(c => char.IsLetterOrDigit(c) || c == '_'));
}
