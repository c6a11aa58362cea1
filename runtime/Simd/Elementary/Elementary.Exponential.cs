using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DiffEqLang.Runtime.Simd;

/// <content>The exponential, and functions made of it.</content>
public static partial class Elementary
{
    /// <summary>The exponential.</summary>
    [MethodImpl(Inline)]
    public static Vector512<double> Exp(Vector512<double> x) =>
        Exponential<Lanes512<double>, Float64<Lanes512<double>>>.Exp(new(x)).Value;

    /// <inheritdoc cref="Exp(Vector512{double})"/>
    [MethodImpl(Inline)]
    public static Vector512<float> Exp(Vector512<float> x) =>
        Exponential<Lanes512<float>, Float32<Lanes512<float>>>.Exp(new(x)).Value;

    /// <inheritdoc cref="Exp(Vector512{double})"/>
    [MethodImpl(Inline)]
    public static Vector<double> Exp(Vector<double> x) => Exponential<Lanes<double>, Float64<Lanes<double>>>.Exp(new(x)).Value;

    /// <inheritdoc cref="Exp(Vector512{double})"/>
    [MethodImpl(Inline)]
    public static Vector<float> Exp(Vector<float> x) => Exponential<Lanes<float>, Float32<Lanes<float>>>.Exp(new(x)).Value;

    /// <summary>exp(x) - 1, exact for small x.</summary>
    [MethodImpl(Inline)]
    public static Vector512<double> Expm1(Vector512<double> x) =>
        Exponential<Lanes512<double>, Float64<Lanes512<double>>>.Expm1(new(x)).Value;

    /// <inheritdoc cref="Expm1(Vector512{double})"/>
    [MethodImpl(Inline)]
    public static Vector512<float> Expm1(Vector512<float> x) =>
        Exponential<Lanes512<float>, Float32<Lanes512<float>>>.Expm1(new(x)).Value;

    /// <inheritdoc cref="Expm1(Vector512{double})"/>
    [MethodImpl(Inline)]
    public static Vector<double> Expm1(Vector<double> x) =>
        Exponential<Lanes<double>, Float64<Lanes<double>>>.Expm1(new(x)).Value;

    /// <inheritdoc cref="Expm1(Vector512{double})"/>
    [MethodImpl(Inline)]
    public static Vector<float> Expm1(Vector<float> x) => Exponential<Lanes<float>, Float32<Lanes<float>>>.Expm1(new(x)).Value;

    /// <summary>The hyperbolic sine.</summary>
    [MethodImpl(OutOfLine)]
    public static Vector512<double> Sinh(Vector512<double> x) =>
        Exponential<Lanes512<double>, Float64<Lanes512<double>>>.Sinh(new(x)).Value;

    /// <inheritdoc cref="Sinh(Vector512{double})"/>
    [MethodImpl(OutOfLine)]
    public static Vector512<float> Sinh(Vector512<float> x) =>
        Exponential<Lanes512<float>, Float32<Lanes512<float>>>.Sinh(new(x)).Value;

    /// <inheritdoc cref="Sinh(Vector512{double})"/>
    [MethodImpl(OutOfLine)]
    public static Vector<double> Sinh(Vector<double> x) => Exponential<Lanes<double>, Float64<Lanes<double>>>.Sinh(new(x)).Value;

    /// <inheritdoc cref="Sinh(Vector512{double})"/>
    [MethodImpl(OutOfLine)]
    public static Vector<float> Sinh(Vector<float> x) => Exponential<Lanes<float>, Float32<Lanes<float>>>.Sinh(new(x)).Value;

    /// <summary>The hyperbolic cosine.</summary>
    [MethodImpl(OutOfLine)]
    public static Vector512<double> Cosh(Vector512<double> x) =>
        Exponential<Lanes512<double>, Float64<Lanes512<double>>>.Cosh(new(x)).Value;

    /// <inheritdoc cref="Cosh(Vector512{double})"/>
    [MethodImpl(OutOfLine)]
    public static Vector512<float> Cosh(Vector512<float> x) =>
        Exponential<Lanes512<float>, Float32<Lanes512<float>>>.Cosh(new(x)).Value;

