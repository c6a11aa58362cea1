using System.CommandLine;
using DiffEqLang.Deqc.Reporting;

namespace DiffEqLang.Deqc.Verbs;

/// <summary><c>deqc explain FILE</c>: what the compiler made of a model.</summary>
public sealed class Explain : Verb
{
    private readonly Argument<string> file = new("FILE") { Description = "the model" };
    private readonly Option<string> format = new("--format") { HelpName = "F", Description = "text, markdown, latex or json", DefaultValueFactory = _ => "text" };
    private readonly Option<string?> model = Value<string?>("--model", "M", "which model, where the file has several");

    /// <summary>Accepts the four formats alone.</summary>
    public Explain() => format.AcceptOnlyFromAmong("text", "markdown", "latex", "json");

    /// <inheritdoc/>
    public override string Summary => "shows the system, its Jacobian and sparsity, its adjoint and its noise";

    /// <inheritdoc/>
    public override int Position => 6;

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples =>
    [
        new("deqc explain pendulum.deq", "to read in the terminal"),
        new("deqc explain pendulum.deq --format latex > pendulum.tex", "to put into a paper"),
    ];

    /// <inheritdoc/>
    protected override IReadOnlyList<Argument> Arguments => [file];

    /// <inheritdoc/>
    protected override IReadOnlyList<Option> Options => [format, model];

    /// <inheritdoc/>
    public override ExitCode Execute(ParseResult arguments, Terminal terminal)
    {
        var source = ModelFile.Read(arguments.GetRequiredValue(file));
        var (text, diagnostics) = source.Explain(arguments.GetValue(model), arguments.GetRequiredValue(format));
        source.Report(diagnostics, terminal);
        if (text is null) return ExitCode.ModelErrors;
        terminal.Output.Write(text.EndsWith('\n') ? text : text + "\n");
        return ExitCode.Done;
    }
}
