using System.CommandLine;
using DiffEqLang.Deqc.InMemory;
using DiffEqLang.Deqc.Reporting;
using DiffEqLang.Deqc.Solving;

namespace DiffEqLang.Deqc.Verbs;

/// <summary><c>deqc eval FILE --output NAME</c>: the value of an output or an expression, by the reference interpreter.</summary>
public sealed class Eval : Verb
{
    private readonly Argument<string> file = new("FILE") { Description = "the model" };
    private readonly Option<string?> model = Value<string?>("--model", "M", "which model, where the file has several");
    private readonly Option<string?> output = Value<string?>("--output", "NAME", "the value of an output or let of the model");
    private readonly Option<string?> expression = Value<string?>("--expr", "EXPR", "the value of an expression in the model's names, such as \"jac(v, z)\"");
    private readonly Option<string[]> set = Values("--set", "NAME=VALUE", "a parameter, constant, dim, state, or t; states start from init");
    private readonly Option<string?> at = Value<string?>("--at", "T", "the time t; 0 where left out");
    private readonly Option<ulong> seed = Value<ulong>("--seed", "S", "of random parameters, which are those of run; 0 where left out");
    private readonly Option<bool> json = Flag("--json", "print one JSON object and nothing else");

    /// <inheritdoc/>
    public override string Summary => "evaluates an output or any expression of a model";

    /// <inheritdoc/>
    public override int Position => 4;

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples =>
    [
        new("deqc eval pendulum.deq --output energy --set angle=2", "an output"),
        new("deqc eval pendulum.deq --expr \"grad(energy, angle)\" --json", "a derivative, for a program"),
    ];

    /// <inheritdoc/>
    protected override IReadOnlyList<Argument> Arguments => [file];

    /// <inheritdoc/>
    protected override IReadOnlyList<Option> Options => [model, output, expression, set, at, seed, json];

    /// <inheritdoc/>
    public override ExitCode Execute(ParseResult arguments, Terminal terminal)
    {
        var wanted = (arguments.GetValue(output), arguments.GetValue(expression)) switch
        {
            ({ } name, null) => name,
            (null, { } text) => text,
            _ => throw CommandFailure.Usage("give either --output NAME or --expr EXPR"),
        };
        var values = Assignments.Parse(arguments.GetValue(set) ?? [], []);
        if (arguments.GetValue(at) is { } time) values.Add("t", new NumberArray([], [Number.Parse("--at", time)]));
        var source = ModelFile.Read(arguments.GetRequiredValue(file));
        Draw(source, arguments, values, terminal);
        var (value, diagnostics) = source.Evaluate(arguments.GetValue(model), wanted, values);
        source.Report(diagnostics, terminal);
        if (value is null) return ExitCode.ModelErrors;
        Print(wanted, value, arguments.GetValue(json), terminal);
        return ExitCode.Done;
    }

    // The interpreter draws nothing: random parameters are those of the model that run would solve.
    private void Draw(ModelFile source, ParseResult arguments, Assignments values, Terminal terminal)
    {
        var open = source.RandomParameterNames(arguments.GetValue(model)).Where(name => !values.Values.ContainsKey(name)).ToList();
        if (open.Count == 0) return;
        var request = new SolveRequest { Model = arguments.GetValue(model), Assignments = values.Among(source.DimNames()), Seed = arguments.GetValue(seed) };
        using var loaded = LoadedModel.Load(source, request, terminal with { Error = TextWriter.Null })
            ?? throw new CommandFailure(ExitCode.ModelErrors, "the model has errors; deqc check lists them");
        foreach (var name in open)
        {
            var value = loaded.Instance.Value(name);
            values.Add(name, new NumberArray(value.shape, ModelSolve.Numbers(value)));
        }
    }

    private static void Print(string name, NumberArray value, bool json, Terminal terminal)
    {
        if (!json)
        {
            terminal.Output.WriteLine($"{terminal.PaintOutput.Cyan(name)} = {value}");
            return;
        }

        JsonNumbers.WriteObject(terminal.Output, writer =>
        {
            writer.WriteString("name", name);
            writer.WritePropertyName("shape");
            writer.WriteNumbers([value.Shape.Count], [.. value.Shape.Select(n => (double)n)]);
            writer.WritePropertyName("value");
            writer.WriteNumbers([.. value.Shape], value.Values);
        });
    }
}
