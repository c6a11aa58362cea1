using System.CommandLine;
using DiffEqLang.Contracts;
using DiffEqLang.Deqc.Files;
using DiffEqLang.Deqc.Reporting;

namespace DiffEqLang.Deqc.Verbs;

/// <summary><c>deqc fmt FILE... [--check]</c>: the one layout of a model.</summary>
public sealed class Fmt : Verb
{
    private const string StandardInput = "-";

    private readonly Argument<string[]> files = new("FILE") { Description = "models, laid out in place; - is standard input to standard output", Arity = ArgumentArity.OneOrMore };
    private readonly Option<bool> check = Flag("--check", "write nothing; exit with 1 where a file is not laid out");

    /// <inheritdoc/>
    public override string Summary => "lays models out in the one common form";

    /// <inheritdoc/>
    public override int Position => 7;

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples =>
    [
        new("deqc fmt models", "every model below a directory, in place"),
        new("deqc fmt - < pendulum.deq", "to standard output, as editors do"),
    ];

    /// <inheritdoc/>
    protected override IReadOnlyList<Argument> Arguments => [files];

    /// <inheritdoc/>
    protected override IReadOnlyList<Option> Options => [check];

    /// <inheritdoc/>
    public override ExitCode Execute(ParseResult arguments, Terminal terminal)
    {
        var words = arguments.GetRequiredValue(files);
        if (words.Contains(StandardInput)) return FormatInput(words, arguments.GetValue(check), terminal);
        var (changed, failed) = (new List<OutputFile>(), false);
        foreach (var path in InputFile.Expand(words))
        {
            var source = ModelFile.Read(path);
            var (text, diagnostics) = source.Format();
            source.Report(diagnostics, terminal);
            failed |= text is null;
            if (text is not null && text != source.Original) changed.Add(OutputFile.OfText(path, text));
        }

        return Finish(changed, failed, arguments.GetValue(check), terminal);
    }

    private static ExitCode Finish(IReadOnlyList<OutputFile> changed, bool failed, bool check, Terminal terminal)
    {
        if (!check) OutputFiles.Write(changed);
        foreach (var file in changed)
        {
            if (check) terminal.Error.WriteLine($"{file.Path}: not laid out; deqc fmt {file.Path} does it");
            else terminal.Output.WriteLine($"{file.Path}: laid out");
        }

        return failed || (check && changed.Count > 0) ? ExitCode.ModelErrors : ExitCode.Done;
    }

    private static ExitCode FormatInput(string[] words, bool check, Terminal terminal)
    {
        if (words.Length > 1) throw CommandFailure.Usage("- stands for standard input and goes alone");
        var source = ModelFile.OfText("stdin", terminal.Input.ReadToEnd());
        var (text, diagnostics) = source.Format();
        source.Report(diagnostics, terminal);
        if (text is null) return ExitCode.ModelErrors;
        if (check) return text == source.Original ? ExitCode.Done : ExitCode.ModelErrors;
        terminal.Output.Write(text);
        return ExitCode.Done;
    }
}
