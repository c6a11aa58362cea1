using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// Sums for generated code. The operator <c>a + b</c> of TorchSharp 0.107 hands libtorch a temporary alpha of one that
/// nothing keeps alive: a collection started by another thread while the call runs frees it (see <see cref="Scalars"/>).
/// Here it lives as long as the program. Differences, products and quotients of tensors have no such number.
/// </summary>
public static class Sums
{
    /// <summary>left + right, broadcast to their common shape.</summary>
    public static Tensor Of(Tensor left, Tensor right) => left.add(right, Scalars.One);

    /// <summary>number + tensor, of the tensor's shape.</summary>
    public static Tensor Of(Scalar number, Tensor tensor) => tensor.add(number, Scalars.One);

    /// <summary>The terms from the left on, broadcast to their common shape; at least two.</summary>
    public static Tensor Of(params ReadOnlySpan<Tensor> terms)
    {
        var sum = Of(terms[0], terms[1]);
        foreach (var term in terms[2..])
        {
            using var partial = sum;
            sum = Of(partial, term);
        }

        return sum;
    }
}
