using System.Runtime.CompilerServices;

namespace DiffEqLang.Runtime.Simd;

/// <summary>
/// The Cholesky factor of matrices of registers, a matrix a lane. Golub and Van Loan (2013), Matrix Computations, 4.2.
/// </summary>
internal static class CholeskyFactor<T>
    where T : struct, ILanes<T>
{
    /// <summary>Puts the lower triangular L with L Lᵀ = (A + Aᵀ)/2 in the place of A; NaN in lanes where that is not positive definite.</summary>
    /// <param name="matrix">A: [n, n].</param>
    /// <param name="n">The rows.</param>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static void Of(Span<T> matrix, int n)
    {
        var isDefinite = T.Equal(T.Of(0), T.Of(0));
        for (var j = 0; j < n; j++)
        {
            var row = matrix.Slice(j * n, n);
            var square = row[j];
            for (var k = 0; k < j; k++) square = T.NegatedMultiplyAdd(row[k], row[k], square);
            isDefinite &= T.LessThan(T.Of(0), square);
            row[j] = T.Sqrt(square);
            for (var i = j + 1; i < n; i++)
            {
                var below = matrix.Slice(i * n, n);
                var rest = T.Of(0.5) * (below[j] + row[i]);
                for (var k = 0; k < j; k++) rest = T.NegatedMultiplyAdd(below[k], row[k], rest);
                below[j] = rest / row[j];
            }
        }

        for (var i = 0; i < n; i++)
            for (var j = 0; j < n; j++)
                matrix[i * n + j] = T.Select(isDefinite, j > i ? T.Of(0) : matrix[i * n + j], T.Of(double.NaN));
    }
}
