namespace DiffEqLang.Runtime.Noise;

/// <summary>
/// The increments of groups of components over the steps of a grid, block by block: 2ᵏ cells, those that are cut in their parts. Blocks
/// can be asked for in any order, on any thread, and are drawn anew each time.
/// </summary>
internal sealed class GroupIncrements
{
    private readonly StepGrid _grid;
    private readonly BrownianPath _path;
    private readonly int _logCells;

    /// <param name="seed">Chooses the paths.</param>
    /// <param name="grid">The steps.</param>
    /// <param name="logCells">The base-2 logarithm of a block's cells.</param>
    public GroupIncrements(ulong seed, StepGrid grid, int logCells)
    {
        (_grid, _path, _logCells) = (grid, new BrownianPath(seed, grid.Step), logCells);
        Blocks = (int)((grid.Cells + (1L << logCells) - 1) >> logCells);
        for (var block = 0; block < Blocks; block++) MostSteps = Math.Max(MostSteps, FirstStep(block + 1) - FirstStep(block));
    }

    /// <summary>The number of blocks.</summary>
    public int Blocks { get; }

    /// <summary>The steps of the block that has most.</summary>
    public int MostSteps { get; }

    /// <summary>The length of the memory that <see cref="Draw"/> needs.</summary>
    public int MemoryLength => ((1 << _logCells) + MostSteps) * BrownianPath.GroupSize;

    /// <summary>The first step of a block; of the block after the last, the number of steps.</summary>
    public int FirstStep(int block) => _grid.FirstStepOfCell[Math.Min((long)block << _logCells, _grid.Cells)];

    /// <summary>The increments of one group over a block's steps: [steps, <see cref="BrownianPath.GroupSize"/>], inside the memory.</summary>
    public ReadOnlySpan<double> Draw(int block, long group, Span<double> memory)
    {
        var first = (long)block << _logCells;
        var count = (int)Math.Min(1L << _logCells, _grid.Cells - first);
        var steps = FirstStep(block + 1) - FirstStep(block);
        var cells = memory[..(BrownianPath.GroupSize << _logCells)];
        _path.StepIncrements(group, block, _logCells, count, cells);
        if (steps == count && !_grid.HasCuts(first, first + count)) return cells[..(steps * BrownianPath.GroupSize)];

        var result = memory.Slice(cells.Length, steps * BrownianPath.GroupSize);
        var rest = result;
        for (var i = 0; i < count; i++)
        {
            var cell = cells.Slice(i * BrownianPath.GroupSize, BrownianPath.GroupSize);
            var parts = _grid.FirstStepOfCell[first + i + 1] - _grid.FirstStepOfCell[first + i];
            CutCell(group, first + i, parts, cell, rest);
            rest = rest[(parts * BrownianPath.GroupSize)..];
        }

        return result;
    }

    /// <summary>The increments of a cell's parts, from that of the whole.</summary>
    private void CutCell(long group, long cell, int parts, ReadOnlySpan<double> whole, Span<double> increments)
    {
        Span<double> reached = stackalloc double[BrownianPath.GroupSize], before = stackalloc double[BrownianPath.GroupSize];
        before.Clear();
        var cuts = _grid.Cuts(cell);
        for (var part = 0; part < parts; part++)
        {
            whole.CopyTo(reached);
            if (part < cuts.Count) _path.Within(group, cell, cuts[part], reached);
            for (var i = 0; i < BrownianPath.GroupSize; i++)
                increments[part * BrownianPath.GroupSize + i] = reached[i] - before[i];
            reached.CopyTo(before);
        }
    }
}
