using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DiffEqLang.Runtime.Noise;
using DiffEqLang.Runtime.Solvers.Stochastic;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime.Simd;

/// <summary>
/// The Brownian increments of a tile of samples over a block of steps, in registers: the numbers that <see cref="BrownianIncrements"/>
/// gives as tensors. Drawn anew whenever they are asked for; allocates nothing once it is made.
/// </summary>
internal sealed class LaneIncrements<TLanes, T>
    where TLanes : struct, ILanes<TLanes>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>What the increments of one block should not exceed, in bytes: they are read where they were written, from a near cache.</summary>
    private const int BlockBytes = 1 << 17;

    /// <summary>In fewer steps the way down from the tree's root costs too much, in more of them it is spread over enough.</summary>
    private const int FewestLogSteps = 4, MostLogSteps = 8;

    private readonly StochasticProblem _problem;
    private readonly int _noiseSize, _registers;
    private readonly GroupIncrements _groups;
    private readonly (int From, TLanes Factor)[][] _correlation;    // by element: what it is made of
    private readonly double[] _memory;
    private readonly T[] _rounded;
    private readonly RegisterBuffer<TLanes> _increments;
    private readonly List<Place> _places = [], _mirrored = [];      // of all groups of the tile
    private readonly List<(int Place, int Mirrored)> _ends = [];    // by group: those after its last
    private long _firstGroup;

    /// <param name="problem">What is solved.</param>
    /// <param name="registers">The registers of a tile.</param>
    public LaneIncrements(StochasticProblem problem, int registers)
    {
        (_problem, _noiseSize, _registers) = (problem, (int)problem.NoiseSize, registers);
        var bytes = registers * _noiseSize * Unsafe.SizeOf<TLanes>();
        var logCells = Math.Clamp(BitOperations.Log2((uint)Math.Max(1, BlockBytes / bytes)), FewestLogSteps, MostLogSteps);
        _groups = new GroupIncrements(problem.Options.Seed, problem.Grid, logCells);
        _correlation = problem.CorrelationFactor is { } factor ? Rows(factor) : [];
        _memory = new double[_groups.MemoryLength];
        _rounded = new T[typeof(T) == typeof(double) ? 0 : _groups.MostSteps * BrownianPath.GroupSize];
        _increments = new RegisterBuffer<TLanes>(_groups.MostSteps * registers * _noiseSize);
    }

    /// <summary>The number of blocks.</summary>
    public int Blocks => _groups.Blocks;

    /// <summary>The steps of the block that has most.</summary>
    public int MostSteps => _groups.MostSteps;

    /// <summary>The first step of a block; of the block after the last, the number of steps.</summary>
    public int FirstStep(int block) => _groups.FirstStep(block);

    /// <summary>The increments of one register over a step, by its number in the block drawn last: length M.</summary>
    public ReadOnlySpan<TLanes> Step(int step, int register) =>
        _increments.Span.Slice((step * _registers + register) * _noiseSize, _noiseSize);

    /// <summary>Turns to the tile that begins with a sample.</summary>
    public void Open(int sample)
    {
        // Of a mirrored pair, one path is drawn.
        var (first, samplesOfOne) = (_problem.Options.FirstSample + sample, _problem.Options.Antithetic ? 2 : 1);
        var end = first + _registers * LaneNumbers<TLanes, T>.Count;
        var (drawn, drawnEnd) = (first / samplesOfOne * _noiseSize, (end + samplesOfOne - 1) / samplesOfOne * _noiseSize);
        _firstGroup = drawn / BrownianPath.GroupSize;
        _places.Clear();
        _mirrored.Clear();
        _ends.Clear();
        for (var group = _firstGroup; group * BrownianPath.GroupSize < drawnEnd; group++)
        {
            for (var i = 0; i < BrownianPath.GroupSize; i++)
            {
                var (path, element) = Math.DivRem(group * BrownianPath.GroupSize + i, _noiseSize);
                AddPlace(_places, i, path * samplesOfOne - first, (int)element);
                if (samplesOfOne == 2) AddPlace(_mirrored, i, path * samplesOfOne + 1 - first, (int)element);
            }

            _ends.Add((_places.Count, _mirrored.Count));
        }
    }

    /// <summary>Draws the increments of a block's steps.</summary>
    public void Draw(int block)
    {
        var steps = FirstStep(block + 1) - FirstStep(block);
        var (place, mirrored) = (0, 0);
        for (var group = 0; group < _ends.Count; group++)
        {
            var drawn = Rounded(_groups.Draw(block, _firstGroup + group, _memory));
            Spread(drawn, CollectionsMarshal.AsSpan(_places)[place.._ends[group].Place], steps, T.One);
            Spread(drawn, CollectionsMarshal.AsSpan(_mirrored)[mirrored.._ends[group].Mirrored], steps, -T.One);
            (place, mirrored) = _ends[group];
        }

        if (_correlation.Length > 0) Correlate(steps);
    }

    /// <summary>Where an element of a sample of the tile, if it is one, lies among the numbers of a step.</summary>
    private void AddPlace(List<Place> places, int from, long sample, int element)
    {
        var lanes = LaneNumbers<TLanes, T>.Count;
        if (sample < 0 || sample >= _registers * lanes) return;
        var (register, lane) = Math.DivRem((int)sample, lanes);
        places.Add(new Place(from, (register * _noiseSize + element) * lanes + lane));
    }

    private ReadOnlySpan<T> Rounded(ReadOnlySpan<double> drawn)
    {
        if (typeof(T) == typeof(double)) return MemoryMarshal.Cast<double, T>(drawn);
        BrownianIncrements.Round(drawn, MemoryMarshal.Cast<T, float>(_rounded.AsSpan(0, drawn.Length)));
        return _rounded.AsSpan(0, drawn.Length);
    }

    /// <summary>Puts a group's numbers, with a sign, where they belong.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private void Spread(ReadOnlySpan<T> drawn, ReadOnlySpan<Place> places, int steps, T sign)
    {
        var all = LaneNumbers<TLanes, T>.Of(_increments.Span);
        var width = all.Length / MostSteps;
        for (var step = 0; step < steps; step++)
        {
            var row = drawn.Slice(step * BrownianPath.GroupSize, BrownianPath.GroupSize);
            var into = all.Slice(step * width, width);
            for (var i = 0; i < places.Length; i++) into[places[i].To] = sign * row[places[i].From];
        }
    }

    /// <summary>dW = L z in place, from the last element on, since L is lower triangular.</summary>
    private void Correlate(int steps)
    {
        for (var register = 0; register < steps * _registers; register++)
        {
            var own = _increments.Span.Slice(register * _noiseSize, _noiseSize);
            for (var i = _noiseSize - 1; i >= 0; i--)
            {
                var sum = default(TLanes);
                foreach (var (from, factor) in _correlation[i]) sum = TLanes.MultiplyAdd(factor, own[from], sum);
                own[i] = sum;
            }
        }
    }

    private (int From, TLanes Factor)[][] Rows(Tensor factor)
    {
        using var numbers = factor.to(ScalarType.Float64).cpu().contiguous();
        var values = numbers.data<double>().ToArray();
        return [.. Enumerable.Range(0, _noiseSize).Select(row => Enumerable.Range(0, _noiseSize)
            .Where(column => values[row * _noiseSize + column] != 0)
            .Select(column => (column, TLanes.Of(values[row * _noiseSize + column])))
            .ToArray())];
    }

    /// <summary>Where a number of a group goes among those of a step.</summary>
    private readonly record struct Place(int From, int To);
}
