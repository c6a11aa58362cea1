using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// Weighted sums of tensors as a chain of in-place axpys: one call a term, and faster than a matrix-vector product over
/// stacked terms at every size measured (TorchSharp's addmv takes ten times as long for 16,384 entries).
/// </summary>
internal static class LinearCombination
{
    /// <summary>start + scale Σᵢ wᵢ termᵢ, in a new tensor; terms of weight zero may be null. Start itself where nothing is added.</summary>
    public static Tensor Add(Tensor start, ReadOnlySpan<double> weights, double scale, ReadOnlySpan<Tensor> terms)
    {
        Tensor? sum = null;
        for (var i = 0; i < weights.Length; i++)
        {
            if (weights[i] == 0) continue;
            using Scalar weight = weights[i] * scale;
            sum = sum is null ? start.add(terms[i], weight) : sum.add_(terms[i], weight);
        }

        return sum ?? start;
    }

    /// <summary>scale Σᵢ wᵢ termᵢ, in a new tensor; null where all weights are zero.</summary>
    public static Tensor? Sum(ReadOnlySpan<double> weights, double scale, ReadOnlySpan<Tensor> terms)
    {
        Tensor? sum = null;
        for (var i = 0; i < weights.Length; i++)
            if (weights[i] != 0)
                sum = Accumulate(sum, weights[i] * scale, terms[i]);
        return sum;
    }

    /// <summary>sum += weight · term in place; a new tensor where the sum is yet empty.</summary>
    public static Tensor Accumulate(Tensor? sum, double weight, Tensor term)
    {
        using Scalar factor = weight;
        return sum is null ? term.mul(factor) : sum.add_(term, factor);
    }
}
