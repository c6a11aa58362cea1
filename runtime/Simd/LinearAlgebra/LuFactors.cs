using System.Runtime.CompilerServices;

namespace DiffEqLang.Runtime.Simd;

/// <summary>
/// The factors of a matrix a lane, for many right-hand sides one after another: Gaussian elimination with partial pivoting, every lane
/// with pivots of its own, whose exchanges of rows are kept as masks. Golub and Van Loan (2013), Matrix Computations, 3.4.
/// </summary>
/// <param name="n">The rows.</param>
internal sealed class LuFactors<T>(int n)
    where T : struct, ILanes<T>
{
    private const MethodImplOptions Optimized = MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization;

    private readonly RegisterBuffer<T> _matrix = new(n * n);
    private readonly RegisterBuffer<T> _exchanges = new(n * n);    // of row k with row i, in the lanes of the mask
    private readonly bool[] _isExchanged = new bool[n * n];

    /// <summary>The matrix to be factorized, [n, n]; afterwards the factors: what is left of the upper triangle, and the multipliers below.</summary>
    public Span<T> Matrix => _matrix.Span;

    /// <summary>Factorizes <see cref="Matrix"/> in place.</summary>
    [MethodImpl(Optimized)]
    public void Factorize()
    {
        var matrix = _matrix.Span;
        for (var k = 0; k < n; k++)
        {
            var pivotRow = matrix.Slice(k * n, n)[k..];
            for (var i = k + 1; i < n; i++) Exchange(k, i, pivotRow, matrix.Slice(i * n, n)[k..]);
            // The column of a singular matrix is zero from its pivot on: there is nothing to eliminate.
            var isZero = T.Equal(pivotRow[0], T.Of(0));
            var inverse = T.Of(1) / pivotRow[0];
            for (var i = k + 1; i < n; i++)
            {
                var row = matrix.Slice(i * n, n)[k..];
                var factor = T.AndNot(row[0] * inverse, isZero);
                row[0] = factor;
                for (var j = 1; j < row.Length; j++) row[j] = T.NegatedMultiplyAdd(factor, pivotRow[j], row[j]);
            }

            pivotRow[0] = inverse;
        }
    }

    /// <summary>Replaces b, [n], by x of A x = b; infinite or NaN in lanes whose matrix is singular.</summary>
    [MethodImpl(Optimized)]
    public void Solve(Span<T> right)
    {
        var matrix = _matrix.Span;
        for (var k = 0; k < n; k++)
        {
            for (var i = k + 1; i < n; i++)
            {
                if (!_isExchanged[k * n + i]) continue;
                var mask = _exchanges.Span[k * n + i];
                (right[k], right[i]) = (T.Select(mask, right[i], right[k]), T.Select(mask, right[k], right[i]));
            }

            var pivot = right[k];
            for (var i = k + 1; i < n; i++) right[i] = T.NegatedMultiplyAdd(matrix[i * n + k], pivot, right[i]);
        }

        for (var i = n - 1; i >= 0; i--)
        {
            var row = matrix.Slice(i * n, n);
            var sum = right[i];
            for (var j = i + 1; j < n; j++) sum = T.NegatedMultiplyAdd(row[j], right[j], sum);
            right[i] = sum * row[i];    // the pivot's inverse
        }
    }

    private void Exchange(int k, int i, Span<T> pivotRow, Span<T> row)
    {
        var isLarger = T.LessThan(T.Abs(pivotRow[0]), T.Abs(row[0]));
        // Only saves work: a selection by no lane changes nothing.
        if (!(_isExchanged[k * n + i] = T.Any(isLarger))) return;
        _exchanges.Span[k * n + i] = isLarger;
        for (var j = 0; j < row.Length; j++)
            (pivotRow[j], row[j]) = (T.Select(isLarger, row[j], pivotRow[j]), T.Select(isLarger, pivotRow[j], row[j]));
    }
}
