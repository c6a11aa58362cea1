using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace DiffEqLang.Runtime.Simd;

/// <summary>Products of whole layers' weights, for generated kernels: what is too wide to be written out element by element.</summary>
public static class Dense
{
    /// <summary>result = W x for each of several vectors side by side.</summary>
    /// <param name="weights">W, [rows, columns], row-major.</param>
    /// <param name="x">[columns, directions].</param>
    /// <param name="result">[rows, directions].</param>
    /// <param name="directions">How many vectors there are.</param>
    /// <exception cref="ArgumentException">The lengths do not fit together.</exception>
    public static void Product(ReadOnlySpan<float> weights, ReadOnlySpan<Vector<float>> x, Span<Vector<float>> result, int directions = 1) =>
        Multiply<Vector<float>, float, Fused32>(weights, x, result, directions, transposed: false);

    /// <summary>result = Wᵀ x for each of several vectors side by side.</summary>
    /// <param name="weights">W, [rows, columns], row-major.</param>
    /// <param name="x">[rows, directions].</param>
    /// <param name="result">[columns, directions].</param>
    /// <param name="directions">How many vectors there are.</param>
    /// <exception cref="ArgumentException">The lengths do not fit together.</exception>
    public static void TransposedProduct(ReadOnlySpan<float> weights, ReadOnlySpan<Vector<float>> x, Span<Vector<float>> result, int directions = 1) =>
        Multiply<Vector<float>, float, Fused32>(weights, x, result, directions, transposed: true);

    /// <summary>into += left rightᵀ, summed over lanes and directions.</summary>
    /// <param name="left">[rows, directions].</param>
    /// <param name="right">[columns, directions].</param>
    /// <param name="into">
    /// As many registers as there are weights, [rows · columns]; the sums stand number by number, row-major, in the first of them
    /// (<see cref="LaneKernel{TRegister}.SummedOverLanes"/>).
    /// </param>
    /// <param name="directions">How many outer products there are.</param>
    /// <exception cref="ArgumentException">The lengths do not fit together.</exception>
    public static void AddOuter(ReadOnlySpan<Vector<float>> left, ReadOnlySpan<Vector<float>> right, Span<Vector<float>> into, int directions = 1) =>
        Outer<Vector<float>, float, Fused32>(left, right, into, directions, 1);

    /// <summary>into -= left rightᵀ, as <see cref="AddOuter(ReadOnlySpan{Vector{float}}, ReadOnlySpan{Vector{float}}, Span{Vector{float}}, int)"/>.</summary>
    public static void SubtractOuter(ReadOnlySpan<Vector<float>> left, ReadOnlySpan<Vector<float>> right, Span<Vector<float>> into, int directions = 1) =>
        Outer<Vector<float>, float, Fused32>(left, right, into, directions, -1);

    /// <summary>result = W x for each of several vectors side by side.</summary>
    /// <param name="weights">W, [rows, columns], row-major.</param>
    /// <param name="x">[columns, directions].</param>
    /// <param name="result">[rows, directions].</param>
    /// <param name="directions">How many vectors there are.</param>
    /// <exception cref="ArgumentException">The lengths do not fit together.</exception>
    public static void Product(ReadOnlySpan<double> weights, ReadOnlySpan<Vector<double>> x, Span<Vector<double>> result, int directions = 1) =>
        Multiply<Vector<double>, double, Fused64>(weights, x, result, directions, transposed: false);

    /// <summary>result = Wᵀ x for each of several vectors side by side.</summary>
    /// <param name="weights">W, [rows, columns], row-major.</param>
    /// <param name="x">[rows, directions].</param>
    /// <param name="result">[columns, directions].</param>
    /// <param name="directions">How many vectors there are.</param>
    /// <exception cref="ArgumentException">The lengths do not fit together.</exception>
    public static void TransposedProduct(ReadOnlySpan<double> weights, ReadOnlySpan<Vector<double>> x, Span<Vector<double>> result, int directions = 1) =>
        Multiply<Vector<double>, double, Fused64>(weights, x, result, directions, transposed: true);

