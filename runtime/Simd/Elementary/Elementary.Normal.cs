using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DiffEqLang.Runtime.Simd;

/// <content>Functions of the normal distribution.</content>
public static partial class Elementary
{
    /// <summary>The error function.</summary>
    [MethodImpl(OutOfLine)]
    public static Vector512<double> Erf(Vector512<double> x) =>
        ErrorFunction<Lanes512<double>, Float64<Lanes512<double>>>.Erf(new(x)).Value;

    /// <inheritdoc cref="Erf(Vector512{double})"/>
    [MethodImpl(OutOfLine)]
    public static Vector512<float> Erf(Vector512<float> x) =>
        ErrorFunction<Lanes512<float>, Float32<Lanes512<float>>>.Erf(new(x)).Value;

    /// <inheritdoc cref="Erf(Vector512{double})"/>
    [MethodImpl(OutOfLine)]
    public static Vector<double> Erf(Vector<double> x) => ErrorFunction<Lanes<double>, Float64<Lanes<double>>>.Erf(new(x)).Value;

    /// <inheritdoc cref="Erf(Vector512{double})"/>
    [MethodImpl(OutOfLine)]
    public static Vector<float> Erf(Vector<float> x) => ErrorFunction<Lanes<float>, Float32<Lanes<float>>>.Erf(new(x)).Value;

    /// <summary>x Φ(x), Φ the normal distribution function; NaN at -infinity.</summary>
    [MethodImpl(OutOfLine)]
    public static Vector512<double> Gelu(Vector512<double> x) =>
        ErrorFunction<Lanes512<double>, Float64<Lanes512<double>>>.Gelu(new(x)).Value;

    /// <inheritdoc cref="Gelu(Vector512{double})"/>
    [MethodImpl(OutOfLine)]
    public static Vector512<float> Gelu(Vector512<float> x) =>
        ErrorFunction<Lanes512<float>, Float32<Lanes512<float>>>.Gelu(new(x)).Value;

    /// <inheritdoc cref="Gelu(Vector512{double})"/>
    [MethodImpl(OutOfLine)]
    public static Vector<double> Gelu(Vector<double> x) =>
        ErrorFunction<Lanes<double>, Float64<Lanes<double>>>.Gelu(new(x)).Value;

    /// <inheritdoc cref="Gelu(Vector512{double})"/>
    [MethodImpl(OutOfLine)]
    public static Vector<float> Gelu(Vector<float> x) => ErrorFunction<Lanes<float>, Float32<Lanes<float>>>.Gelu(new(x)).Value;
}
