using DiffEqLang.Benchmarks.Simd;
using DiffEqLang.Runtime.Simd;

namespace DiffEqLang.Benchmarks.Models;

public sealed partial class SpiralTraining
{
    /// <summary>The equations over SIMD registers, in float32.</summary>
    protected override SimdBinding BindSimd()
    {
        var (W1, b1, W2, b2) = (this.W1, this.b1, this.W2, this.b2);
        return new SimdBinding<float>(
            parameters: [W1, b1, W2, b2],
            registers: [("b2", b2)],
            weights: [W1, b1, W2],
            weights => new SpiralKernel(weights[0], weights[1], weights[2]),
            weights => new SpiralKernel512(weights[0], weights[1], weights[2]));
    }
}
