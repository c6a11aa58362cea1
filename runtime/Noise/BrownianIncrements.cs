using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime.Noise;

/// <summary>Which Brownian motions drive a batch, and the form their increments are asked in.</summary>
/// <param name="Seed">Chooses the paths.</param>
/// <param name="Batch">The number of samples.</param>
/// <param name="Size">The number of Wiener processes of one sample.</param>
/// <param name="FirstSample">The number of the first sample, where a batch is solved in parts.</param>
/// <param name="Antithetic">Whether sample 2k + 1 sees the negative of what sample 2k sees.</param>
/// <param name="Factor">L with L Lᵀ the correlation, [M, M] on the device and in the dtype below; null: independent.</param>
/// <param name="Device">Where the increments are wanted.</param>
/// <param name="Dtype">float32 or float64; drawn in float64 and rounded.</param>
internal sealed record BrownianDriver(
    ulong Seed, long Batch, long Size, long FirstSample, bool Antithetic, Tensor? Factor, Device Device, ScalarType Dtype);

/// <summary>
/// The increments of all components over all steps of a grid, as tensors: one for each run of consecutive steps,
/// which can be asked for in any order and are drawn anew each time.
/// </summary>
internal sealed class BrownianIncrements
{
    /// <summary>What the tensor of one chunk should not exceed, in numbers.</summary>
    private const long ChunkNumbers = 1 << 22;

    /// <summary>More steps than this in a chunk gain nothing: the way down from the root is spread over enough.</summary>
    private const int MostLogSteps = 8;

    /// <summary>Below this many numbers, threads cost more than they give.</summary>
    private const long ParallelNumbers = 1 << 15;

    private readonly BrownianDriver _driver;
    private readonly StepGrid _grid;
    private readonly BrownianPath _path;
    private readonly int _logCells;

    public BrownianIncrements(BrownianDriver driver, StepGrid grid)
    {
        (_driver, _grid) = (driver, grid);
        _path = new BrownianPath(driver.Seed, grid.Step);
        var perStep = Math.Max(1, driver.Batch * driver.Size);
        _logCells = Math.Clamp((int)Math.Log2(Math.Max(1, ChunkNumbers / perStep)), 0, MostLogSteps);
        Chunks = (int)((grid.Cells + (1L << _logCells) - 1) >> _logCells);
    }

    /// <summary>The number of chunks.</summary>
    public int Chunks { get; }

    /// <summary>The first step of a chunk; of the chunk after the last, the number of steps.</summary>
    public int FirstStep(int chunk) => _grid.FirstStepOfCell[Math.Min((long)chunk << _logCells, _grid.Cells)];

    /// <summary>The increments of a chunk's steps: [steps, B, M].</summary>
    public Tensor Chunk(int chunk)
    {
        var steps = FirstStep(chunk + 1) - FirstStep(chunk);
        var first = _driver.Antithetic ? _driver.FirstSample / 2 : _driver.FirstSample;
        var end = _driver.FirstSample + _driver.Batch;
        if (_driver.Antithetic) end = (end + 1) / 2;

        using var scope = NewDisposeScope();
        var drawn = Draw(chunk, steps, first * _driver.Size, (end - first) * _driver.Size).reshape(steps, end - first, _driver.Size);
        if (_driver.Antithetic)
            drawn = stack([drawn, -drawn], 2).reshape(steps, -1, _driver.Size)
                .narrow(1, _driver.FirstSample - 2 * first, _driver.Batch).contiguous();
        drawn = drawn.to(_driver.Device);
        if (_driver.Factor is { } factor) drawn = drawn.matmul(factor.t());
        return drawn.MoveToOuterDisposeScope();
    }

    /// <summary>The increments of the components from <paramref name="first"/> on: [steps, count], on the CPU.</summary>
    private Tensor Draw(int chunk, int steps, long first, long count)
    {
        var result = empty([steps, count], _driver.Dtype, CPU);
        if (count == 0) return result;
        var (firstGroup, lastGroup) = (first / BrownianPath.GroupSize, (first + count - 1) / BrownianPath.GroupSize);
        var data = Address(result);
        ForEachGroup(firstGroup, lastGroup, steps, group =>
        {
            var drawn = ArrayPool<double>.Shared.Rent(((1 << _logCells) + steps) * BrownianPath.GroupSize);
            var rows = StepsOfGroup(chunk, group, steps, drawn);
            var from = Math.Max(first, group * BrownianPath.GroupSize);
            var to = Math.Min(first + count, (group + 1) * BrownianPath.GroupSize);
            for (var step = 0; step < steps; step++)
                Store(
                    rows.Slice(step * BrownianPath.GroupSize + (int)(from % BrownianPath.GroupSize), (int)(to - from)),
                    data, step * count + (from - first));
            ArrayPool<double>.Shared.Return(drawn);
        });
        return result;
    }

    private static unsafe nint Address(Tensor tensor) =>
        (nint)Unsafe.AsPointer(ref MemoryMarshal.GetReference(tensor.bytes));

    private static void ForEachGroup(long first, long last, int steps, Action<long> draw)
    {
        var threads = get_num_threads();
        if (threads == 1 || (last - first + 1) * steps * BrownianPath.GroupSize < ParallelNumbers)
            for (var group = first; group <= last; group++) draw(group);
        else
            Parallel.For(first, last + 1, new ParallelOptions { MaxDegreeOfParallelism = threads }, draw);
    }

    /// <summary>The increments of one group over a chunk's steps, cut cells in their parts: [steps, GroupSize].</summary>
    private ReadOnlySpan<double> StepsOfGroup(int chunk, long group, int steps, Span<double> memory)
    {
        var first = (long)chunk << _logCells;
        var count = (int)Math.Min(1L << _logCells, _grid.Cells - first);
        var cells = memory[..(BrownianPath.GroupSize << _logCells)];
        _path.StepIncrements(group, chunk, _logCells, count, cells);
        if (steps == count && !_grid.HasCuts(first, first + count)) return cells;

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

    private unsafe void Store(ReadOnlySpan<double> numbers, nint data, long offset)
    {
        if (_driver.Dtype == ScalarType.Float64)
            numbers.CopyTo(new Span<double>((double*)data + offset, numbers.Length));
        else
            Round(numbers, new Span<float>((float*)data + offset, numbers.Length));
    }

    private static void Round(ReadOnlySpan<double> numbers, Span<float> rounded)
    {
        var i = 0;
        for (; i <= numbers.Length - Vector512<float>.Count; i += Vector512<float>.Count)
            Vector512.Narrow(Vector512.Create(numbers[i..]), Vector512.Create(numbers[(i + Vector512<double>.Count)..]))
                .CopyTo(rounded[i..]);
        for (; i < numbers.Length; i++) rounded[i] = (float)numbers[i];
    }
}
