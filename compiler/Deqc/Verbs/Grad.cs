using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using DiffEqLang.Deqc.InMemory;
using DiffEqLang.Deqc.Reporting;
using DiffEqLang.Deqc.Solving;
using DiffEqLang.Runtime;

namespace DiffEqLang.Deqc.Verbs;

/// <summary><c>deqc grad FILE --loss EXPR</c>: d loss / d initial values and parameters.</summary>
public sealed class Grad : Verb
{
    private readonly Argument<string> file = new("FILE") { Description = "the model" };
    private readonly Option<string> loss = new("--loss") { HelpName = "EXPR", Description = "a scalar expression, in which a state means its value at the end of the solve", Required = true };
    private readonly Option<string?> wrt = Value<string?>("--wrt", "A,B,...", "parameters and initial values, such as k,init(x); all where left out");
    private readonly Option<string> gradient = new("--gradient") { HelpName = "MODE", Description = $"{string.Join(", ", Modes.Keys)}; the solve block's where left out" };
    private readonly Option<int?> checkpoints = Value<int?>("--checkpoints", "N", "at most so many states are kept for the discrete gradient, the others computed again");
    private readonly Option<bool> compare = Flag("--compare", "every way to the gradient, side by side: time, memory and difference");
    private readonly Option<bool> hessian = Flag("--hessian", "the second derivatives too, and how far they are from differences of the first");
    private readonly SolveArguments solve = new();
    private readonly Option<bool> json = Flag("--json", "print one JSON object and nothing else");

    private static readonly Dictionary<string, GradientMode> Modes =
        Enum.GetValues<GradientMode>().ToDictionary(mode => mode.ToString().ToLowerInvariant());

    /// <summary>Accepts the runtime's modes alone.</summary>
    public Grad() => gradient.AcceptOnlyFromAmong([.. Modes.Keys]);

    /// <inheritdoc/>
    public override string Summary => "differentiates a loss by initial values and parameters";

    /// <inheritdoc/>
    public override int Position => 5;

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples =>
    [
        new("deqc grad pendulum.deq --loss \"angle^2\"", "by everything"),
        new("deqc grad pendulum.deq --loss \"angle^2\" --wrt \"damping,init(angle)\" --t 0..3 --json", "by two, for a program"),
        new("deqc grad pendulum.deq --loss \"angle^2\" --checkpoints 50", "in the memory of fifty states, however many steps there are"),
        new("deqc grad pendulum.deq --loss \"angle^2\" --compare", "which way is fast, and whether all agree"),
        new("deqc grad pendulum.deq --loss \"angle^2\" --hessian", "how the loss curves"),
    ];

    /// <inheritdoc/>
    protected override IReadOnlyList<Argument> Arguments => [file];

    /// <inheritdoc/>
    protected override IReadOnlyList<Option> Options => [loss, wrt, gradient, checkpoints, compare, hessian, .. solve.Options, json];

    /// <inheritdoc/>
    public override ExitCode Execute(ParseResult arguments, Terminal terminal)
    {
        var request = solve.Read(arguments) with { SecondDerivatives = arguments.GetValue(hessian) };
        var times = TimeSelection.Parse(solve.Span(arguments), null, null, 2);
        var kept = arguments.GetValue(checkpoints);
        GradientMode? mode = arguments.GetValue(gradient) is { } word ? Modes[word] : kept is null ? null : GradientMode.Discrete;
        if (kept < 1) throw CommandFailure.Usage($"--checkpoints {kept}: write a whole number of at least 1");
        var source = ModelFile.Read(arguments.GetRequiredValue(file));
        using var model = LoadedModel.Load(source, request, terminal, (LossGradient.OutputName, arguments.GetRequiredValue(loss)));
        if (model is null) return ExitCode.ModelErrors;
        var gradients = new LossGradient(model, new ModelSolve(model, request));
        var wanted = Names(arguments.GetValue(wrt));
        if (arguments.GetValue(compare)) return Compare(gradients, times, wanted, arguments.GetValue(json), request.SinglePrecision, terminal);
        var result = gradients.Compute(times, mode, wanted, checkpoints: kept);
        var second = request.SecondDerivatives && result.Failure is null ? new LossHessian(model, gradients).Compute(times, wanted) : null;
        foreach (var warning in result.Warnings) terminal.Error.WriteLine($"{terminal.PaintError.Yellow("warning")}: {warning.Message}");
        if (arguments.GetValue(json)) WriteJson(result, second, request.SinglePrecision, terminal.Output);
        else WriteSummary(result, second, terminal);
        return result.Failure is null ? ExitCode.Done : ExitCode.SolveFailed;
    }

