namespace DiffEqLang.Runtime;

/// <summary>
/// Which entries of a Jacobian may be other than zero, row by row. Generated code gives it as runs of rows that read the same neighbours.
/// </summary>
public sealed class SparsityPattern
{
    /// <param name="size">N: the number of rows, and of columns.</param>
    /// <param name="runs">
    /// One behind the other from row 0 on: how many rows, and in which columns their entries lie, counted from each row's own and ascending.
    /// </param>
    /// <exception cref="ArgumentException">The runs do not cover the rows, or leave the matrix.</exception>
    public SparsityPattern(int size, params ReadOnlySpan<(int Count, int[] Offsets)> runs)
    {
        RowStarts = new int[size + 1];
        var (columns, row) = (new List<int>(), 0);
        foreach (var (count, offsets) in runs)
            for (var end = Math.Min(row + count, size); row < end; row++)
            {
                foreach (var offset in offsets) columns.Add(row + offset);
                RowStarts[row + 1] = columns.Count;
            }

        Columns = [.. columns];
        if (row != size || runs.ToArray().Sum(run => run.Count) != size || Array.Exists(Columns, column => column < 0 || column >= size))
            throw new ArgumentException($"The runs must cover {size} rows and columns.", nameof(runs));
    }

    /// <summary>N.</summary>
    public int Size => RowStarts.Length - 1;

    /// <summary>How many entries there are.</summary>
    public int Count => Columns.Length;

    /// <summary>Where the entries of each row begin, and behind the last one's the end: [N + 1].</summary>
    internal int[] RowStarts { get; }

    /// <summary>The column of each entry, ascending in a row.</summary>
    internal int[] Columns { get; }

    /// <summary>The columns of a row.</summary>
    internal ReadOnlySpan<int> Row(int row) => Columns.AsSpan(RowStarts[row]..RowStarts[row + 1]);
}
