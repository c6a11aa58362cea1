using System.Runtime.CompilerServices;

namespace DiffEqLang.Runtime.Simd;

/// <summary>Functions of different pieces on either side of 0.</summary>
internal static class Piecewise<T, P>
    where T : struct, ILanes<T>
    where P : IPrecision<T>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <summary>-1, 0 or 1; NaN at NaN.</summary>
    [MethodImpl(Inline)]
    public static T Sign(T x)
    {
        var one = T.Of(1) | (x & T.Of(-0.0));
        return T.Select(T.Equal(x, T.Of(0)), T.Of(0), T.Select(T.Equal(x, x), one, x));
    }

    /// <summary>x, 0 below 0.</summary>
    [MethodImpl(Inline)]
    public static T Relu(T x) => T.AndNot(x, T.LessThan(x, T.Of(0)));

    /// <summary>x above 0, 0.01 x elsewhere.</summary>
    [MethodImpl(Inline)]
    public static T LeakyRelu(T x) => T.Select(T.LessThan(T.Of(0), x), x, T.Of(0.01) * x);

    /// <summary>x above 0, exp(x) - 1 elsewhere.</summary>
    [MethodImpl(Inline)]
    public static T Elu(T x) => T.Select(T.LessThan(T.Of(0), x), x, Exponential<T, P>.Expm1(x));
}
