using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace DiffEqLang.Runtime.Simd;

/// <summary>
/// Sums of outer products over the lanes: the gradients of weights. Registers hold neighbouring weights here instead of samples, so
/// that the sums take a fraction of the memory that sums lane by lane would and stay in the cache.
/// </summary>
/// <typeparam name="TRegister">The register.</typeparam>
/// <typeparam name="T">float or double, its lanes.</typeparam>
/// <typeparam name="TFused">Its multiply-add.</typeparam>
internal static class DenseGradients<TRegister, T, TFused>
    where TRegister : struct
    where T : unmanaged, INumber<T>
    where TFused : IFusedProducts<TRegister, T>
{
    private const int ColumnsAtOnce = 256, RowsAtOnce = 4;

    private static int Lanes => Unsafe.SizeOf<TRegister>() / Unsafe.SizeOf<T>();

    /// <summary>into[i, j] += sign Σ over d and lanes of left[i, d] right[j, d].</summary>
    /// <param name="left">[rows, directions, lanes].</param>
    /// <param name="right">[columns, directions, lanes].</param>
    /// <param name="into">[rows, columns].</param>
    /// <param name="directions">How many outer products there are.</param>
    /// <param name="sign">1 or -1.</param>
    [SkipLocalsInit]
    public static void Add(ReadOnlySpan<T> left, ReadOnlySpan<T> right, Span<T> into, int directions, T sign)
    {
        var stride = directions * Lanes;
        var (rows, columns) = (left.Length / stride, right.Length / stride);
        Span<T> block = stackalloc T[Lanes * ColumnsAtOnce];
        for (var direction = 0; direction < directions; direction++)
            for (var column = 0; column < columns; column += ColumnsAtOnce)
            {
                var count = Math.Min(ColumnsAtOnce, columns - column);
                Transpose(right[(column * stride + direction * Lanes)..], stride, count, sign, block);
                for (var row = 0; row < rows; row += RowsAtOnce)
                {
                    var several = Math.Min(RowsAtOnce, rows - row);
                    var own = left[(row * stride + direction * Lanes)..];
                    var target = into[(row * columns + column)..];
                    var done = several == RowsAtOnce ? FourRows(own, stride, block, count, target, columns) : 0;
                    for (var r = 0; r < several && done < count; r++)
                        OneRow(own.Slice(r * stride, Lanes), block, done, target.Slice(r * columns, count));
                }
            }
    }

    /// <summary>From column by column, lanes side by side, to lane by lane, columns side by side; with the sign.</summary>
    private static void Transpose(ReadOnlySpan<T> columns, int stride, int count, T sign, Span<T> block)
    {
        for (var j = 0; j < count; j++)
        {
            var own = columns.Slice(j * stride, Lanes);
            for (var (lane, place) = (0, j); lane < own.Length; lane++, place += ColumnsAtOnce) block[place] = sign * own[lane];
        }
    }

    /// <summary>Two registers of columns at a time; how many columns that were.</summary>
    private static int FourRows(ReadOnlySpan<T> left, nint stride, ReadOnlySpan<T> block, int count, Span<T> into, int columns)
    {
        var (third, fourth) = (2 * stride, 3 * stride);
        var j = 0;
        for (; j + 2 * Lanes <= count; j += 2 * Lanes)
        {
            TRegister s0 = default, s1 = default, s2 = default, s3 = default, t0 = default, t1 = default, t2 = default, t3 = default;
            ref var rows = ref Unsafe.Add(ref MemoryMarshal.GetReference(block), j);
            ref var factors = ref MemoryMarshal.GetReference(left);
            for (var lane = 0; lane < Lanes; lane++)
            {
                var a = Register(ref rows);
                var b = Register(ref Unsafe.Add(ref rows, Lanes));
                s0 = TFused.Fma(factors, a, s0);
                t0 = TFused.Fma(factors, b, t0);
                s1 = TFused.Fma(Unsafe.Add(ref factors, stride), a, s1);
                t1 = TFused.Fma(Unsafe.Add(ref factors, stride), b, t1);
                s2 = TFused.Fma(Unsafe.Add(ref factors, third), a, s2);
                t2 = TFused.Fma(Unsafe.Add(ref factors, third), b, t2);
                s3 = TFused.Fma(Unsafe.Add(ref factors, fourth), a, s3);
                t3 = TFused.Fma(Unsafe.Add(ref factors, fourth), b, t3);
                rows = ref Unsafe.Add(ref rows, ColumnsAtOnce);
                factors = ref Unsafe.Add(ref factors, 1);
            }

            ref var target = ref into[j];
            AddTo(ref target, s0, t0);
            AddTo(ref Unsafe.Add(ref target, columns), s1, t1);
            AddTo(ref Unsafe.Add(ref target, 2 * columns), s2, t2);
            AddTo(ref Unsafe.Add(ref target, 3 * columns), s3, t3);
        }

        return j;
    }

    private static void OneRow(ReadOnlySpan<T> left, ReadOnlySpan<T> block, int from, Span<T> into)
    {
        for (var j = from; j < into.Length; j++)
        {
            var sum = T.Zero;
            for (var (lane, place) = (0, j); lane < left.Length; lane++, place += ColumnsAtOnce) sum += left[lane] * block[place];
            into[j] += sum;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ref TRegister Register(ref T numbers) => ref Unsafe.As<T, TRegister>(ref numbers);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddTo(ref T numbers, TRegister first, TRegister second)
    {
        ref var low = ref Register(ref numbers);
        ref var high = ref Register(ref Unsafe.Add(ref numbers, Lanes));
        low = TFused.Fma(T.One, first, low);
        high = TFused.Fma(T.One, second, high);
    }
}
