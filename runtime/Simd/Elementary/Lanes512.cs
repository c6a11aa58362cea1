using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace DiffEqLang.Runtime.Simd;

/// <summary>The lanes of a <see cref="Vector512{T}"/> of float32 or float64.</summary>
/// <remarks>
/// A method is out of variables for inlining at 512. A cast of bits takes one less than a constructor, and a test of the type that
/// stands in the method itself is decided before the other branch is looked at.
/// </remarks>
internal readonly struct Lanes512<T>(Vector512<T> value) : ILanes<Lanes512<T>>
    where T : unmanaged
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <summary>The register.</summary>
    public readonly Vector512<T> Value = value;

    /// <inheritdoc/>
    public static bool IsFused
    {
        [MethodImpl(Inline)]
        get => Avx512F.IsSupported || Fma.IsSupported || AdvSimd.IsSupported;
    }

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Lanes512<T> Of(double value) => typeof(T) == typeof(double)
        ? Unsafe.BitCast<Vector512<double>, Lanes512<T>>(Vector512.Create(value))
        : Unsafe.BitCast<Vector512<float>, Lanes512<T>>(Vector512.Create((float)value));

    [MethodImpl(Inline)]
    public static Lanes512<T> operator +(Lanes512<T> a, Lanes512<T> b) => Unsafe.BitCast<Vector512<T>, Lanes512<T>>(a.Value + b.Value);

    [MethodImpl(Inline)]
    public static Lanes512<T> operator -(Lanes512<T> a, Lanes512<T> b) => Unsafe.BitCast<Vector512<T>, Lanes512<T>>(a.Value - b.Value);

    [MethodImpl(Inline)]
    public static Lanes512<T> operator *(Lanes512<T> a, Lanes512<T> b) => Unsafe.BitCast<Vector512<T>, Lanes512<T>>(a.Value * b.Value);

    [MethodImpl(Inline)]
    public static Lanes512<T> operator /(Lanes512<T> a, Lanes512<T> b) => Unsafe.BitCast<Vector512<T>, Lanes512<T>>(a.Value / b.Value);

    [MethodImpl(Inline)]
    public static Lanes512<T> operator -(Lanes512<T> a) => Unsafe.BitCast<Vector512<T>, Lanes512<T>>(-a.Value);

    [MethodImpl(Inline)]
    public static Lanes512<T> operator &(Lanes512<T> a, Lanes512<T> b) => Unsafe.BitCast<Vector512<T>, Lanes512<T>>(a.Value & b.Value);

    [MethodImpl(Inline)]
    public static Lanes512<T> operator |(Lanes512<T> a, Lanes512<T> b) => Unsafe.BitCast<Vector512<T>, Lanes512<T>>(a.Value | b.Value);

    [MethodImpl(Inline)]
    public static Lanes512<T> operator ^(Lanes512<T> a, Lanes512<T> b) => Unsafe.BitCast<Vector512<T>, Lanes512<T>>(a.Value ^ b.Value);

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Lanes512<T> AndNot(Lanes512<T> a, Lanes512<T> b) =>
        Unsafe.BitCast<Vector512<T>, Lanes512<T>>(Vector512.AndNot(a.Value, b.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Lanes512<T> MultiplyAdd(Lanes512<T> a, Lanes512<T> b, Lanes512<T> c)
    {
        if (!(Avx512F.IsSupported || Fma.IsSupported || AdvSimd.IsSupported))
            return Unsafe.BitCast<Vector512<T>, Lanes512<T>>(a.Value * b.Value + c.Value);
        return typeof(T) == typeof(double)
            ? Unsafe.BitCast<Vector512<double>, Lanes512<T>>(Vector512.FusedMultiplyAdd(
                a.Value.As<T, double>(), b.Value.As<T, double>(), c.Value.As<T, double>()))
            : Unsafe.BitCast<Vector512<float>, Lanes512<T>>(Vector512.FusedMultiplyAdd(
                a.Value.As<T, float>(), b.Value.As<T, float>(), c.Value.As<T, float>()));
    }

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Lanes512<T> NegatedMultiplyAdd(Lanes512<T> a, Lanes512<T> b, Lanes512<T> c)
    {
        if (!(Avx512F.IsSupported || Fma.IsSupported || AdvSimd.IsSupported))
            return Unsafe.BitCast<Vector512<T>, Lanes512<T>>(c.Value - a.Value * b.Value);
        return typeof(T) == typeof(double)
            ? Unsafe.BitCast<Vector512<double>, Lanes512<T>>(Vector512.FusedMultiplyAdd(
                a.Value.As<T, double>(), -b.Value.As<T, double>(), c.Value.As<T, double>()))
            : Unsafe.BitCast<Vector512<float>, Lanes512<T>>(Vector512.FusedMultiplyAdd(
                a.Value.As<T, float>(), -b.Value.As<T, float>(), c.Value.As<T, float>()));
    }

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Lanes512<T> Sqrt(Lanes512<T> a) => Unsafe.BitCast<Vector512<T>, Lanes512<T>>(Vector512.Sqrt(a.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Lanes512<T> Abs(Lanes512<T> a) => Unsafe.BitCast<Vector512<T>, Lanes512<T>>(Vector512.Abs(a.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Lanes512<T> Min(Lanes512<T> a, Lanes512<T> b) =>
        Unsafe.BitCast<Vector512<T>, Lanes512<T>>(Vector512.MinNative(a.Value, b.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Lanes512<T> Max(Lanes512<T> a, Lanes512<T> b) =>
        Unsafe.BitCast<Vector512<T>, Lanes512<T>>(Vector512.MaxNative(a.Value, b.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Lanes512<T> Select(Lanes512<T> mask, Lanes512<T> a, Lanes512<T> b) =>
        Unsafe.BitCast<Vector512<T>, Lanes512<T>>(Vector512.ConditionalSelect(mask.Value, a.Value, b.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Lanes512<T> LessThan(Lanes512<T> a, Lanes512<T> b) =>
        Unsafe.BitCast<Vector512<T>, Lanes512<T>>(Vector512.LessThan<T>(a.Value, b.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Lanes512<T> Equal(Lanes512<T> a, Lanes512<T> b) =>
        Unsafe.BitCast<Vector512<T>, Lanes512<T>>(Vector512.Equals<T>(a.Value, b.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static bool Any(Lanes512<T> mask) => mask.Value.As<T, long>() != Vector512<long>.Zero;

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Lanes512<T> AddBits(Lanes512<T> a, Lanes512<T> b) => typeof(T) == typeof(double)
        ? Unsafe.BitCast<Vector512<long>, Lanes512<T>>(a.Value.As<T, long>() + b.Value.As<T, long>())
        : Unsafe.BitCast<Vector512<int>, Lanes512<T>>(a.Value.As<T, int>() + b.Value.As<T, int>());

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Lanes512<T> SubtractBits(Lanes512<T> a, Lanes512<T> b) => typeof(T) == typeof(double)
        ? Unsafe.BitCast<Vector512<long>, Lanes512<T>>(a.Value.As<T, long>() - b.Value.As<T, long>())
        : Unsafe.BitCast<Vector512<int>, Lanes512<T>>(a.Value.As<T, int>() - b.Value.As<T, int>());

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Lanes512<T> ShiftLeft(Lanes512<T> a, int count) => typeof(T) == typeof(double)
        ? Unsafe.BitCast<Vector512<long>, Lanes512<T>>(a.Value.As<T, long>() << count)
        : Unsafe.BitCast<Vector512<int>, Lanes512<T>>(a.Value.As<T, int>() << count);

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Lanes512<T> ShiftRight(Lanes512<T> a, int count) => typeof(T) == typeof(double)
        ? Unsafe.BitCast<Vector512<long>, Lanes512<T>>(a.Value.As<T, long>() >>> count)
        : Unsafe.BitCast<Vector512<int>, Lanes512<T>>(a.Value.As<T, int>() >>> count);

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Lanes512<T> LowestBit(Lanes512<T> a) => typeof(T) == typeof(double)
        ? Unsafe.BitCast<Vector512<long>, Lanes512<T>>(Vector512.Equals(a.Value.As<T, long>() & Vector512<long>.One, Vector512<long>.One))
        : Unsafe.BitCast<Vector512<int>, Lanes512<T>>(Vector512.Equals(a.Value.As<T, int>() & Vector512<int>.One, Vector512<int>.One));

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Lanes512<T> Scale(Lanes512<T> x, Lanes512<T> n)
    {
        if (Avx512F.IsSupported)
            return typeof(T) == typeof(double)
                ? Unsafe.BitCast<Vector512<double>, Lanes512<T>>(Avx512F.Scale(x.Value.As<T, double>(), n.Value.As<T, double>()))
                : Unsafe.BitCast<Vector512<float>, Lanes512<T>>(Avx512F.Scale(x.Value.As<T, float>(), n.Value.As<T, float>()));
        return typeof(T) == typeof(double)
            ? PowerOfTwo.Scale<Lanes512<T>, Float64<Lanes512<T>>>(x, n)
            : PowerOfTwo.Scale<Lanes512<T>, Float32<Lanes512<T>>>(x, n);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static Lanes512<T> Map(Lanes512<T> x, Func<double, double> function)
    {
        var values = MemoryMarshal.CreateSpan(ref Unsafe.As<Lanes512<T>, T>(ref x), Vector512<T>.Count);
        LaneByLane.Map(values, function);
        return x;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static Lanes512<T> Map(Lanes512<T> x, Lanes512<T> y, Func<double, double, double> function)
    {
        var values = MemoryMarshal.CreateSpan(ref Unsafe.As<Lanes512<T>, T>(ref x), Vector512<T>.Count);
        LaneByLane.Map(values, MemoryMarshal.CreateReadOnlySpan(ref Unsafe.As<Lanes512<T>, T>(ref y), Vector512<T>.Count), function);
        return x;
    }
}
