using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace DiffEqLang.Runtime.Simd;

/// <summary>The lanes of a <see cref="Vector{T}"/> of float32 or float64.</summary>
internal readonly struct Lanes<T>(Vector<T> value) : ILanes<Lanes<T>>
    where T : unmanaged
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <summary>The register.</summary>
    public readonly Vector<T> Value = value;

    private static bool IsDouble
    {
        [MethodImpl(Inline)]
        get => typeof(T) == typeof(double);
    }

    private Vector<double> Doubles
    {
        [MethodImpl(Inline)]
        get => Value.As<T, double>();
    }

    private Vector<float> Singles
    {
        [MethodImpl(Inline)]
        get => Value.As<T, float>();
    }

    private Vector<long> Longs
    {
        [MethodImpl(Inline)]
        get => Value.As<T, long>();
    }

    private Vector<int> Ints
    {
        [MethodImpl(Inline)]
        get => Value.As<T, int>();
    }

    /// <inheritdoc/>
    public static bool IsFused
    {
        [MethodImpl(Inline)]
        get => Fma.IsSupported || AdvSimd.IsSupported;
    }

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Lanes<T> Of(double value) =>
        IsDouble ? From(Vector.Create(value)) : From(Vector.Create((float)value));

    [MethodImpl(Inline)]
    public static Lanes<T> operator +(Lanes<T> a, Lanes<T> b) => new(a.Value + b.Value);

    [MethodImpl(Inline)]
    public static Lanes<T> operator -(Lanes<T> a, Lanes<T> b) => new(a.Value - b.Value);

    [MethodImpl(Inline)]
    public static Lanes<T> operator *(Lanes<T> a, Lanes<T> b) => new(a.Value * b.Value);

    [MethodImpl(Inline)]
    public static Lanes<T> operator /(Lanes<T> a, Lanes<T> b) => new(a.Value / b.Value);

    [MethodImpl(Inline)]
    public static Lanes<T> operator -(Lanes<T> a) => new(-a.Value);

    [MethodImpl(Inline)]
    public static Lanes<T> operator &(Lanes<T> a, Lanes<T> b) => new(a.Value & b.Value);

    [MethodImpl(Inline)]
    public static Lanes<T> operator |(Lanes<T> a, Lanes<T> b) => new(a.Value | b.Value);

    [MethodImpl(Inline)]
    public static Lanes<T> operator ^(Lanes<T> a, Lanes<T> b) => new(a.Value ^ b.Value);

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Lanes<T> AndNot(Lanes<T> a, Lanes<T> b) => new(Vector.AndNot(a.Value, b.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Lanes<T> MultiplyAdd(Lanes<T> a, Lanes<T> b, Lanes<T> c) =>
        !IsFused ? new(a.Value * b.Value + c.Value)
        : IsDouble ? From(Vector.FusedMultiplyAdd(a.Doubles, b.Doubles, c.Doubles))
        : From(Vector.FusedMultiplyAdd(a.Singles, b.Singles, c.Singles));

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Lanes<T> Sqrt(Lanes<T> a) => new(Vector.SquareRoot(a.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Lanes<T> Abs(Lanes<T> a) => new(Vector.Abs(a.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Lanes<T> Min(Lanes<T> a, Lanes<T> b) => new(Vector.MinNative(a.Value, b.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Lanes<T> Max(Lanes<T> a, Lanes<T> b) => new(Vector.MaxNative(a.Value, b.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Lanes<T> Select(Lanes<T> mask, Lanes<T> a, Lanes<T> b) =>
        new(Vector.ConditionalSelect(mask.Value, a.Value, b.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Lanes<T> LessThan(Lanes<T> a, Lanes<T> b) => new(Vector.LessThan<T>(a.Value, b.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Lanes<T> Equal(Lanes<T> a, Lanes<T> b) => new(Vector.Equals<T>(a.Value, b.Value));

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static bool Any(Lanes<T> mask) => mask.Longs != Vector<long>.Zero;

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Lanes<T> AddBits(Lanes<T> a, Lanes<T> b) =>
        IsDouble ? From(a.Longs + b.Longs) : From(a.Ints + b.Ints);

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Lanes<T> SubtractBits(Lanes<T> a, Lanes<T> b) =>
        IsDouble ? From(a.Longs - b.Longs) : From(a.Ints - b.Ints);

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Lanes<T> ShiftLeft(Lanes<T> a, int count) => IsDouble ? From(a.Longs << count) : From(a.Ints << count);

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Lanes<T> ShiftRight(Lanes<T> a, int count) => IsDouble ? From(a.Longs >>> count) : From(a.Ints >>> count);

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Lanes<T> LowestBit(Lanes<T> a) => IsDouble
        ? From(Vector.Equals(a.Longs & Vector<long>.One, Vector<long>.One))
        : From(Vector.Equals(a.Ints & Vector<int>.One, Vector<int>.One));

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static Lanes<T> Scale(Lanes<T> x, Lanes<T> n) => IsDouble
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

    [MethodImpl(Inline)]
    private static Lanes<T> From<TOther>(Vector<TOther> value) => new(value.As<TOther, T>());
}
