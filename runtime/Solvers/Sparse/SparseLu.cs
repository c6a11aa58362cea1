namespace DiffEqLang.Runtime.Sparse;

/// <summary>
/// LU factors of sparse matrices of one structure, PAQ = LU: column by column, each a sparse triangular solve with the columns before it, so
/// that the work is that of the multiplications. Pivots are the diagonal's where those are not small in their column.
/// </summary>
/// <remarks>
/// Gilbert and Peierls (1988), Sparse partial pivoting in time proportional to arithmetic operations, SIAM J. Sci. Stat. Comput. 9; Davis (2006),
/// Direct Methods for Sparse Linear Systems, ch. 6. The next matrix goes the way of the one before, without the search for its structure,
/// as long as its pivots hold.
/// </remarks>
/// <param name="matrix">The structure.</param>
/// <param name="order">Q: the columns in the order in which they are eliminated.</param>
internal sealed class SparseLu(ColumnMatrix matrix, int[] order)
{
    private const double LeastPivot = 0.1;      // as a part of the largest entry of its column

    private readonly int _size = matrix.Size;
    private readonly int[] _pivotOfRow = new int[matrix.Size];      // P: the step that eliminates a row
    private readonly Triangle _lower = new(matrix.Size), _upper = new(matrix.Size);
    private readonly double[] _work = new double[matrix.Size];
    private bool _hasStructure;

    /// <summary>How many entries the factors have, L without its ones.</summary>
    public int Count => _lower.Rows.Count + _upper.Rows.Count - _size;

    /// <summary>Factorizes; false where the matrix is singular or not finite.</summary>
    /// <param name="values">The entries, in the order of the structure.</param>
    public bool Factorize(double[] values)
    {
        _hasStructure = (_hasStructure && Refactorize(values)) || FactorizeAnew(values);
        return _hasStructure;
    }

    /// <summary>Solves A x = b, in place.</summary>
    public void Solve(Span<double> vector)
    {
        for (var row = 0; row < _size; row++) _work[_pivotOfRow[row]] = vector[row];
        for (var k = 0; k < _size; k++) _lower.Subtract(k, 1, _work[k], _work);
        for (var k = _size - 1; k >= 0; k--)
        {
            _work[k] /= _upper.Values[_upper.Starts[k + 1] - 1];
            _upper.Subtract(k, -1, _work[k], _work);
        }

        for (var k = 0; k < _size; k++) vector[order[k]] = _work[k];
    }

    /// <summary>Solves Aᵀ x = b, in place.</summary>
    public void SolveTransposed(Span<double> vector)
    {
        for (var k = 0; k < _size; k++) _work[k] = vector[order[k]];
        for (var k = 0; k < _size; k++) _work[k] = (_work[k] - _upper.Product(k, -1, _work)) / _upper.Values[_upper.Starts[k + 1] - 1];
        for (var k = _size - 1; k >= 0; k--) _work[k] -= _lower.Product(k, 1, _work);
        for (var row = 0; row < _size; row++) vector[row] = _work[_pivotOfRow[row]];
    }

    private bool FactorizeAnew(double[] values)
    {
        var (search, x) = (new Reach(_size), new double[_size]);
        Array.Fill(_pivotOfRow, -1);
        _lower.Clear();
        _upper.Clear();
        for (var k = 0; k < _size; k++)
        {
            var column = order[k];
            var rows = matrix.Rows.AsSpan(matrix.ColumnStarts[column]..matrix.ColumnStarts[column + 1]);
            var reached = search.Of(rows, _lower, _pivotOfRow);
            Scatter(column, values, x, rowOf: null);
            foreach (var row in reached)
                if (_pivotOfRow[row] is var before and >= 0)
                {
                    _upper.Add(before, x[row]);
                    _lower.Subtract(before, 1, x[row], x);
                }

            if (Pivot(column, reached, x) is not { } pivot) return false;
            var diagonal = x[pivot];
            _upper.Add(k, diagonal);
            _upper.Close(k);
            _pivotOfRow[pivot] = k;
            _lower.Add(pivot, 1);
            foreach (var row in reached)
            {
                if (_pivotOfRow[row] < 0) _lower.Add(row, x[row] / diagonal);
                x[row] = 0;
            }

            _lower.Close(k);
        }

        _lower.Renumber(_pivotOfRow);
        return true;
    }

    /// <summary>The row of the pivot among those not yet eliminated: the diagonal's where that is not small.</summary>
    private int? Pivot(int column, ReadOnlySpan<int> reached, double[] x)
    {
        var (best, largest) = (-1, 0.0);
        foreach (var row in reached)
        {
            if (!double.IsFinite(x[row])) return null;
            if (_pivotOfRow[row] < 0 && Math.Abs(x[row]) > largest) (best, largest) = (row, Math.Abs(x[row]));
        }

        if (_pivotOfRow[column] < 0 && Math.Abs(x[column]) >= LeastPivot * largest) best = column;
        return largest > 0 ? best : null;
    }

    /// <summary>The factors of other entries, with structure and pivots as they are; false where a pivot has become small.</summary>
    private bool Refactorize(double[] values)
    {
        for (var k = 0; k < _size; k++)
        {
            Scatter(order[k], values, _work, _pivotOfRow);
            var end = _upper.Starts[k + 1] - 1;
            for (var i = _upper.Starts[k]; i < end; i++)
            {
                var before = _upper.Rows[i];
                _upper.Values[i] = _work[before];
                _lower.Subtract(before, 1, _work[before], _work);
                _work[before] = 0;
            }

            var (pivot, largest) = (_work[k], 0.0);
            for (var i = _lower.Starts[k]; i < _lower.Starts[k + 1]; i++)
            {
                largest = Math.Max(largest, Math.Abs(_work[_lower.Rows[i]]));
                _lower.Values[i] = _work[_lower.Rows[i]] / pivot;
                _work[_lower.Rows[i]] = 0;
            }

            _upper.Values[end] = pivot;
            if (Math.Abs(pivot) >= LeastPivot * largest && largest > 0 && double.IsFinite(largest)) continue;
            Array.Clear(_work);
            return false;
        }

        return true;
    }

    private void Scatter(int column, double[] values, double[] into, int[]? rowOf)
    {
        for (var i = matrix.ColumnStarts[column]; i < matrix.ColumnStarts[column + 1]; i++)
            into[rowOf is null ? matrix.Rows[i] : rowOf[matrix.Rows[i]]] = values[i];
    }
}
