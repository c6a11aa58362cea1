using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
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
    private readonly GroupIncrements _groups;

    public BrownianIncrements(BrownianDriver driver, StepGrid grid)
    {
        _driver = driver;
        var perStep = Math.Max(1, driver.Batch * driver.Size);
        var logCells = Math.Clamp((int)Math.Log2(Math.Max(1, ChunkNumbers / perStep)), 0, MostLogSteps);
        _groups = new GroupIncrements(driver.Seed, grid, logCells);
    }

    /// <summary>The number of chunks.</summary>
    public int Chunks => _groups.Blocks;

    /// <summary>The first step of a chunk; of the chunk after the last, the number of steps.</summary>
    public int FirstStep(int chunk) => _groups.FirstStep(chunk);

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
            var drawn = ArrayPool<double>.Shared.Rent(_groups.MemoryLength);
            var rows = _groups.Draw(chunk, group, drawn);
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

    private unsafe void Store(ReadOnlySpan<double> numbers, nint data, long offset)
    {
        if (_driver.Dtype == ScalarType.Float64)
            numbers.CopyTo(new Span<double>((double*)data + offset, numbers.Length));
        else
            Round(numbers, new Span<float>((float*)data + offset, numbers.Length));
    }

    /// <summary>The numbers in float32.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    internal static void Round(ReadOnlySpan<double> numbers, Span<float> rounded)
    {
        var (i, half) = (0, Vector<double>.Count);
        for (; i <= numbers.Length - Vector<float>.Count; i += Vector<float>.Count)
            Vector.Narrow(new Vector<double>(numbers[i..]), new Vector<double>(numbers[(i + half)..])).CopyTo(rounded[i..]);
        for (; i < numbers.Length; i++) rounded[i] = (float)numbers[i];
    }
}
