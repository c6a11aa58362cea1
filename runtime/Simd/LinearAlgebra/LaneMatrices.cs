using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace DiffEqLang.Runtime.Simd;

/// <summary>
/// Linear algebra on small dense matrices of SIMD registers, row-major: lane i of every register belongs to the matrix of one
/// sample. A singular matrix spoils the results of its own lane alone. Nothing is allocated.
/// </summary>
public static class LaneMatrices
{
    /// <summary>The determinant; 0 where the matrix is singular.</summary>
    /// <param name="matrix">[n, n]; is overwritten.</param>
    /// <param name="n">The rows.</param>
    public static Vector512<double> Determinant(Span<Vector512<double>> matrix, int n) =>
        Elimination<Lanes512<double>>.Determinant(Wrapped(matrix), n).Value;

    /// <inheritdoc cref="Determinant(Span{Vector512{double}}, int)"/>
    public static Vector512<float> Determinant(Span<Vector512<float>> matrix, int n) =>
        Elimination<Lanes512<float>>.Determinant(Wrapped(matrix), n).Value;

    /// <inheritdoc cref="Determinant(Span{Vector512{double}}, int)"/>
    public static Vector<double> Determinant(Span<Vector<double>> matrix, int n) =>
        Elimination<Lanes<double>>.Determinant(Wrapped(matrix), n).Value;

    /// <inheritdoc cref="Determinant(Span{Vector512{double}}, int)"/>
    public static Vector<float> Determinant(Span<Vector<float>> matrix, int n) =>
        Elimination<Lanes<float>>.Determinant(Wrapped(matrix), n).Value;

    /// <summary>Solves A x = b; infinite or NaN where A is singular.</summary>
    /// <param name="matrix">A: [n, n]; is overwritten.</param>
    /// <param name="right">b: [n] or [n, columns]; becomes x.</param>
    /// <param name="n">The rows.</param>
    public static void Solve(Span<Vector512<double>> matrix, Span<Vector512<double>> right, int n) =>
        Elimination<Lanes512<double>>.Solve(Wrapped(matrix), Wrapped(right), n);

    /// <inheritdoc cref="Solve(Span{Vector512{double}}, Span{Vector512{double}}, int)"/>
    public static void Solve(Span<Vector512<float>> matrix, Span<Vector512<float>> right, int n) =>
        Elimination<Lanes512<float>>.Solve(Wrapped(matrix), Wrapped(right), n);

    /// <inheritdoc cref="Solve(Span{Vector512{double}}, Span{Vector512{double}}, int)"/>
    public static void Solve(Span<Vector<double>> matrix, Span<Vector<double>> right, int n) =>
        Elimination<Lanes<double>>.Solve(Wrapped(matrix), Wrapped(right), n);

    /// <inheritdoc cref="Solve(Span{Vector512{double}}, Span{Vector512{double}}, int)"/>
    public static void Solve(Span<Vector<float>> matrix, Span<Vector<float>> right, int n) =>
        Elimination<Lanes<float>>.Solve(Wrapped(matrix), Wrapped(right), n);

    /// <summary>The inverse; infinite or NaN where the matrix is singular.</summary>
    /// <param name="matrix">[n, n]; is overwritten.</param>
    /// <param name="inverse">Receives the inverse: [n, n].</param>
    /// <param name="n">The rows.</param>
    public static void Invert(Span<Vector512<double>> matrix, Span<Vector512<double>> inverse, int n) =>
        Elimination<Lanes512<double>>.Invert(Wrapped(matrix), Wrapped(inverse), n);

    /// <inheritdoc cref="Invert(Span{Vector512{double}}, Span{Vector512{double}}, int)"/>
    public static void Invert(Span<Vector512<float>> matrix, Span<Vector512<float>> inverse, int n) =>
        Elimination<Lanes512<float>>.Invert(Wrapped(matrix), Wrapped(inverse), n);

    /// <inheritdoc cref="Invert(Span{Vector512{double}}, Span{Vector512{double}}, int)"/>
    public static void Invert(Span<Vector<double>> matrix, Span<Vector<double>> inverse, int n) =>
        Elimination<Lanes<double>>.Invert(Wrapped(matrix), Wrapped(inverse), n);

    /// <inheritdoc cref="Invert(Span{Vector512{double}}, Span{Vector512{double}}, int)"/>
    public static void Invert(Span<Vector<float>> matrix, Span<Vector<float>> inverse, int n) =>
        Elimination<Lanes<float>>.Invert(Wrapped(matrix), Wrapped(inverse), n);

    /// <summary>Replaces a symmetric A by the lower triangular L with L Lᵀ = A; NaN where A is not positive definite.</summary>
    /// <param name="matrix">[n, n].</param>
    /// <param name="n">The rows.</param>
    public static void Cholesky(Span<Vector512<double>> matrix, int n) =>
        CholeskyFactor<Lanes512<double>>.Of(Wrapped(matrix), n);

    /// <inheritdoc cref="Cholesky(Span{Vector512{double}}, int)"/>
    public static void Cholesky(Span<Vector512<float>> matrix, int n) =>
        CholeskyFactor<Lanes512<float>>.Of(Wrapped(matrix), n);

    /// <inheritdoc cref="Cholesky(Span{Vector512{double}}, int)"/>
    public static void Cholesky(Span<Vector<double>> matrix, int n) =>
        CholeskyFactor<Lanes<double>>.Of(Wrapped(matrix), n);

    /// <inheritdoc cref="Cholesky(Span{Vector512{double}}, int)"/>
    public static void Cholesky(Span<Vector<float>> matrix, int n) =>
        CholeskyFactor<Lanes<float>>.Of(Wrapped(matrix), n);

    private static Span<Lanes<T>> Wrapped<T>(Span<Vector<T>> registers)
        where T : unmanaged => MemoryMarshal.Cast<Vector<T>, Lanes<T>>(registers);

    private static Span<Lanes512<T>> Wrapped<T>(Span<Vector512<T>> registers)
        where T : unmanaged => MemoryMarshal.Cast<Vector512<T>, Lanes512<T>>(registers);
}
