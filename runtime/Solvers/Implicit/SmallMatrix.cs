namespace DiffEqLang.Runtime;

/// <summary>The coefficients of a few stages as a matrix.</summary>
internal static class SmallMatrix
{
    /// <summary>The inverse, by Gauss' and Jordan's elimination with row pivots.</summary>
    public static double[,] Inverse(double[,] matrix)
    {
        var n = matrix.GetLength(0);
        var rows = Enumerable.Range(0, n).Select(i => Enumerable.Range(0, 2 * n).Select(j => j < n ? matrix[i, j] : j - n == i ? 1.0 : 0).ToArray()).ToArray();
        for (var column = 0; column < n; column++)
        {
            var pivot = Enumerable.Range(column, n - column).MaxBy(row => Math.Abs(rows[row][column]));
            (rows[pivot], rows[column]) = (rows[column], rows[pivot]);
            var scale = 1 / rows[column][column];
            rows[column] = [.. rows[column].Select(value => value * scale)];
            for (var row = 0; row < n; row++)
                if (row != column)
                    rows[row] = [.. rows[row].Zip(rows[column], (value, pivotal) => value - rows[row][column] * pivotal)];
        }

        var inverse = new double[n, n];
        for (var i = 0; i < n; i++)
            for (var j = 0; j < n; j++)
                inverse[i, j] = rows[i][n + j];
        return inverse;
    }
}
