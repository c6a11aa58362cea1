using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DiffEqLang.Runtime.Simd;

/// <content>Functions with a kink, and the square root.</content>
public static partial class Elementary
{
    /// <summary>-1, 0 or 1.</summary>
    [MethodImpl(Inline)]
    public static Vector512<double> Sign(Vector512<double> x) =>
        Piecewise<Lanes512<double>, Float64<Lanes512<double>>>.Sign(new(x)).Value;

    /// <inheritdoc cref="Sign(Vector512{double})"/>
    [MethodImpl(Inline)]
    public static Vector512<float> Sign(Vector512<float> x) =>
        Piecewise<Lanes512<float>, Float32<Lanes512<float>>>.Sign(new(x)).Value;

    /// <inheritdoc cref="Sign(Vector512{double})"/>
    [MethodImpl(Inline)]
    public static Vector<double> Sign(Vector<double> x) => Piecewise<Lanes<double>, Float64<Lanes<double>>>.Sign(new(x)).Value;

    /// <inheritdoc cref="Sign(Vector512{double})"/>
    [MethodImpl(Inline)]
    public static Vector<float> Sign(Vector<float> x) => Piecewise<Lanes<float>, Float32<Lanes<float>>>.Sign(new(x)).Value;

    /// <summary>max(x, 0).</summary>
    [MethodImpl(Inline)]
    public static Vector512<double> Relu(Vector512<double> x) =>
        Piecewise<Lanes512<double>, Float64<Lanes512<double>>>.Relu(new(x)).Value;

    /// <inheritdoc cref="Relu(Vector512{double})"/>
    [MethodImpl(Inline)]
    public static Vector512<float> Relu(Vector512<float> x) =>
        Piecewise<Lanes512<float>, Float32<Lanes512<float>>>.Relu(new(x)).Value;

    /// <inheritdoc cref="Relu(Vector512{double})"/>
    [MethodImpl(Inline)]
    public static Vector<double> Relu(Vector<double> x) => Piecewise<Lanes<double>, Float64<Lanes<double>>>.Relu(new(x)).Value;

    /// <inheritdoc cref="Relu(Vector512{double})"/>
    [MethodImpl(Inline)]
    public static Vector<float> Relu(Vector<float> x) => Piecewise<Lanes<float>, Float32<Lanes<float>>>.Relu(new(x)).Value;

    /// <summary>x above 0, 0.01 x elsewhere.</summary>
    [MethodImpl(Inline)]
    public static Vector512<double> LeakyRelu(Vector512<double> x) =>
        Piecewise<Lanes512<double>, Float64<Lanes512<double>>>.LeakyRelu(new(x)).Value;

    /// <inheritdoc cref="LeakyRelu(Vector512{double})"/>
    [MethodImpl(Inline)]
    public static Vector512<float> LeakyRelu(Vector512<float> x) =>
        Piecewise<Lanes512<float>, Float32<Lanes512<float>>>.LeakyRelu(new(x)).Value;

    /// <inheritdoc cref="LeakyRelu(Vector512{double})"/>
    [MethodImpl(Inline)]
    public static Vector<double> LeakyRelu(Vector<double> x) =>
        Piecewise<Lanes<double>, Float64<Lanes<double>>>.LeakyRelu(new(x)).Value;

    /// <inheritdoc cref="LeakyRelu(Vector512{double})"/>
    [MethodImpl(Inline)]
    public static Vector<float> LeakyRelu(Vector<float> x) =>
        Piecewise<Lanes<float>, Float32<Lanes<float>>>.LeakyRelu(new(x)).Value;

    /// <summary>x above 0, exp(x) - 1 elsewhere.</summary>
    [MethodImpl(Inline)]
    public static Vector512<double> Elu(Vector512<double> x) =>
        Piecewise<Lanes512<double>, Float64<Lanes512<double>>>.Elu(new(x)).Value;

    /// <inheritdoc cref="Elu(Vector512{double})"/>
    [MethodImpl(Inline)]
    public static Vector512<float> Elu(Vector512<float> x) =>
        Piecewise<Lanes512<float>, Float32<Lanes512<float>>>.Elu(new(x)).Value;

    /// <inheritdoc cref="Elu(Vector512{double})"/>
    [MethodImpl(Inline)]
    public static Vector<double> Elu(Vector<double> x) => Piecewise<Lanes<double>, Float64<Lanes<double>>>.Elu(new(x)).Value;

    /// <inheritdoc cref="Elu(Vector512{double})"/>
    [MethodImpl(Inline)]
    public static Vector<float> Elu(Vector<float> x) => Piecewise<Lanes<float>, Float32<Lanes<float>>>.Elu(new(x)).Value;

    /// <summary>The square root; NaN below 0.</summary>
    [MethodImpl(Inline)]
    public static Vector512<double> Sqrt(Vector512<double> x) => Lanes512<double>.Sqrt(new(x)).Value;

    /// <inheritdoc cref="Sqrt(Vector512{double})"/>
    [MethodImpl(Inline)]
    public static Vector512<float> Sqrt(Vector512<float> x) => Lanes512<float>.Sqrt(new(x)).Value;

    /// <inheritdoc cref="Sqrt(Vector512{double})"/>
    [MethodImpl(Inline)]
    public static Vector<double> Sqrt(Vector<double> x) => Lanes<double>.Sqrt(new(x)).Value;

    /// <inheritdoc cref="Sqrt(Vector512{double})"/>
    [MethodImpl(Inline)]
    public static Vector<float> Sqrt(Vector<float> x) => Lanes<float>.Sqrt(new(x)).Value;

    /// <summary>The larger; NaN where either is.</summary>
    [MethodImpl(Inline)]
    public static Vector512<double> Maximum(Vector512<double> a, Vector512<double> b) => Vector512.Max(a, b);

    /// <inheritdoc cref="Maximum(Vector512{double}, Vector512{double})"/>
    [MethodImpl(Inline)]
    public static Vector512<float> Maximum(Vector512<float> a, Vector512<float> b) => Vector512.Max(a, b);

    /// <inheritdoc cref="Maximum(Vector512{double}, Vector512{double})"/>
    [MethodImpl(Inline)]
    public static Vector<double> Maximum(Vector<double> a, Vector<double> b) => Vector.Max(a, b);

    /// <inheritdoc cref="Maximum(Vector512{double}, Vector512{double})"/>
    [MethodImpl(Inline)]
    public static Vector<float> Maximum(Vector<float> a, Vector<float> b) => Vector.Max(a, b);

    /// <summary>The smaller; NaN where either is.</summary>
    [MethodImpl(Inline)]
    public static Vector512<double> Minimum(Vector512<double> a, Vector512<double> b) => Vector512.Min(a, b);

    /// <inheritdoc cref="Minimum(Vector512{double}, Vector512{double})"/>
    [MethodImpl(Inline)]
    public static Vector512<float> Minimum(Vector512<float> a, Vector512<float> b) => Vector512.Min(a, b);

    /// <inheritdoc cref="Minimum(Vector512{double}, Vector512{double})"/>
    [MethodImpl(Inline)]
    public static Vector<double> Minimum(Vector<double> a, Vector<double> b) => Vector.Min(a, b);

    /// <inheritdoc cref="Minimum(Vector512{double}, Vector512{double})"/>
    [MethodImpl(Inline)]
    public static Vector<float> Minimum(Vector<float> a, Vector<float> b) => Vector.Min(a, b);
}
