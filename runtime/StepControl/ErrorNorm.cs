using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// The weighted root-mean-square norm ‖x‖ = √(1/n Σ (xᵢ / (atol + rtol max(|yᵢ|, |y₁ᵢ|)))²) of each lane.
/// Hairer, Nørsett and Wanner (1993), Solving Ordinary Differential Equations I, II.4.10 and II.4.11.
/// </summary>
/// <param name="rtol">The relative tolerance.</param>
/// <param name="atol">The absolute tolerance.</param>
/// <param name="lanes">How many lanes there are.</param>
internal sealed class ErrorNorm(double rtol, double atol, long lanes) : IDisposable
{
    private static readonly long[] OfALane = [1];
    private readonly Scalar _rtol = rtol;
    private readonly Scalar _atol = atol;

    /// <summary>The weights' inverse, atol + rtol max(|y|, |y₁|).</summary>
    public Tensor Tolerance(Tensor before, Tensor after) =>
        maximum(before.abs(), after.abs()).mul_(_rtol).add_(_atol, Scalars.One);

    /// <summary>atol + rtol |y|.</summary>
    public Tensor Tolerance(Tensor state) => state.abs().mul_(_rtol).add_(_atol, Scalars.One);

    /// <summary>The norm of every lane, on the host.</summary>
    public double[] Of(Tensor vector, Tensor tolerance)
    {
        // Not by linalg.vector_norm, whose order becomes a number that nothing keeps alive during the call (see Scalars).
        var weighted = vector.div(tolerance).reshape(lanes, -1);
        var norms = HostVector.ToHost(weighted.mul(weighted).sum(OfALane));
        for (var i = 0; i < norms.Length; i++) norms[i] = Math.Sqrt(norms[i] / weighted.size(1));
        return norms;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _rtol.Dispose();
        _atol.Dispose();
    }
}
