using DiffEqLang.Runtime.Simd;

namespace DiffEqLang.Runtime;

/// <summary><see cref="Pointwise.Exp"/>.</summary>
internal readonly struct ExpFunction : IPointwiseFunction
{
    /// <inheritdoc/>
    public static T Of<T, P>(T x)
        where T : struct, ILanes<T>
        where P : IPrecision<T> =>
        Exponential<T, P>.Exp(x);
}

/// <summary><see cref="Pointwise.Expm1"/>.</summary>
internal readonly struct Expm1Function : IPointwiseFunction
{
    /// <inheritdoc/>
    public static T Of<T, P>(T x)
        where T : struct, ILanes<T>
        where P : IPrecision<T> =>
        Exponential<T, P>.Expm1(x);
}

/// <summary><see cref="Pointwise.Log"/>.</summary>
internal readonly struct LogFunction : IPointwiseFunction
{
    /// <inheritdoc/>
    public static T Of<T, P>(T x)
        where T : struct, ILanes<T>
        where P : IPrecision<T> =>
        Logarithm<T, P>.Log(x);
}

/// <summary><see cref="Pointwise.Log1p"/>.</summary>
internal readonly struct Log1pFunction : IPointwiseFunction
{
    /// <inheritdoc/>
    public static T Of<T, P>(T x)
        where T : struct, ILanes<T>
        where P : IPrecision<T> =>
        Logarithm<T, P>.Log1p(x);
}

/// <summary><see cref="Pointwise.Sin"/>.</summary>
internal readonly struct SinFunction : IPointwiseFunction
{
    /// <inheritdoc/>
    public static T Of<T, P>(T x)
        where T : struct, ILanes<T>
        where P : IPrecision<T> =>
        Trigonometric<T, P>.Sin(x);
}

/// <summary><see cref="Pointwise.Cos"/>.</summary>
internal readonly struct CosFunction : IPointwiseFunction
{
    /// <inheritdoc/>
    public static T Of<T, P>(T x)
        where T : struct, ILanes<T>
        where P : IPrecision<T> =>
        Trigonometric<T, P>.Cos(x);
}

/// <summary><see cref="Pointwise.Asin"/>.</summary>
internal readonly struct AsinFunction : IPointwiseFunction
{
    /// <inheritdoc/>
    public static T Of<T, P>(T x)
        where T : struct, ILanes<T>
        where P : IPrecision<T> =>
        InverseTrigonometric<T, P>.Asin(x);
}

/// <summary><see cref="Pointwise.Acos"/>.</summary>
internal readonly struct AcosFunction : IPointwiseFunction
{
    /// <inheritdoc/>
    public static T Of<T, P>(T x)
        where T : struct, ILanes<T>
        where P : IPrecision<T> =>
        InverseTrigonometric<T, P>.Acos(x);
}

/// <summary><see cref="Pointwise.Atan"/>.</summary>
internal readonly struct AtanFunction : IPointwiseFunction
{
    /// <inheritdoc/>
    public static T Of<T, P>(T x)
        where T : struct, ILanes<T>
        where P : IPrecision<T> =>
        InverseTrigonometric<T, P>.Atan(x);
}

/// <summary><see cref="Pointwise.Sinh"/>.</summary>
internal readonly struct SinhFunction : IPointwiseFunction
{
    /// <inheritdoc/>
    public static T Of<T, P>(T x)
        where T : struct, ILanes<T>
        where P : IPrecision<T> =>
        Exponential<T, P>.Sinh(x);
}

/// <summary><see cref="Pointwise.Cosh"/>.</summary>
internal readonly struct CoshFunction : IPointwiseFunction
{
    /// <inheritdoc/>
    public static T Of<T, P>(T x)
        where T : struct, ILanes<T>
        where P : IPrecision<T> =>
        Exponential<T, P>.Cosh(x);
}

/// <summary><see cref="Pointwise.Tanh"/>.</summary>
internal readonly struct TanhFunction : IPointwiseFunction
{
    /// <inheritdoc/>
    public static T Of<T, P>(T x)
        where T : struct, ILanes<T>
        where P : IPrecision<T> =>
        Exponential<T, P>.Tanh(x);
}

/// <summary><see cref="Pointwise.Asinh"/>.</summary>
internal readonly struct AsinhFunction : IPointwiseFunction
{
    /// <inheritdoc/>
    public static T Of<T, P>(T x)
        where T : struct, ILanes<T>
        where P : IPrecision<T> =>
        Logarithm<T, P>.Asinh(x);
}

/// <summary><see cref="Pointwise.Acosh"/>.</summary>
internal readonly struct AcoshFunction : IPointwiseFunction
{
    /// <inheritdoc/>
    public static T Of<T, P>(T x)
        where T : struct, ILanes<T>
        where P : IPrecision<T> =>
        Logarithm<T, P>.Acosh(x);
}

/// <summary><see cref="Pointwise.Atanh"/>.</summary>
internal readonly struct AtanhFunction : IPointwiseFunction
{
    /// <inheritdoc/>
    public static T Of<T, P>(T x)
        where T : struct, ILanes<T>
        where P : IPrecision<T> =>
        Logarithm<T, P>.Atanh(x);
}

/// <summary><see cref="Pointwise.Softplus"/>.</summary>
internal readonly struct SoftplusFunction : IPointwiseFunction
{
    /// <inheritdoc/>
    public static T Of<T, P>(T x)
        where T : struct, ILanes<T>
        where P : IPrecision<T> =>
        Logarithm<T, P>.Softplus(x);
}

/// <summary><see cref="Pointwise.Elu"/>.</summary>
internal readonly struct EluFunction : IPointwiseFunction
{
    /// <inheritdoc/>
    public static T Of<T, P>(T x)
        where T : struct, ILanes<T>
        where P : IPrecision<T> =>
        Piecewise<T, P>.Elu(x);
}

/// <summary><see cref="Pullback.Tanh"/>.</summary>
internal readonly struct TanhPullback : IPointwiseFunctionOfTwo
{
    /// <inheritdoc/>
    public static T Of<T>(T cotangent, T tanh)
        where T : struct, ILanes<T> =>
        cotangent * T.NegatedMultiplyAdd(tanh, tanh, T.Of(1));
}
