using System.Runtime.ExceptionServices;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime.Sensitivities.Stochastic;

/// <summary>Puts a finished run behind autograd: its saved states as a function of the initial states and the parameters.</summary>
internal sealed class StochasticGradient : autograd.SingleTensorFunction<StochasticGradient>
{
    private const string Pullback = nameof(Pullback);

    /// <summary>
    /// An exception may not leave a custom backward (it would end the process), so that it is kept and thrown by the next
    /// solve on this thread; the gradients of the failed backward are NaN.
    /// </summary>
    [ThreadStatic]
    private static ExceptionDispatchInfo? s_failure;

    /// <inheritdoc/>
    public override string Name => nameof(StochasticGradient);

    /// <summary>Throws what a backward pass on this thread could not.</summary>
    public static void RethrowFailure()
    {
        var failure = s_failure;
        s_failure = null;
        failure?.Throw();
    }

    /// <summary>The saved states, [T, B, N], with their history.</summary>
    /// <param name="saved">The states, without it.</param>
    /// <param name="initial">[B, N].</param>
    /// <param name="parameters">What else gradients flow to.</param>
    /// <param name="pull">From ∂loss/∂saved: ∂loss/∂initial, parameters' parts being added to its second argument.</param>
    public static Tensor Attach(
        Tensor saved, Tensor initial, IReadOnlyList<Tensor> parameters, Func<Tensor, ParameterGradients, Tensor> pull) =>
        apply([new Record(saved, parameters, pull), initial, .. parameters]);

    private sealed record Record(Tensor Saved, IReadOnlyList<Tensor> Parameters, Func<Tensor, ParameterGradients, Tensor> Pull);

    /// <inheritdoc/>
    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var record = (Record)vars[0];
        ctx.save_data(Pullback, record);
        return record.Saved.alias();
    }

    /// <inheritdoc/>
    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        var record = (Record)ctx.get_data(Pullback);
        var gradients = new List<Tensor> { null! };
        try
        {
            using var guard = no_grad();
            var into = new ParameterGradients(record.Parameters, i => record.Parameters[i].requires_grad);
            gradients.Add(record.Pull(grad_output, into));
            for (var i = 0; i < record.Parameters.Count; i++) gradients.Add(into[i]!);
        }
        catch (Exception failure)
        {
            s_failure = ExceptionDispatchInfo.Capture(failure);
            gradients.Clear();
            gradients.Add(null!);
            gradients.Add(full_like(grad_output.select(0, 0), double.NaN));
            gradients.AddRange(record.Parameters.Select(parameter => full_like(parameter, double.NaN, requires_grad: false)));
        }

        return gradients;
    }
}
