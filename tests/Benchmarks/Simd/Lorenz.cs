using DiffEqLang.Benchmarks.Simd;
using DiffEqLang.Runtime.Simd;

namespace DiffEqLang.Benchmarks.Models;

public sealed partial class Lorenz
{
    /// <summary>The equations over SIMD registers, in float64.</summary>
    protected override SimdBinding BindSimd()
    {
        var (sigma, rho, beta) = (this.sigma, this.rho, this.beta);
        return new SimdBinding<double>(
            parameters: [sigma, rho, beta],
            registers: [("sigma", sigma), ("rho", rho), ("beta", beta)],
            weights: [],
            _ => new LorenzKernel(),
            _ => new LorenzKernel512());
    }
}
