using System.Runtime.InteropServices;

namespace DiffEqLang.Runtime.Sparse;

/// <summary>
/// The rows that become other than zero where L x = b is solved for a sparse b, in an order in which each comes before those that it changes:
/// depth first through the columns of L. Gilbert and Peierls (1988), sec. 3.
/// </summary>
/// <param name="size">N.</param>
internal sealed class Reach(int size)
{
    private readonly int[] _order = new int[size];      // filled from behind
    private readonly int[] _path = new int[size], _next = new int[size], _seen = new int[size];
    private int _round, _top;

    /// <summary>The rows reached.</summary>
    /// <param name="from">Those of b.</param>
    /// <param name="lower">The columns of L that are there, with rows as in the matrix.</param>
    /// <param name="pivotOfRow">The column of L that eliminates a row; negative where none does yet.</param>
    public ReadOnlySpan<int> Of(ReadOnlySpan<int> from, Triangle lower, int[] pivotOfRow)
    {
        (_round, _top) = (_round + 1, size);
        var rows = CollectionsMarshal.AsSpan(lower.Rows);
        foreach (var row in from)
            if (_seen[row] != _round)
                Visit(row, lower.Starts, rows, pivotOfRow);
        return _order.AsSpan(_top);
    }

    private void Visit(int start, int[] starts, ReadOnlySpan<int> rows, int[] pivotOfRow)
    {
        var depth = 0;
        Enter(start, 0, starts, pivotOfRow);
        while (depth >= 0)
        {
            var row = _path[depth];
            var end = pivotOfRow[row] < 0 ? 0 : starts[pivotOfRow[row] + 1];
            while (_next[depth] < end && _seen[rows[_next[depth]]] == _round) _next[depth]++;
            if (_next[depth] < end) Enter(rows[_next[depth]++], ++depth, starts, pivotOfRow);
            else (_order[--_top], depth) = (row, depth - 1);
        }
    }

    private void Enter(int row, int depth, int[] starts, int[] pivotOfRow)
    {
        (_seen[row], _path[depth]) = (_round, row);
        _next[depth] = pivotOfRow[row] < 0 ? 0 : starts[pivotOfRow[row]];
    }
}
