using System.CommandLine;
using DiffEqLang.Deqc.Solving;

namespace DiffEqLang.Deqc.Verbs;

/// <summary>The options that <c>run</c> and <c>grad</c> share.</summary>
internal sealed class SolveArguments
{
    private readonly Option<string?> model = new("--model") { HelpName = "M", Description = "which model, where the file has several" };
    private readonly Option<string[]> set = new("--set") { HelpName = "NAME=VALUE", Description = "a parameter, constant, dim or init(x); VALUE is a number or a list such as [1, 2]", Arity = ArgumentArity.OneOrMore };
    private readonly Option<string[]> init = new("--init") { HelpName = "X=VALUE", Description = "the initial value of state X, short for --set 'init(X)=VALUE'", Arity = ArgumentArity.OneOrMore };
    private readonly Option<string?> span = new("--t") { HelpName = "A..B", Description = "the span of time; the model's solve block where left out" };
    private readonly Option<string?> method = new("--method") { HelpName = "M", Description = "the numerical method, such as tsit5 or milstein" };
    private readonly Option<double?> rtol = new("--rtol") { HelpName = "R", Description = "relative tolerance" };
    private readonly Option<double?> atol = new("--atol") { HelpName = "A", Description = "absolute tolerance" };
    private readonly Option<double?> step = new("--dt") { HelpName = "H", Description = "the step of a method with fixed steps" };
    private readonly Option<ulong> seed = new("--seed") { HelpName = "S", Description = "of random parameters and of the noise; 0 where left out" };
    private readonly Option<string?> device = new("--device") { HelpName = "D", Description = "auto, cpu, cuda, cuda:1 or mps" };
    private readonly Option<string> dtype = new("--dtype") { HelpName = "T", Description = "float32 or float64", DefaultValueFactory = _ => "float64" };
    private readonly Option<string?> target = new("--target") { HelpName = "T", Description = "what the code runs on: auto, torch or simd" };

    public SolveArguments() => dtype.AcceptOnlyFromAmong("float32", "float64");

    /// <summary>In the order of the help.</summary>
    public IReadOnlyList<Option> Options => [model, set, init, span, method, rtol, atol, step, seed, device, dtype, target];

    /// <summary>What was asked for.</summary>
    public SolveRequest Read(ParseResult arguments)
    {
        return new SolveRequest
        {
            Target = Target.Read(arguments.GetValue(target)),
            Model = arguments.GetValue(model),
            Assignments = Assignments.Parse(arguments.GetValue(set) ?? [], arguments.GetValue(init) ?? []),
            Method = arguments.GetValue(method),
            Rtol = Positive("--rtol", arguments.GetValue(rtol)),
            Atol = Positive("--atol", arguments.GetValue(atol)),
            Step = Positive("--dt", arguments.GetValue(step)),
            Seed = arguments.GetValue(seed),
            Device = arguments.GetValue(device),
            SinglePrecision = arguments.GetValue(dtype) == "float32",
        };
    }

    /// <summary>The text of <c>--t</c>.</summary>
    public string? Span(ParseResult arguments) => arguments.GetValue(span);

    private static double? Positive(string option, double? value) =>
        value is null || (value > 0 && double.IsFinite(value.Value)) ? value : throw CommandFailure.Usage($"{option} {value}: write a positive number");
}
