using System.Numerics;
using DiffEqLang.Runtime.Noise;
using DiffEqLang.Runtime.Solvers.Stochastic;

namespace DiffEqLang.Runtime.Simd;

/// <summary>
/// A tile of samples, all of one step, in as many registers as it takes: what solving it and pulling its gradient back share. Lanes
/// beyond the last sample are further samples that begin where the last one does, and whose results nobody asks for.
/// </summary>
/// <param name="kernel">The equations.</param>
/// <param name="problem">What is solved.</param>
internal sealed class StochasticTile<TRegister, TLanes, T>(StochasticKernel<TRegister> kernel, StochasticProblem problem)
    where TRegister : struct
    where TLanes : struct, ILanes<TLanes>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly RegisterBuffer<TLanes> _parameters = new(kernel.ParameterSize);

    /// <summary>The registers of a tile.</summary>
    public static int Registers => StochasticLaneSolve<T>.TileSize / Lanes;

    private static int Lanes => LaneNumbers<TLanes, T>.Count;

    /// <summary>What is solved.</summary>
    public StochasticProblem Problem => problem;

    /// <summary>The steps.</summary>
    public StepGrid Grid => problem.Grid;

    /// <summary>N, the numbers of a state.</summary>
    public int Size => kernel.StateSize;

    /// <summary>M, the number of Wiener processes.</summary>
    public int NoiseSize => kernel.NoiseSize;

    /// <summary>The registers of all states.</summary>
    public int StateLength => Registers * Size;

    /// <summary>The registers of what a step leaves for its vector-Jacobian product.</summary>
    public int TermLength => Registers * kernel.TermSize;

    /// <summary>The steps' increments.</summary>
    public LaneIncrements<TLanes, T> Increments { get; } = new(problem, Registers);

    /// <summary>The method.</summary>
    public StochasticStepper<TRegister, TLanes, T> Stepper { get; } = new(kernel, problem);

    /// <summary>The parameters in registers.</summary>
    public ReadOnlySpan<TLanes> Parameters => _parameters.Span;

    /// <summary>Turns to a tile of a solve.</summary>
    public void Open(StochasticLaneSolve<T> solve, int tile)
    {
        Increments.Open(tile * StochasticLaneSolve<T>.TileSize);
        var parameters = _parameters.Span;
        for (var i = 0; i < parameters.Length; i++) parameters[i] = TLanes.Of(double.CreateTruncating(solve.Parameters[i]));
    }

    /// <summary>The time, and the length, of a step of the grid.</summary>
    public LaneStep<TLanes> Step(int step) =>
        new(TLanes.Of(Grid.Times[step]), TLanes.Of(Grid.Times[step + 1]), TLanes.Of(Grid.Length(step)));

    /// <summary>One step of all registers.</summary>
    /// <param name="step">Its number in the grid.</param>
    /// <param name="ofBlock">Its number in the block whose increments were drawn last.</param>
    /// <param name="states">Those before it, length <see cref="StateLength"/>.</param>
    /// <param name="after">Receives those after it.</param>
    /// <param name="terms">Receives its terms, length <see cref="TermLength"/>.</param>
    public void Advance(int step, int ofBlock, ReadOnlySpan<TLanes> states, Span<TLanes> after, Span<TLanes> terms)
    {
        var lanes = Step(step);
        for (var register = 0; register < Registers; register++)
            Stepper.Advance(
                in lanes, OfRegister(states, register), Parameters, Increments.Step(ofBlock, register),
                OfRegister(after, register), OfRegister(terms, register));
    }

    /// <summary>The part of one register.</summary>
    public static Span<TLanes> OfRegister(Span<TLanes> all, int register) =>
        all.Slice(register * (all.Length / Registers), all.Length / Registers);

    /// <summary>The part of one register.</summary>
    public static ReadOnlySpan<TLanes> OfRegister(ReadOnlySpan<TLanes> all, int register) =>
        all.Slice(register * (all.Length / Registers), all.Length / Registers);

    /// <summary>Copies numbers, one a component, to a sample's lane.</summary>
    public void Scatter(ReadOnlySpan<T> numbers, Span<TLanes> states, int sample)
    {
        var lanes = LaneNumbers<TLanes, T>.Of(states);
        for (var (c, place) = (0, FirstPlace(sample)); c < numbers.Length; c++, place += Lanes) lanes[place] = numbers[c];
    }

    /// <summary>Copies a sample's lane to numbers, one a component.</summary>
    public void Gather(ReadOnlySpan<TLanes> states, int sample, Span<T> numbers)
    {
        var lanes = LaneNumbers<TLanes, T>.Of(states);
        for (var (c, place) = (0, FirstPlace(sample)); c < numbers.Length; c++, place += Lanes) numbers[c] = lanes[place];
    }

    /// <summary>Adds numbers, one a component, to a sample's lane.</summary>
    public void Add(ReadOnlySpan<T> numbers, Span<TLanes> states, int sample)
    {
        var lanes = LaneNumbers<TLanes, T>.Of(states);
        for (var (c, place) = (0, FirstPlace(sample)); c < numbers.Length; c++, place += Lanes) lanes[place] += numbers[c];
    }

    private int FirstPlace(int sample) => sample / Lanes * Size * Lanes + sample % Lanes;
}
