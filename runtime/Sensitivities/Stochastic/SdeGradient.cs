using DiffEqLang.Runtime.Solvers.Stochastic;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime.Sensitivities.Stochastic;

/// <summary>
/// One solve with what its backward pass needs. Lives as long as the autograd node; lets the run go after the first backward
/// pass and runs again for another.
/// </summary>
internal sealed class SdeGradient
{
    private readonly StochasticProblem _problem;
    private readonly SdeEquations _equations;
    private readonly Tensor _initial;
    private readonly GradientFault _fault = GradientFault.OfThread;
    private readonly Func<StochasticRun> _again;
    private StochasticRun? _run;

    /// <param name="problem">What was solved.</param>
    /// <param name="equations">Drift and diffusion, in the model's own sense.</param>
    /// <param name="initial">From which states, [B, N].</param>
    /// <param name="run">With which result; it is this object's from here on.</param>
    /// <param name="again">Runs it once more.</param>
    public SdeGradient(
        StochasticProblem problem, SdeEquations equations, Tensor initial, StochasticRun run, Func<StochasticRun> again)
    {
        (_problem, _equations, _run, _again) = (problem, equations, run, again);
        _initial = initial.detach().DetachFromDisposeScope();
        Values = run.Saved;
    }

    /// <summary>The saved states, [T, B, N], until the first backward pass.</summary>
    public Tensor Values { get; }

    /// <summary>
    /// The gradients of the initial states, [B, N], and of the parameters (null where not wanted); zeros after a failure,
    /// which is kept for <see cref="GradientFault"/>.
    /// </summary>
    public (Tensor Initial, Tensor?[] Parameters) Backward(Tensor cotangents)
    {
        var parameters = _equations.Parameters;
        var isOfHigherOrder = is_grad_enabled();
        using var guard = no_grad();
        using var scope = NewDisposeScope();
        var into = new ParameterGradients(parameters, i => parameters[i].requires_grad);
        Tensor? initial = null;
        try
        {
            if (isOfHigherOrder)
                throw new NotSupportedException("Gradients of gradients through a solve are not available: call backward without create_graph.");
            initial = Pull(cotangents, into);
        }
        catch (Exception exception)    // whatever it is, it must not reach libtorch
        {
            _fault.Keep(exception);
            into = new ParameterGradients(parameters, i => parameters[i].requires_grad);
        }

        return (
            (initial ?? zeros_like(_initial)).DetachFromDisposeScope(),
            [.. Enumerable.Range(0, parameters.Count).Select(i => into[i]?.DetachFromDisposeScope())]);
    }

    private Tensor Pull(Tensor cotangents, ParameterGradients into)
    {
        using var run = Interlocked.Exchange(ref _run, null) ?? _again();
        if (_problem.Options.Gradient != GradientMode.Backsolve) return new DiscreteStochasticAdjoint(run).Pull(cotangents, into);
        using var backsolve = new BacksolveStochasticAdjoint(
            run, ConvertedEquations.In(Calculus.Stratonovich, _equations, _problem));
        var initial = backsolve.Pull(cotangents, into);
        if (IsFinite(cotangents) && !IsFinite(initial))
            throw new InvalidOperationException("Solved backwards along its path, a sample's state or adjoint became NaN or infinite: it may have left the domain of the equations. Take gradient = discrete.");
        return initial;
    }

    private static bool IsFinite(Tensor values) => values.isfinite().all().item<bool>();
}

/// <summary>
/// A solve as a node of torch's autograd graph: from the initial states and the parameters to the saved states. The
/// solve itself has been done before.
/// </summary>
internal sealed class SdeSolveFunction : autograd.SingleTensorFunction<SdeSolveFunction>
{
    private const string Solve = "solve";

    /// <inheritdoc/>
    public override string Name => nameof(SdeSolveFunction);

    /// <summary>The saved states of a solve, [T, B, N], tied to its inputs.</summary>
    public static Tensor Tie(SdeGradient solve, Tensor initial, IReadOnlyList<Tensor> parameters) =>
        apply([solve, initial, .. parameters]);

    /// <inheritdoc/>
    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var solve = (SdeGradient)vars[0];
        ctx.save_data(Solve, solve);
        return solve.Values.alias();
    }

    /// <inheritdoc/>
    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        var (initial, parameters) = ((SdeGradient)ctx.get_data(Solve)).Backward(grad_output);
        List<Tensor?> gradients = [null, initial, .. parameters];
        return gradients!;
    }
}
