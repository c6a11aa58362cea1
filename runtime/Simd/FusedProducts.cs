using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DiffEqLang.Runtime.Simd;

/// <summary>
/// Multiply-add of one type of register, for loops that are written once for all of them. Unlike <see cref="ILanes{TSelf}"/> it leaves
/// the registers themselves in the variables: only so does the just-in-time compiler add to a sum without moving it.
/// </summary>
/// <typeparam name="TRegister">The register.</typeparam>
/// <typeparam name="T">float or double, its lanes.</typeparam>
internal interface IFusedProducts<TRegister, T>
{
    /// <summary>a·b + c with one number for all lanes.</summary>
    static abstract TRegister Fma(T a, TRegister b, TRegister c);

    /// <summary>a·b + c, lane by lane.</summary>
    static abstract TRegister Fma(TRegister a, TRegister b, TRegister c);
}

/// <summary>Those of <c>Vector&lt;float&gt;</c>.</summary>
internal readonly struct Fused32 : IFusedProducts<Vector<float>, float>
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Fma(float a, Vector<float> b, Vector<float> c) => Arithmetic.Fma(a, b, c);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Fma(Vector<float> a, Vector<float> b, Vector<float> c) => Arithmetic.Fma(a, b, c);
}

/// <summary>Those of <c>Vector&lt;double&gt;</c>.</summary>
internal readonly struct Fused64 : IFusedProducts<Vector<double>, double>
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<double> Fma(double a, Vector<double> b, Vector<double> c) => Arithmetic.Fma(a, b, c);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<double> Fma(Vector<double> a, Vector<double> b, Vector<double> c) => Arithmetic.Fma(a, b, c);
}

/// <summary>Those of <c>Vector512&lt;float&gt;</c>.</summary>
internal readonly struct Fused512Of32 : IFusedProducts<Vector512<float>, float>
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Fma(float a, Vector512<float> b, Vector512<float> c) => Arithmetic.Fma(a, b, c);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Fma(Vector512<float> a, Vector512<float> b, Vector512<float> c) => Arithmetic.Fma(a, b, c);
}

/// <summary>Those of <c>Vector512&lt;double&gt;</c>.</summary>
internal readonly struct Fused512Of64 : IFusedProducts<Vector512<double>, double>
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<double> Fma(double a, Vector512<double> b, Vector512<double> c) => Arithmetic.Fma(a, b, c);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<double> Fma(Vector512<double> a, Vector512<double> b, Vector512<double> c) => Arithmetic.Fma(a, b, c);
}
