using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DiffEqLang.Runtime.Simd;

/// <content>The logarithm, and functions made of it.</content>
public static partial class Elementary
{
    /// <summary>The natural logarithm; -infinity at 0, NaN below.</summary>
    [MethodImpl(Inline)]
    public static Vector512<double> Log(Vector512<double> x) =>
        Logarithm<Lanes512<double>, Float64<Lanes512<double>>>.Log(new(x)).Value;

    /// <inheritdoc cref="Log(Vector512{double})"/>
    [MethodImpl(Inline)]
    public static Vector512<float> Log(Vector512<float> x) =>
        Logarithm<Lanes512<float>, Float32<Lanes512<float>>>.Log(new(x)).Value;

    /// <inheritdoc cref="Log(Vector512{double})"/>
    [MethodImpl(Inline)]
    public static Vector<double> Log(Vector<double> x) => Logarithm<Lanes<double>, Float64<Lanes<double>>>.Log(new(x)).Value;

    /// <inheritdoc cref="Log(Vector512{double})"/>
    [MethodImpl(Inline)]
    public static Vector<float> Log(Vector<float> x) => Logarithm<Lanes<float>, Float32<Lanes<float>>>.Log(new(x)).Value;

    /// <summary>log(1 + x), exact for small x; -infinity at -1, NaN below.</summary>
    [MethodImpl(OutOfLine)]
    public static Vector512<double> Log1p(Vector512<double> x) =>
        Logarithm<Lanes512<double>, Float64<Lanes512<double>>>.Log1p(new(x)).Value;

    /// <inheritdoc cref="Log1p(Vector512{double})"/>
    [MethodImpl(OutOfLine)]
    public static Vector512<float> Log1p(Vector512<float> x) =>
        Logarithm<Lanes512<float>, Float32<Lanes512<float>>>.Log1p(new(x)).Value;

    /// <inheritdoc cref="Log1p(Vector512{double})"/>
    [MethodImpl(OutOfLine)]
    public static Vector<double> Log1p(Vector<double> x) => Logarithm<Lanes<double>, Float64<Lanes<double>>>.Log1p(new(x)).Value;

    /// <inheritdoc cref="Log1p(Vector512{double})"/>
    [MethodImpl(OutOfLine)]
    public static Vector<float> Log1p(Vector<float> x) => Logarithm<Lanes<float>, Float32<Lanes<float>>>.Log1p(new(x)).Value;

    /// <summary>log(1 + exp(x)), without overflow.</summary>
    [MethodImpl(OutOfLine)]
    public static Vector512<double> Softplus(Vector512<double> x) =>
        Logarithm<Lanes512<double>, Float64<Lanes512<double>>>.Softplus(new(x)).Value;

    /// <inheritdoc cref="Softplus(Vector512{double})"/>
    [MethodImpl(OutOfLine)]
    public static Vector512<float> Softplus(Vector512<float> x) =>
        Logarithm<Lanes512<float>, Float32<Lanes512<float>>>.Softplus(new(x)).Value;

    /// <inheritdoc cref="Softplus(Vector512{double})"/>
    [MethodImpl(OutOfLine)]
    public static Vector<double> Softplus(Vector<double> x) =>
        Logarithm<Lanes<double>, Float64<Lanes<double>>>.Softplus(new(x)).Value;

    /// <inheritdoc cref="Softplus(Vector512{double})"/>
    [MethodImpl(OutOfLine)]
    public static Vector<float> Softplus(Vector<float> x) =>
        Logarithm<Lanes<float>, Float32<Lanes<float>>>.Softplus(new(x)).Value;

    /// <summary>The inverse hyperbolic sine.</summary>
    [MethodImpl(OutOfLine)]
    public static Vector512<double> Asinh(Vector512<double> x) =>
        Logarithm<Lanes512<double>, Float64<Lanes512<double>>>.Asinh(new(x)).Value;

    /// <inheritdoc cref="Asinh(Vector512{double})"/>
    [MethodImpl(OutOfLine)]
    public static Vector512<float> Asinh(Vector512<float> x) =>
        Logarithm<Lanes512<float>, Float32<Lanes512<float>>>.Asinh(new(x)).Value;

    /// <inheritdoc cref="Asinh(Vector512{double})"/>
    [MethodImpl(OutOfLine)]
    public static Vector<double> Asinh(Vector<double> x) => Logarithm<Lanes<double>, Float64<Lanes<double>>>.Asinh(new(x)).Value;

    /// <inheritdoc cref="Asinh(Vector512{double})"/>
    [MethodImpl(OutOfLine)]
    public static Vector<float> Asinh(Vector<float> x) => Logarithm<Lanes<float>, Float32<Lanes<float>>>.Asinh(new(x)).Value;

    /// <summary>The inverse hyperbolic cosine; NaN below 1.</summary>
    [MethodImpl(OutOfLine)]
    public static Vector512<double> Acosh(Vector512<double> x) =>
        Logarithm<Lanes512<double>, Float64<Lanes512<double>>>.Acosh(new(x)).Value;

    /// <inheritdoc cref="Acosh(Vector512{double})"/>
    [MethodImpl(OutOfLine)]
    public static Vector512<float> Acosh(Vector512<float> x) =>
        Logarithm<Lanes512<float>, Float32<Lanes512<float>>>.Acosh(new(x)).Value;

    /// <inheritdoc cref="Acosh(Vector512{double})"/>
    [MethodImpl(OutOfLine)]
    public static Vector<double> Acosh(Vector<double> x) => Logarithm<Lanes<double>, Float64<Lanes<double>>>.Acosh(new(x)).Value;

    /// <inheritdoc cref="Acosh(Vector512{double})"/>
    [MethodImpl(OutOfLine)]
    public static Vector<float> Acosh(Vector<float> x) => Logarithm<Lanes<float>, Float32<Lanes<float>>>.Acosh(new(x)).Value;

    /// <summary>The inverse hyperbolic tangent; infinite at -1 and 1, NaN beyond.</summary>
    [MethodImpl(OutOfLine)]
    public static Vector512<double> Atanh(Vector512<double> x) =>
        Logarithm<Lanes512<double>, Float64<Lanes512<double>>>.Atanh(new(x)).Value;

    /// <inheritdoc cref="Atanh(Vector512{double})"/>
    [MethodImpl(OutOfLine)]
    public static Vector512<float> Atanh(Vector512<float> x) =>
        Logarithm<Lanes512<float>, Float32<Lanes512<float>>>.Atanh(new(x)).Value;

    /// <inheritdoc cref="Atanh(Vector512{double})"/>
    [MethodImpl(OutOfLine)]
    public static Vector<double> Atanh(Vector<double> x) => Logarithm<Lanes<double>, Float64<Lanes<double>>>.Atanh(new(x)).Value;

    /// <inheritdoc cref="Atanh(Vector512{double})"/>
    [MethodImpl(OutOfLine)]
    public static Vector<float> Atanh(Vector<float> x) => Logarithm<Lanes<float>, Float32<Lanes<float>>>.Atanh(new(x)).Value;
}
