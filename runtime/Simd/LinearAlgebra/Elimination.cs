using System.Runtime.CompilerServices;

namespace DiffEqLang.Runtime.Simd;

/// <summary>
/// Gaussian elimination with partial pivoting on matrices of registers, a matrix a lane: every lane has pivots of its own, brought
/// into their rows by selection. Golub and Van Loan (2013), Matrix Computations, 3.4.
/// </summary>
internal static class Elimination<T>
    where T : struct, ILanes<T>
{
    private const MethodImplOptions Optimized = MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization;

    /// <summary>The determinant: the product of the pivots, with the sign of their rows' order.</summary>
    /// <param name="matrix">[n, n]; is overwritten.</param>
    /// <param name="n">The rows.</param>
    [MethodImpl(Optimized)]
    public static T Determinant(Span<T> matrix, int n)
    {
        var product = Triangularize(matrix, [], n);
        for (var k = 0; k < n; k++) product *= matrix[k * n + k];
        return product;
    }

    /// <summary>x of A x = b.</summary>
    /// <param name="matrix">A: [n, n]; is overwritten.</param>
    /// <param name="right">b, [n, columns]; becomes x.</param>
    /// <param name="n">The rows.</param>
    [MethodImpl(Optimized)]
    public static void Solve(Span<T> matrix, Span<T> right, int n)
    {
        Triangularize(matrix, right, n);
        var columns = right.Length / n;
        for (var i = n - 1; i >= 0; i--)
        {
            var row = right.Slice(i * columns, columns);
            for (var j = i + 1; j < n; j++) Subtract(matrix[i * n + j], right.Slice(j * columns, columns), row);
            var pivot = matrix[i * n + i];
            foreach (ref var x in row) x /= pivot;
        }
    }

    /// <summary>A⁻¹.</summary>
    /// <param name="matrix">A: [n, n]; is overwritten.</param>
    /// <param name="inverse">Receives A⁻¹: [n, n].</param>
    /// <param name="n">The rows.</param>
    public static void Invert(Span<T> matrix, Span<T> inverse, int n)
    {
        inverse.Fill(T.Of(0));
        for (var k = 0; k < n; k++) inverse[k * n + k] = T.Of(1);
        Solve(matrix, inverse, n);
    }

    /// <summary>Makes A upper triangular, with the same operations on b.</summary>
    /// <returns>1, or -1 in lanes where an odd number of rows changed places.</returns>
    [MethodImpl(Optimized)]
    private static T Triangularize(Span<T> matrix, Span<T> right, int n)
    {
        var columns = right.Length / n;
        var sign = T.Of(1);
        for (var k = 0; k < n; k++)
        {
            var pivotRow = matrix.Slice(k * n, n)[k..];
            var pivotRight = right.Slice(k * columns, columns);
            for (var i = k + 1; i < n; i++)
            {
                var row = matrix.Slice(i * n, n)[k..];
                var isLarger = T.LessThan(T.Abs(pivotRow[0]), T.Abs(row[0]));
                // Only saves work: a selection by no lane changes nothing.
                if (!T.Any(isLarger)) continue;
                Exchange(isLarger, pivotRow, row);
                Exchange(isLarger, pivotRight, right.Slice(i * columns, columns));
                sign = T.Select(isLarger, -sign, sign);
            }

            // The column of a singular matrix is zero from its pivot on: there is nothing to eliminate.
            var pivot = pivotRow[0];
            var isZero = T.Equal(pivot, T.Of(0));
            for (var i = k + 1; i < n; i++)
            {
                var row = matrix.Slice(i * n, n)[k..];
                var factor = T.AndNot(row[0] / pivot, isZero);
                Subtract(factor, pivotRow, row);
                Subtract(factor, pivotRight, right.Slice(i * columns, columns));
            }
        }

        return sign;
    }

    private static void Exchange(T mask, Span<T> a, Span<T> b)
    {
        for (var j = 0; j < a.Length; j++)
            (a[j], b[j]) = (T.Select(mask, b[j], a[j]), T.Select(mask, a[j], b[j]));
    }

    /// <summary>row -= factor · other.</summary>
    private static void Subtract(T factor, Span<T> other, Span<T> row)
    {
        for (var j = 0; j < row.Length; j++) row[j] = T.NegatedMultiplyAdd(factor, other[j], row[j]);
    }
}
