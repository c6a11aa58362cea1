using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>What a solve is made of, as functions of a parameter, in a graph of their own: one that no backward pass has freed.</summary>
/// <param name="Registered">The parameter as it is registered: the leaf.</param>
/// <param name="Value">Its value, made of that element by element.</param>
/// <param name="Initial">The initial state: [samples, N].</param>
/// <param name="Parameters">The tensors that the equations call parameters.</param>
internal sealed record SensitivityOrigin(Tensor Registered, Tensor Value, Tensor Initial, IReadOnlyList<Tensor> Parameters);

/// <summary>The derivatives of the saved states of a solve by whatever its initial state and its equations were made of.</summary>
/// <param name="tangents">Those by the initial state and by the tensors that the equations call parameters.</param>
/// <param name="batch">The leading axes of the caller's initial state.</param>
internal sealed class SolutionSensitivities(ForwardSensitivities tangents, long[] batch)
{
    /// <summary>By the initial state: [T, ..., N, N].</summary>
    public Tensor OfInitial
    {
        get
        {
            var (values, count) = (tangents.Values, tangents.InitialDirections);
            if (count == 0)
                throw new InvalidOperationException("The initial state did not require gradients, so that no derivatives by it were carried along.");
            using var part = values.narrow(-1, 0, count).clone();
            return part.reshape([values.size(0), .. batch, values.size(2), count]);
        }
    }

    /// <summary>By a parameter's value: [T, ..., N, shape].</summary>
    public Tensor Of(SensitivityOrigin origin)
    {
        using var scope = NewDisposeScope();
        var (values, leaf) = (tangents.Values, origin.Registered);
        var sum = zeros([.. values.shape[..^1], leaf.numel()], leaf.dtype, leaf.device);
        var offset = tangents.InitialDirections;
        foreach (var parameter in origin.Parameters)
        {
            if (!parameter.requires_grad) continue;
            using var part = values.narrow(-1, offset, parameter.numel());
            if (JacobianOf(parameter, leaf) is { } chain) sum.add_(part.matmul(chain), Scalars.One);
            offset += parameter.numel();
        }

        if (origin.Initial.requires_grad && JacobianOf(origin.Initial, leaf) is { } ofStart)
            sum.add_(values.narrow(-1, 0, tangents.InitialDirections).matmul(ofStart.view([.. origin.Initial.shape, -1])), Scalars.One);
        if (!origin.Value.is_leaf) sum.div_(autograd.grad([origin.Value.sum()], [leaf])[0].reshape(-1));
        return sum.reshape([values.size(0), .. batch, values.size(2), .. leaf.shape]).MoveToOuterDisposeScope();
    }

    /// <summary>∂ tensor / ∂ leaf, row by row: [entries of the tensor, entries of the leaf]; null where it does not depend on it.</summary>
    private static Tensor? JacobianOf(Tensor tensor, Tensor leaf)
    {
        Tensor?[] rows = [.. tensor.reshape(-1).unbind(0)
            .Select(entry => autograd.grad([entry], [leaf], retain_graph: true, allow_unused: true)[0])];
        if (rows.All(IsNothing)) return null;
        return stack([.. rows.Select(row => IsNothing(row) ? zeros([leaf.numel()], leaf.dtype, leaf.device) : row!.reshape(-1))]);
    }

    private static bool IsNothing(Tensor? gradient) => gradient is null || gradient.IsInvalid;
}
