using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime.Simd;

/// <summary>A solve of stochastic equations on registers as a node of autograd's graph sees it.</summary>
/// <param name="binding">The model's code.</param>
/// <param name="run">The solve.</param>
internal sealed class SimdSdeGradient(SimdBinding binding, SimdSdeRun run) : ISolveGradient
{
    private readonly GradientFault _fault = GradientFault.OfThread;

    /// <inheritdoc/>
    public Tensor Values => run.Result.Saved;

    /// <inheritdoc/>
    public (Tensor Initial, Tensor? Times, Tensor?[] Parameters) Backward(Tensor cotangents)
    {
        var isOfHigherOrder = is_grad_enabled();
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var into = NewGradients();
        Tensor? initial = null;
        try
        {
            if (isOfHigherOrder)
                throw new NotSupportedException("Gradients of gradients through a solve are not available: call backward without create_graph.");
            initial = run.Backward(cotangents.contiguous(), into);
        }
        catch (Exception exception)    // whatever it is, it must not reach libtorch
        {
            _fault.Keep(exception);
            into = NewGradients();
        }

        into.Release();
        return (
            (initial ?? run.NoGradient()).DetachFromDisposeScope(),
            null,
            [.. Enumerable.Range(0, binding.Parameters.Count).Select(i => into[i]?.DetachFromDisposeScope())]);
    }

    private ParameterGradients NewGradients() => new(binding.Parameters, i => binding.Parameters[i].requires_grad);
}
