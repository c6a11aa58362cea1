using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DiffEqLang.Runtime.Simd;

/// <content>Trigonometric functions, of radians, and their inverses.</content>
public static partial class Elementary
{
    /// <summary>The sine.</summary>
    [MethodImpl(Inline)]
    public static Vector512<double> Sin(Vector512<double> x) =>
        Trigonometric<Lanes512<double>, Float64<Lanes512<double>>>.Sin(new(x)).Value;

    /// <inheritdoc cref="Sin(Vector512{double})"/>
    [MethodImpl(Inline)]
    public static Vector512<float> Sin(Vector512<float> x) =>
        Trigonometric<Lanes512<float>, Float32<Lanes512<float>>>.Sin(new(x)).Value;

    /// <inheritdoc cref="Sin(Vector512{double})"/>
    [MethodImpl(Inline)]
    public static Vector<double> Sin(Vector<double> x) => Trigonometric<Lanes<double>, Float64<Lanes<double>>>.Sin(new(x)).Value;

    /// <inheritdoc cref="Sin(Vector512{double})"/>
    [MethodImpl(Inline)]
    public static Vector<float> Sin(Vector<float> x) => Trigonometric<Lanes<float>, Float32<Lanes<float>>>.Sin(new(x)).Value;

    /// <summary>The cosine.</summary>
    [MethodImpl(Inline)]
    public static Vector512<double> Cos(Vector512<double> x) =>
        Trigonometric<Lanes512<double>, Float64<Lanes512<double>>>.Cos(new(x)).Value;

    /// <inheritdoc cref="Cos(Vector512{double})"/>
    [MethodImpl(Inline)]
    public static Vector512<float> Cos(Vector512<float> x) =>
        Trigonometric<Lanes512<float>, Float32<Lanes512<float>>>.Cos(new(x)).Value;

    /// <inheritdoc cref="Cos(Vector512{double})"/>
    [MethodImpl(Inline)]
    public static Vector<double> Cos(Vector<double> x) => Trigonometric<Lanes<double>, Float64<Lanes<double>>>.Cos(new(x)).Value;

    /// <inheritdoc cref="Cos(Vector512{double})"/>
    [MethodImpl(Inline)]
    public static Vector<float> Cos(Vector<float> x) => Trigonometric<Lanes<float>, Float32<Lanes<float>>>.Cos(new(x)).Value;

    /// <summary>The tangent.</summary>
    [MethodImpl(OutOfLine)]
    public static Vector512<double> Tan(Vector512<double> x) =>
        Trigonometric<Lanes512<double>, Float64<Lanes512<double>>>.Tan(new(x)).Value;

    /// <inheritdoc cref="Tan(Vector512{double})"/>
    [MethodImpl(OutOfLine)]
    public static Vector512<float> Tan(Vector512<float> x) =>
        Trigonometric<Lanes512<float>, Float32<Lanes512<float>>>.Tan(new(x)).Value;

    /// <inheritdoc cref="Tan(Vector512{double})"/>
    [MethodImpl(OutOfLine)]
    public static Vector<double> Tan(Vector<double> x) => Trigonometric<Lanes<double>, Float64<Lanes<double>>>.Tan(new(x)).Value;

    /// <inheritdoc cref="Tan(Vector512{double})"/>
    [MethodImpl(OutOfLine)]
    public static Vector<float> Tan(Vector<float> x) => Trigonometric<Lanes<float>, Float32<Lanes<float>>>.Tan(new(x)).Value;

    /// <summary>The inverse sine; NaN outside [-1, 1].</summary>
    [MethodImpl(OutOfLine)]
    public static Vector512<double> Asin(Vector512<double> x) =>
        InverseTrigonometric<Lanes512<double>, Float64<Lanes512<double>>>.Asin(new(x)).Value;

    /// <inheritdoc cref="Asin(Vector512{double})"/>
    [MethodImpl(OutOfLine)]
    public static Vector512<float> Asin(Vector512<float> x) =>
        InverseTrigonometric<Lanes512<float>, Float32<Lanes512<float>>>.Asin(new(x)).Value;

