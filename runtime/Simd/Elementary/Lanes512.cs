using System.Runtime.Intrinsics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace DiffEqLang.Runtime.Simd;

/// <summary>The lanes of a <see cref="Vector512{T}"/> of float32 or float64.</summary>
internal readonly struct Lanes512<T>(Vector512<T> value) : ILanes<Lanes512<T>>
    where T : unmanaged
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <summary>The register.</summary>
    public readonly Vector512<T> Value = value;

    private static bool IsDouble
    {
        [MethodImpl(Inline)]
        get => typeof(T) == typeof(double);
    }

    private Vector512<double> Doubles
    {
        [MethodImpl(Inline)]
        get => Value.As<T, double>();
    }

    private Vector512<float> Singles
    {
        [MethodImpl(Inline)]
        get => Value.As<T, float>();
    }

    private Vector512<long> Longs
    {
        [MethodImpl(Inline)]
        get => Value.As<T, long>();
    }

    private Vector512<int> Ints
    {
        [MethodImpl(Inline)]
        get => Value.As<T, int>();
    }

    /// <inheritdoc/>
    public static bool IsFused
    {
        [MethodImpl(Inline)]
        get => Avx512F.IsSupported || Fma.IsSupported || AdvSimd.IsSupported;
    }

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Lanes512<T> Of(double value) =>
        IsDouble ? From(Vector512.Create(value)) : From(Vector512.Create((float)value));

    [MethodImpl(Inline)]
    public static Lanes512<T> operator +(Lanes512<T> a, Lanes512<T> b) => new(a.Value + b.Value);

    [MethodImpl(Inline)]
    public static Lanes512<T> operator -(Lanes512<T> a, Lanes512<T> b) => new(a.Value - b.Value);

    [MethodImpl(Inline)]
    public static Lanes512<T> operator *(Lanes512<T> a, Lanes512<T> b) => new(a.Value * b.Value);

    [MethodImpl(Inline)]
    public static Lanes512<T> operator /(Lanes512<T> a, Lanes512<T> b) => new(a.Value / b.Value);

    [MethodImpl(Inline)]
    public static Lanes512<T> operator -(Lanes512<T> a) => new(-a.Value);

    [MethodImpl(Inline)]
    public static Lanes512<T> operator &(Lanes512<T> a, Lanes512<T> b) => new(a.Value & b.Value);

    [MethodImpl(Inline)]
    public static Lanes512<T> operator |(Lanes512<T> a, Lanes512<T> b) => new(a.Value | b.Value);

    [MethodImpl(Inline)]
    public static Lanes512<T> operator ^(Lanes512<T> a, Lanes512<T> b) => new(a.Value ^ b.Value);

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Lanes512<T> AndNot(Lanes512<T> a, Lanes512<T> b) => new(Vector512.AndNot(a.Value, b.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Lanes512<T> MultiplyAdd(Lanes512<T> a, Lanes512<T> b, Lanes512<T> c) =>
        !IsFused ? new(a.Value * b.Value + c.Value)
        : IsDouble ? From(Vector512.FusedMultiplyAdd(a.Doubles, b.Doubles, c.Doubles))
        : From(Vector512.FusedMultiplyAdd(a.Singles, b.Singles, c.Singles));

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Lanes512<T> Sqrt(Lanes512<T> a) => new(Vector512.Sqrt(a.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Lanes512<T> Abs(Lanes512<T> a) => new(Vector512.Abs(a.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Lanes512<T> Min(Lanes512<T> a, Lanes512<T> b) => new(Vector512.MinNative(a.Value, b.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Lanes512<T> Max(Lanes512<T> a, Lanes512<T> b) => new(Vector512.MaxNative(a.Value, b.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Lanes512<T> Select(Lanes512<T> mask, Lanes512<T> a, Lanes512<T> b) =>
        new(Vector512.ConditionalSelect(mask.Value, a.Value, b.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Lanes512<T> LessThan(Lanes512<T> a, Lanes512<T> b) => new(Vector512.LessThan<T>(a.Value, b.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Lanes512<T> Equal(Lanes512<T> a, Lanes512<T> b) => new(Vector512.Equals<T>(a.Value, b.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static bool Any(Lanes512<T> mask) => mask.Longs != Vector512<long>.Zero;

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Lanes512<T> AddBits(Lanes512<T> a, Lanes512<T> b) =>
        IsDouble ? From(a.Longs + b.Longs) : From(a.Ints + b.Ints);

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Lanes512<T> SubtractBits(Lanes512<T> a, Lanes512<T> b) =>
        IsDouble ? From(a.Longs - b.Longs) : From(a.Ints - b.Ints);

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Lanes512<T> ShiftLeft(Lanes512<T> a, int count) => IsDouble ? From(a.Longs << count) : From(a.Ints << count);

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Lanes512<T> ShiftRight(Lanes512<T> a, int count) => IsDouble ? From(a.Longs >>> count) : From(a.Ints >>> count);

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Lanes512<T> LowestBit(Lanes512<T> a) => IsDouble
        ? From(Vector512.Equals(a.Longs & Vector512<long>.One, Vector512<long>.One))
        : From(Vector512.Equals(a.Ints & Vector512<int>.One, Vector512<int>.One));

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Lanes512<T> Scale(Lanes512<T> x, Lanes512<T> n) =>
        Avx512F.IsSupported
            ? IsDouble ? From(Avx512F.Scale(x.Doubles, n.Doubles)) : From(Avx512F.Scale(x.Singles, n.Singles))
        : IsDouble ? PowerOfTwo.Scale<Lanes512<T>, Float64<Lanes512<T>>>(x, n)
        : PowerOfTwo.Scale<Lanes512<T>, Float32<Lanes512<T>>>(x, n);

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

    [MethodImpl(Inline)]
    private static Lanes512<T> From<TOther>(Vector512<TOther> value) => new(value.As<TOther, T>());
}
