using System.Runtime.InteropServices;

namespace DiffEqLang.Runtime.Sparse;

/// <summary>
/// A triangular factor by columns. That of L begins each column with its diagonal, one; that of U ends each with its own, and has the others in an
/// order in which none depends on a later one.
/// </summary>
/// <param name="size">N.</param>
internal sealed class Triangle(int size)
{
    /// <summary>Where the entries of each column begin, and behind the last one's the end: [N + 1].</summary>
    public int[] Starts { get; } = new int[size + 1];

    /// <summary>The row of each entry.</summary>
    public List<int> Rows { get; } = [];

    /// <summary>Each entry.</summary>
    public List<double> Values { get; } = [];

    /// <summary>Takes all entries away.</summary>
    public void Clear()
    {
        Rows.Clear();
        Values.Clear();
    }

    /// <summary>Adds an entry to the column that is being made.</summary>
    public void Add(int row, double value)
    {
        Rows.Add(row);
        Values.Add(value);
    }

    /// <summary>Ends a column.</summary>
    public void Close(int column) => Starts[column + 1] = Rows.Count;

    /// <summary>Gives every row another number.</summary>
    public void Renumber(int[] numbers)
    {
        for (var i = 0; i < Rows.Count; i++) Rows[i] = numbers[Rows[i]];
    }

    /// <summary>vector -= factor · column, without the diagonal.</summary>
    /// <param name="column">The column.</param>
    /// <param name="diagonal">1 where its first entry is the diagonal, -1 where its last one is.</param>
    /// <param name="factor">The factor.</param>
    /// <param name="vector">What it is subtracted from.</param>
    public void Subtract(int column, int diagonal, double factor, double[] vector)
    {
        if (factor == 0) return;
        var range = OffDiagonal(column, diagonal);
        var rows = CollectionsMarshal.AsSpan(Rows)[range];
        var values = CollectionsMarshal.AsSpan(Values)[range];
        for (var i = 0; i < rows.Length; i++) vector[rows[i]] -= factor * values[i];
    }

    /// <summary>The product of a column, without the diagonal, and a vector.</summary>
    public double Product(int column, int diagonal, double[] vector)
    {
        var (range, sum) = (OffDiagonal(column, diagonal), 0.0);
        var rows = CollectionsMarshal.AsSpan(Rows)[range];
        var values = CollectionsMarshal.AsSpan(Values)[range];
        for (var i = 0; i < rows.Length; i++) sum += values[i] * vector[rows[i]];
        return sum;
    }

    private Range OffDiagonal(int column, int diagonal) =>
        (diagonal > 0 ? Starts[column] + 1 : Starts[column])..(diagonal > 0 ? Starts[column + 1] : Starts[column + 1] - 1);
}
