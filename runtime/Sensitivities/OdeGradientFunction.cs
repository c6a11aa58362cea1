using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// The backward pass of a solve as a node of torch's autograd graph, where that is asked for by <c>create_graph</c>: its inputs are what flows
/// back to the saved states, the initial state and the parameters; its outputs the gradients of the latter two.
/// </summary>
internal sealed class OdeGradientFunction : autograd.MultiTensorFunction<OdeGradientFunction>
{
    private const string Solve = "solve";

    /// <inheritdoc/>
    public override string Name => nameof(OdeGradientFunction);

    /// <summary>The gradients that <see cref="ISolveGradient.Backward"/> gives, tied to what they depend on.</summary>
    public static (Tensor? Initial, Tensor? Times, Tensor?[] Parameters) Tie(OdeGradient solve, Tensor cotangents)
    {
        var gradients = apply([solve, cotangents, solve.Source, .. solve.Parameters]);
        var next = 1;
        return (gradients[0], null, [.. solve.Parameters.Select(parameter => parameter.requires_grad ? gradients[next++] : null)]);
    }

    /// <inheritdoc/>
    public override List<Tensor> forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var (solve, cotangents) = ((OdeGradient)vars[0], (Tensor)vars[1]);
        ctx.save_data(Solve, solve);
        ctx.save_for_backward([cotangents]);
        ctx.set_materialize_grads(false);
        var (initial, _, parameters) = solve.Backward(cotangents);
        return [initial!, .. parameters.OfType<Tensor>()];
    }

    /// <inheritdoc/>
    public override List<Tensor> backward(autograd.AutogradContext ctx, List<Tensor> grad_outputs)
    {
        var solve = (OdeGradient)ctx.get_data(Solve);
        var next = 1;
        Tensor?[] direction = [.. solve.Parameters.Select(parameter => parameter.requires_grad ? Defined(grad_outputs[next++]) : null)];
        var (cotangents, initial, parameters) = solve.BackwardAgain(ctx.get_saved_variables()[0], Defined(grad_outputs[0]), direction);
        List<Tensor?> gradients = [null, cotangents, initial, .. parameters];
        return gradients!;
    }

    private static Tensor? Defined(Tensor gradient) => gradient.IsInvalid ? null : gradient;
}
