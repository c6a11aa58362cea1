using DiffEqLang.Deqc.Solving;
using DiffEqLang.Runtime;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Deqc.InMemory;

/// <summary>A loss and its derivatives, by name.</summary>
internal sealed record LossResult(double Loss, IReadOnlyList<(string Name, NumberArray Value)> Gradients)
{
    /// <summary>What makes the gradients doubtful.</summary>
    public IReadOnlyList<SolveWarning> Warnings { get; init; } = [];

    /// <summary>What went wrong where the solve did not reach its end.</summary>
    public (string Status, string Message)? Failure { get; init; }
}

/// <summary>Differentiates a loss of the final state by initial values and parameters.</summary>
internal sealed class LossGradient(LoadedModel model, ModelSolve solve)
{
    /// <summary>The output that the loss is compiled as.</summary>
    public const string OutputName = "lossOfCommandLine";

    /// <summary>Solves, and runs backward once.</summary>
    /// <param name="times">The span of time.</param>
    /// <param name="mode">Over the solve block's.</param>
    /// <param name="wanted">Names of parameters and <c>init(x)</c>; all where null.</param>
    /// <param name="target">Over the solve block's; what the model was loaded for where null.</param>
    /// <param name="checkpoints">Of the discrete gradient, over the solve block's.</param>
    public LossResult Compute(
        TimeSelection times, GradientMode? mode, IReadOnlyList<string>? wanted, SolveTarget? target = null, int? checkpoints = null)
    {
        using var scope = NewDisposeScope();
        model.Instance.zero_grad();
        var initial = solve.InitialStates(paths: 1).ToDictionary(pair => pair.Key, pair => Tracked(pair.Value));
        RefuseUnknown(wanted);
        var warnings = new List<SolveWarning>();
        var options = solve.Options(times) with { Save = SaveAt.End, Gradient = mode, Checkpoints = checkpoints, Target = target, Warned = warnings.Add };
        var solution = LoadedModel.Guarded(() => model.Instance.Solve(initial, options));
        if (!solution.Succeeded) return new LossResult(double.NaN, []) { Failure = (solution.Status[0].ToString(), solution.Message) };
        var loss = ScalarLoss(solution);
        if (loss.requires_grad) loss.backward();
        return new LossResult(loss.ToDouble(), [.. Gradients(initial).Where(g => wanted is null || wanted.Contains(g.Name))]) { Warnings = warnings };
    }

    /// <summary>The initial values that are numbers, and not computed from parameters, by state: [shape], to be differentiated by.</summary>
    public IReadOnlyList<(string State, Tensor Value)> IndependentInitialStates() =>
        [.. solve.InitialStates(paths: 1).Where(pair => !pair.Value.requires_grad).Select(pair => (pair.Key, Tracked(pair.Value)))];

    /// <summary>The loss from initial values, those that are left out as the model computes them, for gradients that are differentiated again.</summary>
    /// <exception cref="CommandFailure">The solve does not reach its end.</exception>
    public Tensor LossFrom(TimeSelection times, IReadOnlyDictionary<string, Tensor> given)
    {
        var initial = solve.InitialStates(paths: 1).ToDictionary(pair => pair.Key, pair => given.GetValueOrDefault(pair.Key) ?? pair.Value);
        var options = solve.Options(times) with { Save = SaveAt.End, Gradient = GradientMode.Discrete, Target = SolveTarget.Torch };
        var solution = model.Instance.Solve(initial, options);
        return solution.Succeeded ? ScalarLoss(solution) : throw CommandFailure.Usage($"{solution.Status[0]}: {solution.Message}");
    }

    // An initial value that `init` computes from parameters is inside the graph; its gradient is kept too.
    private static Tensor Tracked(Tensor value)
    {
        if (!value.requires_grad) return value.detach().clone().requires_grad_();
        value.retain_grad();
        return value;
    }

    private Tensor ScalarLoss(Solution solution)
    {
        var value = solution.Output(OutputName);
        return value.numel() == 1
            ? value.to(ScalarType.Float64).sum()
            : throw CommandFailure.Usage($"--loss has the shape R[{string.Join(", ", value.shape[1..])}]; a loss is a single number: take sum(...), mean(...) or norm(...) of it");
    }

    private IEnumerable<(string Name, NumberArray Value)> Gradients(Dictionary<string, Tensor> initial)
    {
        foreach (var name in model.Instance.ParameterNames) yield return (name, OfParameter(name));
        foreach (var (state, value) in initial) yield return ($"init({state})", Array(value.grad, value.shape));
    }

    // What is stored is the unconstrained parameter u with value v(u), elementwise: dL/dv = (dL/du) / (dv/du).
    private NumberArray OfParameter(string name)
    {
        var value = model.Instance.Value(name);
        var stored = model.Instance.named_parameters().Single(p => p.name == name || p.name == $"{name}_unconstrained").parameter;
        var gradient = stored.grad is { } some ? some.clone() : null;
        if (gradient is null || ReferenceEquals(value, stored) || value.is_leaf) return Array(gradient, value.shape);
        stored.grad!.zero_();
        value.sum().backward();
        return Array(gradient / stored.grad, value.shape);
    }

    private static NumberArray Array(Tensor? gradient, long[] shape)
    {
        var size = (int)shape.Aggregate(1L, (product, n) => product * n);
        return new NumberArray(shape, gradient is null ? new double[size] : ModelSolve.Numbers(gradient));
    }

    /// <summary>Ends the command where a name is none of the model's.</summary>
    public void RefuseUnknown(IReadOnlyList<string>? wanted)
    {
        string[] known = [.. model.Instance.ParameterNames, .. model.Instance.Layout.Slots.Select(slot => $"init({slot.Name})")];
        var unknown = wanted?.FirstOrDefault(name => !known.Contains(name));
        if (unknown is not null)
            throw CommandFailure.Usage($"--wrt {unknown}: there is no such parameter or initial value{CommandLine.DidYouMean(unknown, known)} (there are {string.Join(", ", known)})");
    }
}
