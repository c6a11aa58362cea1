namespace DiffEqLang.Runtime.Sparse;

/// <summary>
/// An order of unknowns that keeps entries near the diagonal, where factors of grids stay thin: breadth first from a far end of each connected
/// part, neighbours of few first, and back to front.
/// </summary>
/// <remarks>Cuthill and McKee (1969), Reducing the bandwidth of sparse symmetric matrices; George and Liu (1981), ch. 4.</remarks>
internal static class ReverseCuthillMcKee
{
    /// <summary>The unknowns in their new order.</summary>
    public static int[] Of(SparsityPattern pattern)
    {
        var (neighbours, order, isPlaced) = (Neighbours(pattern), new List<int>(pattern.Size), new bool[pattern.Size]);
        foreach (var start in Enumerable.Range(0, pattern.Size).OrderBy(node => neighbours[node].Length))
            if (!isPlaced[start])
                order.AddRange(BreadthFirst(FarEnd(start, neighbours), neighbours, isPlaced));
        order.Reverse();
        return [.. order];
    }

    /// <summary>A node from which the last is about as far as any is from any: each last one's last, while that lies farther.</summary>
    private static int FarEnd(int node, int[][] neighbours)
    {
        for (var (depth, next) = (-1, Depth(node, neighbours)); next.Depth > depth; next = Depth(node, neighbours)) (depth, node) = (next.Depth, next.Last);
        return node;
    }

    private static (int Depth, int Last) Depth(int start, int[][] neighbours)
    {
        var (level, seen, depth) = (new List<int> { start }, new HashSet<int> { start }, 0);
        while (true)
        {
            var next = level.SelectMany(node => neighbours[node]).Where(seen.Add).ToList();
            if (next.Count == 0) return (depth, level.MinBy(node => neighbours[node].Length));
            (level, depth) = (next, depth + 1);
        }
    }

    private static List<int> BreadthFirst(int start, int[][] neighbours, bool[] isPlaced)
    {
        var order = new List<int> { start };
        isPlaced[start] = true;
        for (var i = 0; i < order.Count; i++)
            foreach (var node in neighbours[order[i]].Where(node => !isPlaced[node]).OrderBy(node => neighbours[node].Length))
            {
                isPlaced[node] = true;
                order.Add(node);
            }

        return order;
    }

    /// <summary>Of the pattern together with its transpose.</summary>
    private static int[][] Neighbours(SparsityPattern pattern)
    {
        var sets = new HashSet<int>[pattern.Size];
        for (var node = 0; node < sets.Length; node++) sets[node] = [];
        for (var row = 0; row < sets.Length; row++)
            foreach (var column in pattern.Row(row))
                if (column != row)
                {
                    sets[row].Add(column);
                    sets[column].Add(row);
                }

        return [.. sets.Select(set => set.ToArray())];
    }
}
