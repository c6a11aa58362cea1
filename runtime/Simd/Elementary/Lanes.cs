using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace DiffEqLang.Runtime.Simd;

/// <summary>The lanes of a <see cref="Vector{T}"/> of float32 or float64.</summary>
/// <remarks>
/// A method is out of variables for inlining at 512. A cast of bits takes one less than a constructor, and a test of the type that
/// stands in the method itself is decided before the other branch is looked at.
/// </remarks>
internal readonly struct Lanes<T>(Vector<T> value) : ILanes<Lanes<T>>
    where T : unmanaged
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <summary>The register.</summary>
    public readonly Vector<T> Value = value;

    /// <inheritdoc/>
    public static bool IsFused
    {
        [MethodImpl(Inline)]
        get => Fma.IsSupported || AdvSimd.IsSupported;
    }

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Lanes<T> Of(double value) => typeof(T) == typeof(double)
        ? Unsafe.BitCast<Vector<double>, Lanes<T>>(Vector.Create(value))
        : Unsafe.BitCast<Vector<float>, Lanes<T>>(Vector.Create((float)value));

    [MethodImpl(Inline)]
    public static Lanes<T> operator +(Lanes<T> a, Lanes<T> b) => Unsafe.BitCast<Vector<T>, Lanes<T>>(a.Value + b.Value);

    [MethodImpl(Inline)]
    public static Lanes<T> operator -(Lanes<T> a, Lanes<T> b) => Unsafe.BitCast<Vector<T>, Lanes<T>>(a.Value - b.Value);

    [MethodImpl(Inline)]
    public static Lanes<T> operator *(Lanes<T> a, Lanes<T> b) => Unsafe.BitCast<Vector<T>, Lanes<T>>(a.Value * b.Value);

    [MethodImpl(Inline)]
    public static Lanes<T> operator /(Lanes<T> a, Lanes<T> b) => Unsafe.BitCast<Vector<T>, Lanes<T>>(a.Value / b.Value);

    [MethodImpl(Inline)]
    public static Lanes<T> operator -(Lanes<T> a) => Unsafe.BitCast<Vector<T>, Lanes<T>>(-a.Value);

    [MethodImpl(Inline)]
    public static Lanes<T> operator &(Lanes<T> a, Lanes<T> b) => Unsafe.BitCast<Vector<T>, Lanes<T>>(a.Value & b.Value);

    [MethodImpl(Inline)]
    public static Lanes<T> operator |(Lanes<T> a, Lanes<T> b) => Unsafe.BitCast<Vector<T>, Lanes<T>>(a.Value | b.Value);

    [MethodImpl(Inline)]
    public static Lanes<T> operator ^(Lanes<T> a, Lanes<T> b) => Unsafe.BitCast<Vector<T>, Lanes<T>>(a.Value ^ b.Value);

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Lanes<T> AndNot(Lanes<T> a, Lanes<T> b) =>
        Unsafe.BitCast<Vector<T>, Lanes<T>>(Vector.AndNot(a.Value, b.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Lanes<T> MultiplyAdd(Lanes<T> a, Lanes<T> b, Lanes<T> c)
    {
        if (!(Fma.IsSupported || AdvSimd.IsSupported))
            return Unsafe.BitCast<Vector<T>, Lanes<T>>(a.Value * b.Value + c.Value);
        return typeof(T) == typeof(double)
            ? Unsafe.BitCast<Vector<double>, Lanes<T>>(Vector.FusedMultiplyAdd(
                a.Value.As<T, double>(), b.Value.As<T, double>(), c.Value.As<T, double>()))
            : Unsafe.BitCast<Vector<float>, Lanes<T>>(Vector.FusedMultiplyAdd(
                a.Value.As<T, float>(), b.Value.As<T, float>(), c.Value.As<T, float>()));
    }

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Lanes<T> NegatedMultiplyAdd(Lanes<T> a, Lanes<T> b, Lanes<T> c)
    {
        if (!(Fma.IsSupported || AdvSimd.IsSupported))
            return Unsafe.BitCast<Vector<T>, Lanes<T>>(c.Value - a.Value * b.Value);
        return typeof(T) == typeof(double)
            ? Unsafe.BitCast<Vector<double>, Lanes<T>>(Vector.FusedMultiplyAdd(
                a.Value.As<T, double>(), -b.Value.As<T, double>(), c.Value.As<T, double>()))
            : Unsafe.BitCast<Vector<float>, Lanes<T>>(Vector.FusedMultiplyAdd(
                a.Value.As<T, float>(), -b.Value.As<T, float>(), c.Value.As<T, float>()));
    }

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Lanes<T> Sqrt(Lanes<T> a) => Unsafe.BitCast<Vector<T>, Lanes<T>>(Vector.SquareRoot(a.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Lanes<T> Abs(Lanes<T> a) => Unsafe.BitCast<Vector<T>, Lanes<T>>(Vector.Abs(a.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Lanes<T> Min(Lanes<T> a, Lanes<T> b) =>
        Unsafe.BitCast<Vector<T>, Lanes<T>>(Vector.MinNative(a.Value, b.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Lanes<T> Max(Lanes<T> a, Lanes<T> b) =>
        Unsafe.BitCast<Vector<T>, Lanes<T>>(Vector.MaxNative(a.Value, b.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Lanes<T> Select(Lanes<T> mask, Lanes<T> a, Lanes<T> b) =>
        Unsafe.BitCast<Vector<T>, Lanes<T>>(Vector.ConditionalSelect(mask.Value, a.Value, b.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Lanes<T> LessThan(Lanes<T> a, Lanes<T> b) =>
        Unsafe.BitCast<Vector<T>, Lanes<T>>(Vector.LessThan<T>(a.Value, b.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Lanes<T> Equal(Lanes<T> a, Lanes<T> b) =>
        Unsafe.BitCast<Vector<T>, Lanes<T>>(Vector.Equals<T>(a.Value, b.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static bool Any(Lanes<T> mask) => mask.Value.As<T, long>() != Vector<long>.Zero;

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Lanes<T> AddBits(Lanes<T> a, Lanes<T> b) => typeof(T) == typeof(double)
        ? Unsafe.BitCast<Vector<long>, Lanes<T>>(a.Value.As<T, long>() + b.Value.As<T, long>())
        : Unsafe.BitCast<Vector<int>, Lanes<T>>(a.Value.As<T, int>() + b.Value.As<T, int>());

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Lanes<T> SubtractBits(Lanes<T> a, Lanes<T> b) => typeof(T) == typeof(double)
        ? Unsafe.BitCast<Vector<long>, Lanes<T>>(a.Value.As<T, long>() - b.Value.As<T, long>())
        : Unsafe.BitCast<Vector<int>, Lanes<T>>(a.Value.As<T, int>() - b.Value.As<T, int>());

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Lanes<T> ShiftLeft(Lanes<T> a, int count) => typeof(T) == typeof(double)
        ? Unsafe.BitCast<Vector<long>, Lanes<T>>(a.Value.As<T, long>() << count)
        : Unsafe.BitCast<Vector<int>, Lanes<T>>(a.Value.As<T, int>() << count);

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Lanes<T> ShiftRight(Lanes<T> a, int count) => typeof(T) == typeof(double)
        ? Unsafe.BitCast<Vector<long>, Lanes<T>>(a.Value.As<T, long>() >>> count)
        : Unsafe.BitCast<Vector<int>, Lanes<T>>(a.Value.As<T, int>() >>> count);

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Lanes<T> LowestBit(Lanes<T> a) => typeof(T) == typeof(double)
        ? Unsafe.BitCast<Vector<long>, Lanes<T>>(Vector.Equals(a.Value.As<T, long>() & Vector<long>.One, Vector<long>.One))
        : Unsafe.BitCast<Vector<int>, Lanes<T>>(Vector.Equals(a.Value.As<T, int>() & Vector<int>.One, Vector<int>.One));

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Lanes<T> Scale(Lanes<T> x, Lanes<T> n) => typeof(T) == typeof(double)
        ? PowerOfTwo.Scale<Lanes<T>, Float64<Lanes<T>>>(x, n)
        : PowerOfTwo.Scale<Lanes<T>, Float32<Lanes<T>>>(x, n);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static Lanes<T> Map(Lanes<T> x, Func<double, double> function)
    {
        var values = MemoryMarshal.CreateSpan(ref Unsafe.As<Lanes<T>, T>(ref x), Vector<T>.Count);
        LaneByLane.Map(values, function);
        return x;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static Lanes<T> Map(Lanes<T> x, Lanes<T> y, Func<double, double, double> function)
    {
        var values = MemoryMarshal.CreateSpan(ref Unsafe.As<Lanes<T>, T>(ref x), Vector<T>.Count);
        LaneByLane.Map(values, MemoryMarshal.CreateReadOnlySpan(ref Unsafe.As<Lanes<T>, T>(ref y), Vector<T>.Count), function);
        return x;
    }
}