    private static ExitCode Compare(
        LossGradient gradients, TimeSelection times, IReadOnlyList<string>? wanted, bool asJson, bool single, Terminal terminal)
    {
        var ways = GradientComparison.Run(gradients, times, wanted);
        if (asJson) GradientComparison.WriteJson(ways, single, terminal.Output);
        else GradientComparison.WriteTable(ways, terminal);
        return ways.Any(way => way.Result is { Failure: null }) ? ExitCode.Done : ExitCode.SolveFailed;
    }

    private static IReadOnlyList<string>? Names(string? list) => list?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    private static void WriteJson(LossResult result, HessianResult? hessian, bool single, TextWriter output) => JsonNumbers.WriteObject(output, json =>
    {
        if (result.Failure is { } failure)
        {
            json.WriteString("status", failure.Status);
            json.WriteString("message", failure.Message);
        }

        json.WritePropertyName("loss");
        json.WriteNumber(result.Loss, single);
        json.WriteStartObject("gradients");
        foreach (var (name, value) in result.Gradients)
        {
            json.WritePropertyName(name);
            json.WriteNumbers([.. value.Shape], value.Values, single);
        }

        json.WriteEndObject();
        if (hessian is not null) WriteHessian(json, hessian, single);
    });

    private static void WriteHessian(Utf8JsonWriter json, HessianResult hessian, bool single)
    {
        json.WriteStartObject("hessian");
        json.WriteStartArray("variables");
        foreach (var name in hessian.Variables) json.WriteStringValue(name);
        json.WriteEndArray();
        json.WritePropertyName("values");
        json.WriteNumbers([hessian.Variables.Count, hessian.Variables.Count], hessian.Values, single);
        json.WritePropertyName("difference");
        json.WriteNumber(hessian.Difference);
        json.WriteEndObject();
    }

    private static void WriteSummary(LossResult result, HessianResult? hessian, Terminal terminal)
    {
        var paint = terminal.PaintOutput;
        if (result.Failure is { } failure) terminal.Output.WriteLine($"{paint.Red(failure.Status)}  {failure.Message}");
        terminal.Output.WriteLine($"{paint.Bold("loss")} = {Number.Brief(result.Loss)}");
        var width = result.Gradients.Select(g => g.Name.Length).DefaultIfEmpty().Max();
        foreach (var (name, value) in result.Gradients) terminal.Output.WriteLine($"  d/d {paint.Cyan(name.PadRight(width))} = {Brief(value)}");
        if (hessian is not null) WriteHessian(hessian, terminal);
    }

    private static void WriteHessian(HessianResult hessian, Terminal terminal)
    {
        const int Column = 13;
        var (output, paint, names) = (terminal.Output, terminal.PaintOutput, hessian.Variables);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{paint.Bold("Hessian")}, {hessian.Difference:0.0e+00} of its norm from differences of the gradient"));
        var width = names.Select(name => name.Length).DefaultIfEmpty().Max();
        output.WriteLine($"  {"".PadRight(width)}{string.Concat(names.Select(name => $" {name,Column}"))}");
        for (var i = 0; i < names.Count; i++)
            output.WriteLine($"  {paint.Cyan(names[i].PadRight(width))}{string.Concat(hessian.Values.Skip(i * names.Count).Take(names.Count).Select(value => $" {Number.Brief(value),Column}"))}");
    }

    private static string Brief(NumberArray value) => value.Values.Length <= 12
        ? value.Rounded().ToString()
        : $"[{string.Join(" x ", value.Shape)} numbers, norm {Number.Brief(Math.Sqrt(value.Values.Sum(x => x * x)))}]";
}
