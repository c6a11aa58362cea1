namespace DiffEqLang.Runtime.Sparse;

/// <summary>
/// Groups of rows of which no two have an entry in one column: one vector-Jacobian product gives all entries of such a group.
/// </summary>
/// <remarks>Curtis, Powell and Reid (1974), On the estimation of sparse Jacobian matrices, J. Inst. Math. Appl. 13: greedily, in order.</remarks>
internal static class RowColoring
{
    /// <summary>The group of each row.</summary>
    public static int[] Of(SparsityPattern pattern)
    {
        var (groups, rowsOfColumn) = (new int[pattern.Size], Transposed(pattern));
        Array.Fill(groups, -1);
        var takenBy = new List<int>();      // of each group, the last row that saw it taken
        for (var row = 0; row < groups.Length; row++)
        {
            foreach (var column in pattern.Row(row))
                foreach (var other in rowsOfColumn[column])
                    if (groups[other] >= 0)
                        takenBy[groups[other]] = row;
            groups[row] = takenBy.FindIndex(by => by != row);
            if (groups[row] >= 0) continue;
            groups[row] = takenBy.Count;
            takenBy.Add(-1);
        }

        return groups;
    }

    private static List<int>[] Transposed(SparsityPattern pattern)
    {
        var rows = new List<int>[pattern.Size];
        for (var column = 0; column < rows.Length; column++) rows[column] = [];
        for (var row = 0; row < rows.Length; row++)
            foreach (var column in pattern.Row(row))
                rows[column].Add(row);
        return rows;
    }
}