    /// <summary>into += left rightᵀ, summed over lanes and directions.</summary>
    /// <param name="left">[rows, directions].</param>
    /// <param name="right">[columns, directions].</param>
    /// <param name="into">
    /// As many registers as there are weights, [rows · columns]; the sums stand number by number, row-major, in the first of them
    /// (<see cref="LaneKernel{TRegister}.SummedOverLanes"/>).
    /// </param>
    /// <param name="directions">How many outer products there are.</param>
    /// <exception cref="ArgumentException">The lengths do not fit together.</exception>
    public static void AddOuter(ReadOnlySpan<Vector<double>> left, ReadOnlySpan<Vector<double>> right, Span<Vector<double>> into, int directions = 1) =>
        Outer<Vector<double>, double, Fused64>(left, right, into, directions, 1);

    /// <summary>into -= left rightᵀ, as <see cref="AddOuter(ReadOnlySpan{Vector{double}}, ReadOnlySpan{Vector{double}}, Span{Vector{double}}, int)"/>.</summary>
    public static void SubtractOuter(ReadOnlySpan<Vector<double>> left, ReadOnlySpan<Vector<double>> right, Span<Vector<double>> into, int directions = 1) =>
        Outer<Vector<double>, double, Fused64>(left, right, into, directions, -1);

    /// <summary>result = W x for each of several vectors side by side.</summary>
    /// <param name="weights">W, [rows, columns], row-major.</param>
    /// <param name="x">[columns, directions].</param>
    /// <param name="result">[rows, directions].</param>
    /// <param name="directions">How many vectors there are.</param>
    /// <exception cref="ArgumentException">The lengths do not fit together.</exception>
    public static void Product(ReadOnlySpan<float> weights, ReadOnlySpan<Vector512<float>> x, Span<Vector512<float>> result, int directions = 1) =>
        Multiply<Vector512<float>, float, Fused512Of32>(weights, x, result, directions, transposed: false);

    /// <summary>result = Wᵀ x for each of several vectors side by side.</summary>
    /// <param name="weights">W, [rows, columns], row-major.</param>
    /// <param name="x">[rows, directions].</param>
    /// <param name="result">[columns, directions].</param>
    /// <param name="directions">How many vectors there are.</param>
    /// <exception cref="ArgumentException">The lengths do not fit together.</exception>
    public static void TransposedProduct(ReadOnlySpan<float> weights, ReadOnlySpan<Vector512<float>> x, Span<Vector512<float>> result, int directions = 1) =>
        Multiply<Vector512<float>, float, Fused512Of32>(weights, x, result, directions, transposed: true);

    /// <summary>into += left rightᵀ, summed over lanes and directions.</summary>
    /// <param name="left">[rows, directions].</param>
    /// <param name="right">[columns, directions].</param>
    /// <param name="into">
    /// As many registers as there are weights, [rows · columns]; the sums stand number by number, row-major, in the first of them
    /// (<see cref="LaneKernel{TRegister}.SummedOverLanes"/>).
    /// </param>
    /// <param name="directions">How many outer products there are.</param>
    /// <exception cref="ArgumentException">The lengths do not fit together.</exception>
    public static void AddOuter(ReadOnlySpan<Vector512<float>> left, ReadOnlySpan<Vector512<float>> right, Span<Vector512<float>> into, int directions = 1) =>
        Outer<Vector512<float>, float, Fused512Of32>(left, right, into, directions, 1);

    /// <summary>into -= left rightᵀ, as <see cref="AddOuter(ReadOnlySpan{Vector512{float}}, ReadOnlySpan{Vector512{float}}, Span{Vector512{float}}, int)"/>.</summary>
    public static void SubtractOuter(ReadOnlySpan<Vector512<float>> left, ReadOnlySpan<Vector512<float>> right, Span<Vector512<float>> into, int directions = 1) =>
        Outer<Vector512<float>, float, Fused512Of32>(left, right, into, directions, -1);

