using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace DiffEqLang.Runtime.Noise;

/// <summary>
/// Brownian motions as fixed functions of time: each component's path is decided by the seed and its position alone,
/// and can be asked for over any interval, in any order, on any thread.
/// </summary>
/// <remarks>
/// <para>
/// A virtual Brownian tree (Li, Wong, Chen and Duvenaud (2020), Scalable gradients for stochastic differential
/// equations, AISTATS, section 4) laid so that the solver's own steps are its nodes. Time since the start is cut into
/// root cells, whose increments are independent; a cell of length h is halved by Lévy's construction: the left half's
/// increment is half of the whole's plus √h/2 times a standard normal. The root's length is the solver's step times
/// the power of two that brings it to [1, 2). So steps on the grid are drawn from the exact law, one normal number
/// each, and a solve with half the step, or one that ends later, sees the same path.
/// </para>
/// <para>
/// Components are numbered 0, 1, 2, ... (sample times noise size plus element) and come in groups of
/// <see cref="GroupSize"/>, which is what eight Philox calls give at once.
/// </para>
/// </remarks>
internal sealed class BrownianPath
{
    /// <summary>The components that are drawn together.</summary>
    public const int GroupSize = 4 * Philox.Lanes;

    /// <summary>Times off the grid are found by halving to this level, then by one bridge to the very time.</summary>
    private const int FinestLevel = 32;

    /// <summary>The most halvings between a root and a step: the indices of cells must fit 63 bits.</summary>
    private const int DeepestStep = 60;

    private readonly ulong _seed;
    private readonly int _stepLevel;

    /// <summary>By level, √h/2: the standard deviation of Lévy's construction.</summary>
    private readonly double[] _halving = new double[DeepestStep + 1];

    /// <param name="seed">Chooses the path.</param>
    /// <param name="step">The solver's step, above 0.</param>
    public BrownianPath(ulong seed, double step)
    {
        _seed = seed;
        Step = step;
        _stepLevel = Math.Clamp(-Math.ILogB(step), 0, DeepestStep);
        Root = Math.ScaleB(step, _stepLevel);
        for (var level = 0; level <= DeepestStep; level++) _halving[level] = 0.5 * Math.Sqrt(CellLength(level));
    }

    /// <summary>The length of the cells whose increments <see cref="StepIncrements"/> gives.</summary>
    public double Step { get; }

    /// <summary>The length of the cells whose increments are independent draws.</summary>
    public double Root { get; }

    /// <summary>
    /// The increments over the first of 2^<paramref name="logCount"/> steps of one group: [steps, <see cref="GroupSize"/>].
    /// </summary>
    /// <param name="group">The components from group times <see cref="GroupSize"/> on.</param>
    /// <param name="block">The steps from block times 2^<paramref name="logCount"/> on.</param>
    /// <param name="logCount">The base-2 logarithm of the number of steps.</param>
    /// <param name="needed">Only so many of them, from the first on.</param>
    /// <param name="increments">What is filled.</param>
    public void StepIncrements(long group, long block, int logCount, int needed, Span<double> increments)
    {
        var fromRoot = Math.Min(logCount, _stepLevel);
        var roots = 1 << (logCount - fromRoot);
        var stride = GroupSize << fromRoot;
        for (var i = 0; i < roots && (i << fromRoot) < needed; i++)
        {
            var cells = increments.Slice(i * stride, stride);
            var (level, index) = (_stepLevel - fromRoot, block * roots + i);
            CellIncrement(group, level, index, cells[..GroupSize]);
            Refine(group, level, index, needed - (i << fromRoot), cells);
        }
    }

