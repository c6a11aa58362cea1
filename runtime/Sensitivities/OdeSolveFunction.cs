using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// A solve as a node of torch's autograd graph: its inputs are the initial state, the saved times where gradients flow to
/// them, and the parameters; its output the saved states. The solve itself has been done before.
/// </summary>
internal sealed class OdeSolveFunction : autograd.SingleTensorFunction<OdeSolveFunction>
{
    private const string Solve = "solve";

    /// <inheritdoc/>
    public override string Name => nameof(OdeSolveFunction);

    /// <summary>The saved states [times, samples, N] of a solve, tied to its inputs.</summary>
    public static Tensor Tie(ISolveGradient solve, Tensor initial, Tensor? times, IReadOnlyList<Tensor> parameters) =>
        apply([solve, initial, .. times is null ? [] : new object[] { times }, .. parameters]);

    /// <inheritdoc/>
    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var solve = (ISolveGradient)vars[0];
        ctx.save_data(Solve, solve);
        return solve.Values;
    }

    /// <inheritdoc/>
    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        var solve = (ISolveGradient)ctx.get_data(Solve);
        var (initial, times, parameters) = is_grad_enabled() && solve is OdeGradient { ObstacleToSecond: null } twice
            ? OdeGradientFunction.Tie(twice, grad_output)
            : solve.Backward(grad_output);
        List<Tensor?> gradients = [null, initial];
        if (times is not null) gradients.Add(times);
        gradients.AddRange(parameters);
        return gradients!;
    }
}
