using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace DiffEqLang.Runtime.Simd;

/// <summary>
/// Products of weights, one number for all lanes, with registers. Rows are taken several at once: a register that is loaded serves
/// all of them, and as many sums hide the latency of multiply-add.
/// </summary>
/// <remarks>
/// Every sum runs over its terms in order, so that a sample's result does not depend on its place. The loops address memory without
/// checks: <see cref="Dense"/> has compared the lengths before.
/// </remarks>
/// <typeparam name="TRegister">The register.</typeparam>
/// <typeparam name="T">float or double, its lanes and the weights.</typeparam>
/// <typeparam name="TFused">Its multiply-add.</typeparam>
internal static class DenseProducts<TRegister, T, TFused>
    where TRegister : struct
    where T : unmanaged
    where TFused : IFusedProducts<TRegister, T>
{
    /// <summary>result[i, d] = Σⱼ weights(i, j) x[j, d].</summary>
    /// <param name="weights">The weight at i = j = 0.</param>
    /// <param name="rowStride">How far apart weights of neighbouring i lie.</param>
    /// <param name="columnStride">How far apart those of neighbouring j lie.</param>
    /// <param name="x">[columns, directions].</param>
    /// <param name="result">[rows, directions].</param>
    /// <param name="directions">How many vectors are multiplied.</param>
    public static void Multiply(
        ref T weights, nint rowStride, nint columnStride, ReadOnlySpan<TRegister> x, Span<TRegister> result, int directions)
    {
        var (rows, columns) = (result.Length / directions, x.Length / directions);
        for (var direction = 0; direction < directions;)
        {
            ref var source = ref Unsafe.Add(ref MemoryMarshal.GetReference(x), direction);
            ref var target = ref Unsafe.Add(ref MemoryMarshal.GetReference(result), direction);
            var isPair = direction + 1 < directions;
            var atOnce = isPair ? 4 : 8;
            var row = 0;
            for (; row + atOnce <= rows; row += atOnce)
            {
                ref var own = ref Unsafe.Add(ref weights, row * rowStride);
                ref var into = ref Unsafe.Add(ref target, row * directions);
                if (isPair) FourRowsOfPairs(ref own, rowStride, columnStride, columns, ref source, directions, ref into);
                else EightRows(ref own, rowStride, columnStride, columns, ref source, directions, ref into);
            }

            for (; row < rows; row++)
                for (var side = 0; side < (isPair ? 2 : 1); side++)
                    OneRow(
                        ref Unsafe.Add(ref weights, row * rowStride), columnStride, columns, ref Unsafe.Add(ref source, side), directions,
                        ref Unsafe.Add(ref target, row * directions + side));
            direction += isPair ? 2 : 1;
        }
    }

    private static void EightRows(
        ref T weights, nint rowStride, nint columnStride, int columns, ref TRegister x, nint stride, ref TRegister into)
    {
        TRegister s0 = default, s1 = default, s2 = default, s3 = default, s4 = default, s5 = default, s6 = default, s7 = default;
        ref var lower = ref Unsafe.Add(ref weights, 4 * rowStride);
        var (second, third) = (2 * rowStride, 3 * rowStride);
        for (var j = 0; j < columns; j++)
        {
            var value = x;
            s0 = TFused.Fma(weights, value, s0);
            s1 = TFused.Fma(Unsafe.Add(ref weights, rowStride), value, s1);
            s2 = TFused.Fma(Unsafe.Add(ref weights, second), value, s2);
            s3 = TFused.Fma(Unsafe.Add(ref weights, third), value, s3);
            s4 = TFused.Fma(lower, value, s4);
            s5 = TFused.Fma(Unsafe.Add(ref lower, rowStride), value, s5);
            s6 = TFused.Fma(Unsafe.Add(ref lower, second), value, s6);
            s7 = TFused.Fma(Unsafe.Add(ref lower, third), value, s7);
            weights = ref Unsafe.Add(ref weights, columnStride);
            lower = ref Unsafe.Add(ref lower, columnStride);
            x = ref Unsafe.Add(ref x, stride);
        }

        into = s0;
        Unsafe.Add(ref into, stride) = s1;
        Unsafe.Add(ref into, 2 * stride) = s2;
        Unsafe.Add(ref into, 3 * stride) = s3;
        Unsafe.Add(ref into, 4 * stride) = s4;
        Unsafe.Add(ref into, 5 * stride) = s5;
        Unsafe.Add(ref into, 6 * stride) = s6;
        Unsafe.Add(ref into, 7 * stride) = s7;
    }

    private static void FourRowsOfPairs(
        ref T weights, nint rowStride, nint columnStride, int columns, ref TRegister x, nint stride, ref TRegister into)
    {
        TRegister s0 = default, s1 = default, s2 = default, s3 = default, t0 = default, t1 = default, t2 = default, t3 = default;
        var (second, third) = (2 * rowStride, 3 * rowStride);
        for (var j = 0; j < columns; j++)
        {
            var left = x;
            var right = Unsafe.Add(ref x, 1);
            s0 = TFused.Fma(weights, left, s0);
            t0 = TFused.Fma(weights, right, t0);
            s1 = TFused.Fma(Unsafe.Add(ref weights, rowStride), left, s1);
            t1 = TFused.Fma(Unsafe.Add(ref weights, rowStride), right, t1);
            s2 = TFused.Fma(Unsafe.Add(ref weights, second), left, s2);
            t2 = TFused.Fma(Unsafe.Add(ref weights, second), right, t2);
            s3 = TFused.Fma(Unsafe.Add(ref weights, third), left, s3);
            t3 = TFused.Fma(Unsafe.Add(ref weights, third), right, t3);
            weights = ref Unsafe.Add(ref weights, columnStride);
            x = ref Unsafe.Add(ref x, stride);
        }

        into = s0;
        Unsafe.Add(ref into, 1) = t0;
        into = ref Unsafe.Add(ref into, stride);
        into = s1;
        Unsafe.Add(ref into, 1) = t1;
        into = ref Unsafe.Add(ref into, stride);
        into = s2;
        Unsafe.Add(ref into, 1) = t2;
        into = ref Unsafe.Add(ref into, stride);
        into = s3;
        Unsafe.Add(ref into, 1) = t3;
    }

    private static void OneRow(ref T weights, nint columnStride, int columns, ref TRegister x, nint stride, ref TRegister into)
    {
        var sum = default(TRegister);
        for (var j = 0; j < columns; j++)
            sum = TFused.Fma(Unsafe.Add(ref weights, j * columnStride), Unsafe.Add(ref x, j * stride), sum);
        into = sum;
    }
}