    /// <inheritdoc cref="Asin(Vector512{double})"/>
    [MethodImpl(OutOfLine)]
    public static Vector<double> Asin(Vector<double> x) =>
        InverseTrigonometric<Lanes<double>, Float64<Lanes<double>>>.Asin(new(x)).Value;

    /// <inheritdoc cref="Asin(Vector512{double})"/>
    [MethodImpl(OutOfLine)]
    public static Vector<float> Asin(Vector<float> x) =>
        InverseTrigonometric<Lanes<float>, Float32<Lanes<float>>>.Asin(new(x)).Value;

    /// <summary>The inverse cosine; NaN outside [-1, 1].</summary>
    [MethodImpl(OutOfLine)]
    public static Vector512<double> Acos(Vector512<double> x) =>
        InverseTrigonometric<Lanes512<double>, Float64<Lanes512<double>>>.Acos(new(x)).Value;

    /// <inheritdoc cref="Acos(Vector512{double})"/>
    [MethodImpl(OutOfLine)]
    public static Vector512<float> Acos(Vector512<float> x) =>
        InverseTrigonometric<Lanes512<float>, Float32<Lanes512<float>>>.Acos(new(x)).Value;

    /// <inheritdoc cref="Acos(Vector512{double})"/>
    [MethodImpl(OutOfLine)]
    public static Vector<double> Acos(Vector<double> x) =>
        InverseTrigonometric<Lanes<double>, Float64<Lanes<double>>>.Acos(new(x)).Value;

    /// <inheritdoc cref="Acos(Vector512{double})"/>
    [MethodImpl(OutOfLine)]
    public static Vector<float> Acos(Vector<float> x) =>
        InverseTrigonometric<Lanes<float>, Float32<Lanes<float>>>.Acos(new(x)).Value;

    /// <summary>The inverse tangent.</summary>
    [MethodImpl(OutOfLine)]
    public static Vector512<double> Atan(Vector512<double> x) =>
        InverseTrigonometric<Lanes512<double>, Float64<Lanes512<double>>>.Atan(new(x)).Value;

    /// <inheritdoc cref="Atan(Vector512{double})"/>
    [MethodImpl(OutOfLine)]
    public static Vector512<float> Atan(Vector512<float> x) =>
        InverseTrigonometric<Lanes512<float>, Float32<Lanes512<float>>>.Atan(new(x)).Value;

    /// <inheritdoc cref="Atan(Vector512{double})"/>
    [MethodImpl(OutOfLine)]
    public static Vector<double> Atan(Vector<double> x) =>
        InverseTrigonometric<Lanes<double>, Float64<Lanes<double>>>.Atan(new(x)).Value;

    /// <inheritdoc cref="Atan(Vector512{double})"/>
    [MethodImpl(OutOfLine)]
    public static Vector<float> Atan(Vector<float> x) =>
        InverseTrigonometric<Lanes<float>, Float32<Lanes<float>>>.Atan(new(x)).Value;

    /// <summary>The angle of the point (x, y), in [-π, π].</summary>
    [MethodImpl(OutOfLine)]
    public static Vector512<double> Atan2(Vector512<double> y, Vector512<double> x) =>
        InverseTrigonometric<Lanes512<double>, Float64<Lanes512<double>>>.Atan2(new(y), new(x)).Value;

    /// <inheritdoc cref="Atan2(Vector512{double}, Vector512{double})"/>
    [MethodImpl(OutOfLine)]
    public static Vector512<float> Atan2(Vector512<float> y, Vector512<float> x) =>
        InverseTrigonometric<Lanes512<float>, Float32<Lanes512<float>>>.Atan2(new(y), new(x)).Value;

    /// <inheritdoc cref="Atan2(Vector512{double}, Vector512{double})"/>
    [MethodImpl(OutOfLine)]
    public static Vector<double> Atan2(Vector<double> y, Vector<double> x) =>
        InverseTrigonometric<Lanes<double>, Float64<Lanes<double>>>.Atan2(new(y), new(x)).Value;

    /// <inheritdoc cref="Atan2(Vector512{double}, Vector512{double})"/>
    [MethodImpl(OutOfLine)]
    public static Vector<float> Atan2(Vector<float> y, Vector<float> x) =>
        InverseTrigonometric<Lanes<float>, Float32<Lanes<float>>>.Atan2(new(y), new(x)).Value;
}