    /// <inheritdoc cref="Cosh(Vector512{double})"/>
    [MethodImpl(OutOfLine)]
    public static Vector<double> Cosh(Vector<double> x) => Exponential<Lanes<double>, Float64<Lanes<double>>>.Cosh(new(x)).Value;

    /// <inheritdoc cref="Cosh(Vector512{double})"/>
    [MethodImpl(OutOfLine)]
    public static Vector<float> Cosh(Vector<float> x) => Exponential<Lanes<float>, Float32<Lanes<float>>>.Cosh(new(x)).Value;

    /// <summary>The hyperbolic tangent.</summary>
    [MethodImpl(Inline)]
    public static Vector512<double> Tanh(Vector512<double> x) =>
        Exponential<Lanes512<double>, Float64<Lanes512<double>>>.Tanh(new(x)).Value;

    /// <inheritdoc cref="Tanh(Vector512{double})"/>
    [MethodImpl(Inline)]
    public static Vector512<float> Tanh(Vector512<float> x) =>
        Exponential<Lanes512<float>, Float32<Lanes512<float>>>.Tanh(new(x)).Value;

    /// <inheritdoc cref="Tanh(Vector512{double})"/>
    [MethodImpl(Inline)]
    public static Vector<double> Tanh(Vector<double> x) => Exponential<Lanes<double>, Float64<Lanes<double>>>.Tanh(new(x)).Value;

    /// <inheritdoc cref="Tanh(Vector512{double})"/>
    [MethodImpl(Inline)]
    public static Vector<float> Tanh(Vector<float> x) => Exponential<Lanes<float>, Float32<Lanes<float>>>.Tanh(new(x)).Value;

    /// <summary>1/(1 + exp(-x)).</summary>
    [MethodImpl(Inline)]
    public static Vector512<double> Sigmoid(Vector512<double> x) =>
        Exponential<Lanes512<double>, Float64<Lanes512<double>>>.Sigmoid(new(x)).Value;

    /// <inheritdoc cref="Sigmoid(Vector512{double})"/>
    [MethodImpl(Inline)]
    public static Vector512<float> Sigmoid(Vector512<float> x) =>
        Exponential<Lanes512<float>, Float32<Lanes512<float>>>.Sigmoid(new(x)).Value;

    /// <inheritdoc cref="Sigmoid(Vector512{double})"/>
    [MethodImpl(Inline)]
    public static Vector<double> Sigmoid(Vector<double> x) =>
        Exponential<Lanes<double>, Float64<Lanes<double>>>.Sigmoid(new(x)).Value;

    /// <inheritdoc cref="Sigmoid(Vector512{double})"/>
    [MethodImpl(Inline)]
    public static Vector<float> Sigmoid(Vector<float> x) =>
        Exponential<Lanes<float>, Float32<Lanes<float>>>.Sigmoid(new(x)).Value;

    /// <summary>x/(1 + exp(-x)); NaN at -infinity.</summary>
    [MethodImpl(Inline)]
    public static Vector512<double> Silu(Vector512<double> x) =>
        Exponential<Lanes512<double>, Float64<Lanes512<double>>>.Silu(new(x)).Value;

    /// <inheritdoc cref="Silu(Vector512{double})"/>
    [MethodImpl(Inline)]
    public static Vector512<float> Silu(Vector512<float> x) =>
        Exponential<Lanes512<float>, Float32<Lanes512<float>>>.Silu(new(x)).Value;

    /// <inheritdoc cref="Silu(Vector512{double})"/>
    [MethodImpl(Inline)]
    public static Vector<double> Silu(Vector<double> x) => Exponential<Lanes<double>, Float64<Lanes<double>>>.Silu(new(x)).Value;

    /// <inheritdoc cref="Silu(Vector512{double})"/>
    [MethodImpl(Inline)]
    public static Vector<float> Silu(Vector<float> x) => Exponential<Lanes<float>, Float32<Lanes<float>>>.Silu(new(x)).Value;
}
