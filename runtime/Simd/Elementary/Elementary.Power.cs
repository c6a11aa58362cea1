using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DiffEqLang.Runtime.Simd;

/// <content>Powers.</content>
public static partial class Elementary
{
    /// <summary>x^y: 1 where y is 0 or x is 1, also beside NaN; NaN for a negative x and a y that is no integer.</summary>
    [MethodImpl(OutOfLine)]
    public static Vector512<double> Pow(Vector512<double> x, Vector512<double> y) =>
        Power<Lanes512<double>>.Pow(new(x), new(y)).Value;

    /// <inheritdoc cref="Pow(Vector512{double}, Vector512{double})"/>
    [MethodImpl(OutOfLine)]
    public static Vector512<float> Pow(Vector512<float> x, Vector512<float> y)
    {
        var (lowX, highX) = Vector512.Widen(x);
        var (lowY, highY) = Vector512.Widen(y);
        var low = SinglePower<Lanes512<double>>.Pow(new(lowX), new(lowY));
        var high = SinglePower<Lanes512<double>>.Pow(new(highX), new(highY));
        return Vector512.Narrow(low.Value, high.Value);
    }

    /// <inheritdoc cref="Pow(Vector512{double}, Vector512{double})"/>
    [MethodImpl(OutOfLine)]
    public static Vector<double> Pow(Vector<double> x, Vector<double> y) => Power<Lanes<double>>.Pow(new(x), new(y)).Value;

    /// <inheritdoc cref="Pow(Vector512{double}, Vector512{double})"/>
    [MethodImpl(OutOfLine)]
    public static Vector<float> Pow(Vector<float> x, Vector<float> y)
    {
        Vector.Widen(x, out var lowX, out var highX);
        Vector.Widen(y, out var lowY, out var highY);
        var low = SinglePower<Lanes<double>>.Pow(new(lowX), new(lowY));
        var high = SinglePower<Lanes<double>>.Pow(new(highX), new(highY));
        return Vector.Narrow(low.Value, high.Value);
    }
}