    /// <summary>result = W x for each of several vectors side by side.</summary>
    /// <param name="weights">W, [rows, columns], row-major.</param>
    /// <param name="x">[columns, directions].</param>
    /// <param name="result">[rows, directions].</param>
    /// <param name="directions">How many vectors there are.</param>
    /// <exception cref="ArgumentException">The lengths do not fit together.</exception>
    public static void Product(ReadOnlySpan<double> weights, ReadOnlySpan<Vector512<double>> x, Span<Vector512<double>> result, int directions = 1) =>
        Multiply<Vector512<double>, double, Fused512Of64>(weights, x, result, directions, transposed: false);

    /// <summary>result = Wᵀ x for each of several vectors side by side.</summary>
    /// <param name="weights">W, [rows, columns], row-major.</param>
    /// <param name="x">[rows, directions].</param>
    /// <param name="result">[columns, directions].</param>
    /// <param name="directions">How many vectors there are.</param>
    /// <exception cref="ArgumentException">The lengths do not fit together.</exception>
    public static void TransposedProduct(ReadOnlySpan<double> weights, ReadOnlySpan<Vector512<double>> x, Span<Vector512<double>> result, int directions = 1) =>
        Multiply<Vector512<double>, double, Fused512Of64>(weights, x, result, directions, transposed: true);

    /// <summary>into += left rightᵀ, summed over lanes and directions.</summary>
    /// <param name="left">[rows, directions].</param>
    /// <param name="right">[columns, directions].</param>
    /// <param name="into">
    /// As many registers as there are weights, [rows · columns]; the sums stand number by number, row-major, in the first of them
    /// (<see cref="LaneKernel{TRegister}.SummedOverLanes"/>).
    /// </param>
    /// <param name="directions">How many outer products there are.</param>
    /// <exception cref="ArgumentException">The lengths do not fit together.</exception>
    public static void AddOuter(ReadOnlySpan<Vector512<double>> left, ReadOnlySpan<Vector512<double>> right, Span<Vector512<double>> into, int directions = 1) =>
        Outer<Vector512<double>, double, Fused512Of64>(left, right, into, directions, 1);

    /// <summary>into -= left rightᵀ, as <see cref="AddOuter(ReadOnlySpan{Vector512{double}}, ReadOnlySpan{Vector512{double}}, Span{Vector512{double}}, int)"/>.</summary>
    public static void SubtractOuter(ReadOnlySpan<Vector512<double>> left, ReadOnlySpan<Vector512<double>> right, Span<Vector512<double>> into, int directions = 1) =>
        Outer<Vector512<double>, double, Fused512Of64>(left, right, into, directions, -1);

    private static void Multiply<TRegister, T, TFused>(
        ReadOnlySpan<T> weights, ReadOnlySpan<TRegister> x, Span<TRegister> result, int directions, bool transposed)
        where TRegister : struct
        where T : unmanaged
        where TFused : IFusedProducts<TRegister, T>
    {
        var (rows, columns) = (result.Length / directions, x.Length / directions);
        if (rows * directions != result.Length || columns * directions != x.Length || rows * columns != weights.Length)
            throw new ArgumentException($"{weights.Length} weights are no matrix between {x.Length} and {result.Length} registers in {directions} directions.");
        DenseProducts<TRegister, T, TFused>.Multiply(
            ref MemoryMarshal.GetReference(weights), transposed ? 1 : columns, transposed ? rows : 1, x, result, directions);
    }

    private static void Outer<TRegister, T, TFused>(
        ReadOnlySpan<TRegister> left, ReadOnlySpan<TRegister> right, Span<TRegister> into, int directions, T sign)
        where TRegister : struct
        where T : unmanaged, INumber<T>
        where TFused : IFusedProducts<TRegister, T>
    {
        if (left.Length % directions != 0 || right.Length % directions != 0
            || left.Length / directions * (right.Length / directions) != into.Length)
            throw new ArgumentException($"{into.Length} weights are no matrix between {left.Length} and {right.Length} registers in {directions} directions.");
        DenseGradients<TRegister, T, TFused>.Add(
            MemoryMarshal.Cast<TRegister, T>(left), MemoryMarshal.Cast<TRegister, T>(right), MemoryMarshal.Cast<TRegister, T>(into),
            directions, sign);
    }
}
