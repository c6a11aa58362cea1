namespace DiffEqLang.Runtime.Sparse;

/// <summary>The structure of the matrices I - gJ by columns, for a Jacobian of some pattern: its entries and the whole diagonal.</summary>
internal sealed class ColumnMatrix
{
    private readonly int[] _placeOfEntry;       // of each of the Jacobian's entries, in its own order
    private readonly int[] _placeOfDiagonal;

    public ColumnMatrix(SparsityPattern pattern)
    {
        var size = pattern.Size;
        var entries = new SortedSet<int>[size];
        for (var column = 0; column < size; column++) entries[column] = [column];
        for (var row = 0; row < size; row++)
            foreach (var column in pattern.Row(row))
                entries[column].Add(row);
        ColumnStarts = new int[size + 1];
        for (var column = 0; column < size; column++) ColumnStarts[column + 1] = ColumnStarts[column] + entries[column].Count;
        Rows = [.. entries.SelectMany(rows => rows)];
        _placeOfDiagonal = [.. Enumerable.Range(0, size).Select(i => Place(i, i))];
        _placeOfEntry = [.. Enumerable.Range(0, size).SelectMany(row => pattern.Row(row).ToArray().Select(column => Place(row, column)))];
    }

    /// <summary>N.</summary>
    public int Size => ColumnStarts.Length - 1;

    /// <summary>Where the entries of each column begin, and behind the last one's the end: [N + 1].</summary>
    public int[] ColumnStarts { get; }

    /// <summary>The row of each entry, ascending in a column.</summary>
    public int[] Rows { get; }

    /// <summary>The entries of I - gJ.</summary>
    /// <param name="g">The factor.</param>
    /// <param name="jacobian">The entries of J, in the order of its pattern.</param>
    public double[] Values(double g, ReadOnlySpan<double> jacobian)
    {
        var values = new double[Rows.Length];
        for (var i = 0; i < jacobian.Length; i++) values[_placeOfEntry[i]] = -g * jacobian[i];
        foreach (var place in _placeOfDiagonal) values[place] += 1;
        return values;
    }

    private int Place(int row, int column) => Array.BinarySearch(Rows, ColumnStarts[column], ColumnStarts[column + 1] - ColumnStarts[column], row);
}
