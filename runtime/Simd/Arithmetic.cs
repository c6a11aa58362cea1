using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using X86 = System.Runtime.Intrinsics.X86;

namespace DiffEqLang.Runtime.Simd;

/// <summary>Products and sums in one rounding, under the short names that generated kernels use: a·b + c, a·b - c, and c - a·b.</summary>
/// <remarks>
/// By the processor's fused instructions; where it has none, by a product and a sum, since doing it in software takes
/// twenty times as long. The instructions that negate are named, because the just-in-time compiler does not find them in a sum with -c;
/// what is supported is asked in the methods themselves, so that it looks at one branch alone.
/// </remarks>
public static class Arithmetic
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <summary>a·b + c, lane by lane.</summary>
    [MethodImpl(Inline)]
    public static Vector<double> Fma(Vector<double> a, Vector<double> b, Vector<double> c) => Vector.MultiplyAddEstimate(a, b, c);

    /// <summary>a·b + c with one number for all lanes.</summary>
    [MethodImpl(Inline)]
    public static Vector<double> Fma(double a, Vector<double> b, Vector<double> c) => Fma(Vector.Create(a), b, c);

    /// <summary>a·b + c, lane by lane.</summary>
    [MethodImpl(Inline)]
    public static Vector<float> Fma(Vector<float> a, Vector<float> b, Vector<float> c) => Vector.MultiplyAddEstimate(a, b, c);

    /// <summary>a·b + c with one number for all lanes.</summary>
    [MethodImpl(Inline)]
    public static Vector<float> Fma(float a, Vector<float> b, Vector<float> c) => Fma(Vector.Create(a), b, c);

    /// <summary>a·b + c, lane by lane.</summary>
    [MethodImpl(Inline)]
    public static Vector512<double> Fma(Vector512<double> a, Vector512<double> b, Vector512<double> c) => Vector512.MultiplyAddEstimate(a, b, c);

    /// <summary>a·b + c with one number for all lanes.</summary>
    [MethodImpl(Inline)]
    public static Vector512<double> Fma(double a, Vector512<double> b, Vector512<double> c) => Fma(Vector512.Create(a), b, c);

    /// <summary>a·b + c, lane by lane.</summary>
    [MethodImpl(Inline)]
    public static Vector512<float> Fma(Vector512<float> a, Vector512<float> b, Vector512<float> c) => Vector512.MultiplyAddEstimate(a, b, c);

    /// <summary>a·b + c with one number for all lanes.</summary>
    [MethodImpl(Inline)]
    public static Vector512<float> Fma(float a, Vector512<float> b, Vector512<float> c) => Fma(Vector512.Create(a), b, c);

    /// <summary>a·b - c, lane by lane.</summary>
    [MethodImpl(Inline)]
    public static Vector<double> Fms(Vector<double> a, Vector<double> b, Vector<double> c) => X86.Fma.IsSupported && Vector<double>.Count == 4
        ? X86.Fma.MultiplySubtract(a.AsVector256(), b.AsVector256(), c.AsVector256()).AsVector()
        : Vector.MultiplyAddEstimate(a, b, -c);

    /// <summary>a·b - c with one number for all lanes.</summary>
    [MethodImpl(Inline)]
    public static Vector<double> Fms(double a, Vector<double> b, Vector<double> c) => Fms(Vector.Create(a), b, c);

    /// <summary>a·b - c, lane by lane.</summary>
    [MethodImpl(Inline)]
    public static Vector<float> Fms(Vector<float> a, Vector<float> b, Vector<float> c) => X86.Fma.IsSupported && Vector<float>.Count == 8
        ? X86.Fma.MultiplySubtract(a.AsVector256(), b.AsVector256(), c.AsVector256()).AsVector()
        : Vector.MultiplyAddEstimate(a, b, -c);

    /// <summary>a·b - c with one number for all lanes.</summary>
    [MethodImpl(Inline)]
    public static Vector<float> Fms(float a, Vector<float> b, Vector<float> c) => Fms(Vector.Create(a), b, c);

    /// <summary>a·b - c, lane by lane.</summary>
    [MethodImpl(Inline)]
    public static Vector512<double> Fms(Vector512<double> a, Vector512<double> b, Vector512<double> c) =>
        X86.Avx512F.IsSupported ? X86.Avx512F.FusedMultiplySubtract(a, b, c) : Vector512.MultiplyAddEstimate(a, b, -c);

    /// <summary>a·b - c with one number for all lanes.</summary>
    [MethodImpl(Inline)]
    public static Vector512<double> Fms(double a, Vector512<double> b, Vector512<double> c) => Fms(Vector512.Create(a), b, c);

    /// <summary>a·b - c, lane by lane.</summary>
    [MethodImpl(Inline)]
    public static Vector512<float> Fms(Vector512<float> a, Vector512<float> b, Vector512<float> c) =>
        X86.Avx512F.IsSupported ? X86.Avx512F.FusedMultiplySubtract(a, b, c) : Vector512.MultiplyAddEstimate(a, b, -c);

    /// <summary>a·b - c with one number for all lanes.</summary>
    [MethodImpl(Inline)]
    public static Vector512<float> Fms(float a, Vector512<float> b, Vector512<float> c) => Fms(Vector512.Create(a), b, c);

    /// <summary>c - a·b, lane by lane.</summary>
    [MethodImpl(Inline)]
    public static Vector<double> Fnma(Vector<double> a, Vector<double> b, Vector<double> c) => X86.Fma.IsSupported && Vector<double>.Count == 4
        ? X86.Fma.MultiplyAddNegated(a.AsVector256(), b.AsVector256(), c.AsVector256()).AsVector()
        : Vector.MultiplyAddEstimate(-a, b, c);

    /// <summary>c - a·b with one number for all lanes.</summary>
    [MethodImpl(Inline)]
    public static Vector<double> Fnma(double a, Vector<double> b, Vector<double> c) => Fnma(Vector.Create(a), b, c);

    /// <summary>c - a·b, lane by lane.</summary>
    [MethodImpl(Inline)]
    public static Vector<float> Fnma(Vector<float> a, Vector<float> b, Vector<float> c) => X86.Fma.IsSupported && Vector<float>.Count == 8
        ? X86.Fma.MultiplyAddNegated(a.AsVector256(), b.AsVector256(), c.AsVector256()).AsVector()
        : Vector.MultiplyAddEstimate(-a, b, c);

    /// <summary>c - a·b with one number for all lanes.</summary>
    [MethodImpl(Inline)]
    public static Vector<float> Fnma(float a, Vector<float> b, Vector<float> c) => Fnma(Vector.Create(a), b, c);

    /// <summary>c - a·b, lane by lane.</summary>
    [MethodImpl(Inline)]
    public static Vector512<double> Fnma(Vector512<double> a, Vector512<double> b, Vector512<double> c) =>
        X86.Avx512F.IsSupported ? X86.Avx512F.FusedMultiplyAddNegated(a, b, c) : Vector512.MultiplyAddEstimate(-a, b, c);

    /// <summary>c - a·b with one number for all lanes.</summary>
    [MethodImpl(Inline)]
    public static Vector512<double> Fnma(double a, Vector512<double> b, Vector512<double> c) => Fnma(Vector512.Create(a), b, c);

    /// <summary>c - a·b, lane by lane.</summary>
    [MethodImpl(Inline)]
    public static Vector512<float> Fnma(Vector512<float> a, Vector512<float> b, Vector512<float> c) =>
        X86.Avx512F.IsSupported ? X86.Avx512F.FusedMultiplyAddNegated(a, b, c) : Vector512.MultiplyAddEstimate(-a, b, c);

    /// <summary>c - a·b with one number for all lanes.</summary>
    [MethodImpl(Inline)]
    public static Vector512<float> Fnma(float a, Vector512<float> b, Vector512<float> c) => Fnma(Vector512.Create(a), b, c);
}