    /// <summary>
    /// W at a fraction of a step, less W at the step's start: found by halving, so that a finer grid that has this time
    /// agrees. Times less than Root 2⁻³² apart share one bridge's normal.
    /// </summary>
    /// <param name="group">As in <see cref="StepIncrements"/>.</param>
    /// <param name="step">The number of the step.</param>
    /// <param name="fraction">In [0, 1).</param>
    /// <param name="increment">The increment over the whole step, replaced by the part's: [<see cref="GroupSize"/>].</param>
    public void Within(long group, long step, double fraction, Span<double> increment)
    {
        Span<double> left = stackalloc double[GroupSize], normals = stackalloc double[GroupSize];
        Span<double> reached = stackalloc double[GroupSize];
        reached.Clear();
        var (level, index) = (_stepLevel, step);
        for (; fraction > 0 && level < FinestLevel; level++)
        {
            Halve(group, level, index, increment, left);
            var right = fraction >= 0.5;
            if (right)
                for (var i = 0; i < GroupSize; i++)
                {
                    reached[i] += left[i];
                    left[i] = increment[i] - left[i];
                }

            left.CopyTo(increment);
            fraction = 2 * fraction - (right ? 1 : 0);
            index = 2 * index + (right ? 1 : 0);
        }

        Normals(group, level, index, normals);
        var deviation = Math.Sqrt(CellLength(level) * fraction * (1 - fraction));
        for (var i = 0; i < GroupSize; i++)
            increment[i] = reached[i] + (fraction * increment[i] + deviation * normals[i]);
    }

    private double CellLength(int level) => Math.ScaleB(Root, -level);

    /// <summary>The increment over a cell, halved down from its root.</summary>
    private void CellIncrement(long group, int level, long index, Span<double> increment)
    {
        Normals(group, CounterDomain.BrownianRoot, index >> level, increment);
        var deviation = Math.Sqrt(Root);
        for (var i = 0; i < GroupSize; i++) increment[i] *= deviation;

        Span<double> left = stackalloc double[GroupSize];
        for (var k = 0; k < level; k++)
        {
            Halve(group, k, index >> (level - k), increment, left);
            if ((index >> (level - k - 1) & 1) == 0)
                left.CopyTo(increment);
            else
                Subtract(increment, left);
        }
    }

    /// <summary>From the increment in the first row, fills all rows: the cells of a binary tree's last generation.</summary>
    private void Refine(long group, int level, long index, int needed, Span<double> cells)
    {
        if (cells.Length == GroupSize) return;
        var half = cells.Length / 2;
        var whole = cells[..GroupSize];
        var right = cells.Slice(half, GroupSize);
        whole.CopyTo(right);
        Halve(group, level, index, right, whole);
        Subtract(right, whole);
        Refine(group, level + 1, 2 * index, needed, cells[..half]);
        if (needed > half / GroupSize) Refine(group, level + 1, 2 * index + 1, needed - half / GroupSize, cells[half..]);
    }

    /// <summary>The increment over a cell's left half: whole/2 + (√h/2) Z.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private void Halve(long group, int level, long index, ReadOnlySpan<double> whole, Span<double> left)
    {
        Normals(group, level, index, left);
        var deviation = new Vector<double>(_halving[level]);
        var half = new Vector<double>(0.5);
        var wholes = Registers(whole);
        var lefts = Registers(left);
        for (var i = 0; i < lefts.Length; i++) lefts[i] = half * wholes[i] + deviation * lefts[i];
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Subtract(Span<double> from, ReadOnlySpan<double> part)
    {
        var registers = Registers(from);
        var parts = Registers(part);
        for (var i = 0; i < registers.Length; i++) registers[i] -= parts[i];
    }

    private static Span<Vector<double>> Registers(Span<double> numbers) => MemoryMarshal.Cast<double, Vector<double>>(numbers[..GroupSize]);

    private static ReadOnlySpan<Vector<double>> Registers(ReadOnlySpan<double> numbers) =>
        MemoryMarshal.Cast<double, Vector<double>>(numbers[..GroupSize]);

    private void Normals(long group, int domain, long index, Span<double> normals) =>
        CounterDomain.Normals(_seed, group, domain, (ulong)index, normals);
}
