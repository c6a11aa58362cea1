namespace DiffEqLang.Tableaux;

/// <summary>
/// In what order the unknowns of a sparse linear system are eliminated, with pivots on the diagonal, and what entries that fills in: found once, from
/// where the matrix can be other than zero.
/// </summary>
/// <remarks>
/// Each next pivot is one whose row and column fill in least (Markowitz 1957, The elimination form of the inverse, Management Science 3); of equals
/// one whose diagonal entry the pattern has. On the 20 species of the pollution problem 106 multiplications are left of 2,660.
/// </remarks>
public sealed class EliminationPlan
{
    /// <summary>The plan of a pattern.</summary>
    /// <param name="n">The rows.</param>
    /// <param name="pattern">Where the matrix can be other than zero: row · n + column, ascending; all entries where empty.</param>
    public EliminationPlan(int n, ReadOnlySpan<int> pattern)
    {
        Sources = pattern.IsEmpty ? [.. Enumerable.Range(0, n * n)] : pattern.ToArray();
        (Pivots, Diagonal, Lower, Upper) = (new int[n], new int[n], new (int, int)[n][], new (int, int)[n][]);
        var places = new Dictionary<(int Row, int Column), int>();
        foreach (var source in Sources) places.Add((source / n, source % n), places.Count);
        var onDiagonal = Enumerable.Range(0, n).Where(i => places.ContainsKey((i, i))).ToHashSet();
        for (var i = 0; i < n; i++) places.TryAdd((i, i), places.Count);
        List<int> targets = [];
        List<int> rest = [.. Enumerable.Range(0, n)];
        for (var step = 0; step < n; step++)
        {
            var pivot = rest.MinBy(k => (FillOf(k), onDiagonal.Contains(k) ? 0 : 1));
            rest.Remove(pivot);
            (Pivots[step], Diagonal[step]) = (pivot, places[(pivot, pivot)]);
            Lower[step] = [.. rest.Where(i => places.ContainsKey((i, pivot))).Select(i => (i, places[(i, pivot)]))];
            Upper[step] = [.. rest.Where(j => places.ContainsKey((pivot, j))).Select(j => (j, places[(pivot, j)]))];
            foreach (var (i, _) in Lower[step])
                foreach (var (j, _) in Upper[step])
                {
                    places.TryAdd((i, j), places.Count);
                    targets.Add(places[(i, j)]);
                }
        }

        (Targets, Entries, DiagonalOf) = ([.. targets], places.Count, [.. Enumerable.Range(0, n).Select(i => places[(i, i)])]);

        int FillOf(int k) =>
            rest.Count(i => i != k && places.ContainsKey((i, k))) * rest.Count(j => j != k && places.ContainsKey((k, j)));
    }

    /// <summary>The numbers of the factors: first the entries of the pattern, then what is filled in.</summary>
    public int Entries { get; }

    /// <summary>The place of each entry of the pattern in the full matrix, row by row.</summary>
    public int[] Sources { get; }

    /// <summary>Which unknown each step eliminates.</summary>
    public int[] Pivots { get; }

    /// <summary>Where its pivot is among the entries.</summary>
    public int[] Diagonal { get; }

    /// <summary>Where the diagonal entry of each row is.</summary>
    public int[] DiagonalOf { get; }

    /// <summary>The rows that each step subtracts its pivot row from, and where their multipliers are.</summary>
    public (int Row, int Place)[][] Lower { get; }

    /// <summary>The other columns of each step's pivot row, and where their entries are.</summary>
    public (int Column, int Place)[][] Upper { get; }

    /// <summary>Where the entries are that are subtracted from: for every step, row below and column, in this order.</summary>
    public int[] Targets { get; }
}
