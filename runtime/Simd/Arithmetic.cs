using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DiffEqLang.Runtime.Simd;

/// <summary>Products and sums in one rounding, under the short name that generated kernels use.</summary>
/// <remarks>
/// a·b + c by the processor's fused instruction; where it has none, by a product and a sum, since doing it in software takes
/// twenty times as long.
/// </remarks>
public static class Arithmetic
{
    /// <summary>a·b + c, lane by lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<double> Fma(Vector<double> a, Vector<double> b, Vector<double> c) => Vector.MultiplyAddEstimate(a, b, c);

    /// <summary>a·b + c with one number for all lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<double> Fma(double a, Vector<double> b, Vector<double> c) =>
        Vector.MultiplyAddEstimate(Vector.Create(a), b, c);

    /// <summary>a·b + c, lane by lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Fma(Vector<float> a, Vector<float> b, Vector<float> c) => Vector.MultiplyAddEstimate(a, b, c);

    /// <summary>a·b + c with one number for all lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Fma(float a, Vector<float> b, Vector<float> c) =>
        Vector.MultiplyAddEstimate(Vector.Create(a), b, c);

    /// <summary>a·b + c, lane by lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<double> Fma(Vector512<double> a, Vector512<double> b, Vector512<double> c) =>
        Vector512.MultiplyAddEstimate(a, b, c);

    /// <summary>a·b + c with one number for all lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<double> Fma(double a, Vector512<double> b, Vector512<double> c) =>
        Vector512.MultiplyAddEstimate(Vector512.Create(a), b, c);

    /// <summary>a·b + c, lane by lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Fma(Vector512<float> a, Vector512<float> b, Vector512<float> c) =>
        Vector512.MultiplyAddEstimate(a, b, c);

    /// <summary>a·b + c with one number for all lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Fma(float a, Vector512<float> b, Vector512<float> c) =>
        Vector512.MultiplyAddEstimate(Vector512.Create(a), b, c);
}
