using DiffEqLang.Runtime.Simd;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// Elementwise functions where libtorch's are slow: over the memory of contiguous float32 and float64 tensors on the CPU by
/// the functions of <see cref="Elementary"/>, anything else, and what autograd records, by libtorch's own. Generated code calls them.
/// </summary>
public static class Pointwise
{
    /// <summary>The exponential.</summary>
    public static Tensor Exp(Tensor x) => Map<ExpFunction>(x) ?? x.exp();

    /// <summary>exp(x) - 1, exact for small x.</summary>
    public static Tensor Expm1(Tensor x) => Map<Expm1Function>(x) ?? x.expm1();

    /// <summary>The natural logarithm; -infinity at 0, NaN below.</summary>
    public static Tensor Log(Tensor x) => Map<LogFunction>(x) ?? x.log();

    /// <summary>log(1 + x), exact for small x.</summary>
    public static Tensor Log1p(Tensor x) => Map<Log1pFunction>(x) ?? x.log1p();

    /// <summary>The sine, of radians.</summary>
    public static Tensor Sin(Tensor x) => Map<SinFunction>(x) ?? x.sin();

    /// <summary>The cosine, of radians.</summary>
    public static Tensor Cos(Tensor x) => Map<CosFunction>(x) ?? x.cos();

    /// <summary>The inverse sine; NaN outside [-1, 1].</summary>
    public static Tensor Asin(Tensor x) => Map<AsinFunction>(x) ?? x.asin();

    /// <summary>The inverse cosine; NaN outside [-1, 1].</summary>
    public static Tensor Acos(Tensor x) => Map<AcosFunction>(x) ?? x.acos();

    /// <summary>The inverse tangent.</summary>
    public static Tensor Atan(Tensor x) => Map<AtanFunction>(x) ?? x.atan();

    /// <summary>The hyperbolic sine.</summary>
    public static Tensor Sinh(Tensor x) => Map<SinhFunction>(x) ?? x.sinh();

    /// <summary>The hyperbolic cosine.</summary>
    public static Tensor Cosh(Tensor x) => Map<CoshFunction>(x) ?? x.cosh();

    /// <summary>The hyperbolic tangent.</summary>
    public static Tensor Tanh(Tensor x) => Map<TanhFunction>(x) ?? x.tanh();

    /// <summary>The inverse hyperbolic sine.</summary>
    public static Tensor Asinh(Tensor x) => Map<AsinhFunction>(x) ?? x.asinh();

    /// <summary>The inverse hyperbolic cosine; NaN below 1.</summary>
    public static Tensor Acosh(Tensor x) => Map<AcoshFunction>(x) ?? x.acosh();

    /// <summary>The inverse hyperbolic tangent; infinite at -1 and 1, NaN beyond.</summary>
    public static Tensor Atanh(Tensor x) => Map<AtanhFunction>(x) ?? x.atanh();

    /// <summary>log(1 + exp(x)), without overflow.</summary>
    // Libtorch turns to x itself above the threshold; at 40 that is exact in float64.
    public static Tensor Softplus(Tensor x) => Map<SoftplusFunction>(x) ?? nn.functional.softplus(x, threshold: 40);

    /// <summary>x above 0, exp(x) - 1 elsewhere.</summary>
    public static Tensor Elu(Tensor x) => Map<EluFunction>(x) ?? nn.functional.elu(x, 1);

    private static Tensor? Map<TFunction>(Tensor x)
        where TFunction : IPointwiseFunction
    {
        if (!ContiguousMemory.IsOpen(x)) return null;
        var result = empty_like(x);
        ContiguousMemory.Map<TFunction>(x, result);
        return result;
    }
}
