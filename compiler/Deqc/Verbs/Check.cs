using System.CommandLine;
using DiffEqLang.Contracts;
using DiffEqLang.Deqc.Files;
using DiffEqLang.Deqc.Reporting;

namespace DiffEqLang.Deqc.Verbs;

/// <summary><c>deqc check FILE... [--sarif F]</c>: diagnostics only.</summary>
public sealed class Check : Verb
{
    private readonly Argument<string[]> files = new("FILE") { Description = "models; a directory stands for all below it", Arity = ArgumentArity.OneOrMore };
    private readonly Option<string?> sarif = Value<string?>("--sarif", "FILE", "write the diagnostics as SARIF 2.1.0 too");

    /// <inheritdoc/>
    public override string Summary => "finds every error of a model, without writing anything";

    /// <inheritdoc/>
    public override int Position => 2;

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples =>
    [
        new("deqc check pendulum.deq", "one model"),
        new("deqc check models --sarif deqc.sarif", "all below a directory, for a code host"),
    ];

    /// <inheritdoc/>
    protected override IReadOnlyList<Argument> Arguments => [files];

    /// <inheritdoc/>
    protected override IReadOnlyList<Option> Options => [sarif];

    /// <inheritdoc/>
    public override ExitCode Execute(ParseResult arguments, Terminal terminal)
    {
        var printer = DiagnosticPrinter.OnOutput(terminal);
        var (found, checkedFiles) = (new List<Diagnostic>(), 0);
        foreach (var path in InputFile.Expand(arguments.GetRequiredValue(files)))
        {
            var model = ModelFile.Read(path);
            var diagnostics = model.Check();
            printer.Print(diagnostics, model.File);
            found.AddRange(diagnostics);
            checkedFiles++;
        }

        if (arguments.GetValue(sarif) is { } report) OutputFiles.Write(OutputFile.OfText(report, Sarif.Of(found)));
        WriteSummary(terminal, found, checkedFiles);
        return found.Any(d => d.Severity == Severity.Error) ? ExitCode.ModelErrors : ExitCode.Done;
    }

    private static void WriteSummary(Terminal terminal, IReadOnlyList<Diagnostic> found, int files)
    {
        var errors = found.Count(d => d.Severity == Severity.Error);
        var warnings = found.Count(d => d.Severity == Severity.Warning);
        var paint = terminal.PaintOutput;
        var summary = $"{Count(files, "file")} checked: {Count(errors, "error")}, {Count(warnings, "warning")}";
        terminal.Output.WriteLine(errors > 0 ? paint.Red(summary) : warnings > 0 ? paint.Yellow(summary) : paint.Green(summary));
    }

    private static string Count(int number, string noun) => number == 1 ? $"1 {noun}" : $"{number} {noun}s";
}
