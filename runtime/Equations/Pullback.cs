using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// Cotangents through functions whose derivative is known from their result, in as few passes over memory as libtorch
/// allows. Generated code calls them.
/// </summary>
public static class Pullback
{
    /// <summary>cotangent · (1 - tanh²), of equal shapes.</summary>
    public static Tensor Tanh(Tensor cotangent, Tensor tanh)
    {
        if (ContiguousMemory.AreOpen(cotangent, tanh))
        {
            var result = empty_like(cotangent);
            ContiguousMemory.Map<TanhPullback>(cotangent, tanh, result);
            return result;
        }

        using var product = cotangent.mul(tanh);
        return cotangent.addcmul(product, tanh, Scalars.MinusOne);
    }
}
