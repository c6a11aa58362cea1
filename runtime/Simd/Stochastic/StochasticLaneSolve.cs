using System.Numerics;
using DiffEqLang.Runtime.Noise;
using DiffEqLang.Runtime.Solvers.Stochastic;

namespace DiffEqLang.Runtime.Simd;

/// <summary>
/// One solve of stochastic equations: what is given and where the results go. Different tiles may be worked on by different threads.
/// </summary>
/// <typeparam name="T">float or double.</typeparam>
internal sealed class StochasticLaneSolve<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>
    /// The samples that are worked on together, from register to register: what one Wiener process of each takes is one group of drawn numbers.
    /// </summary>
    public const int TileSize = BrownianPath.GroupSize;

    /// <param name="problem">What is solved.</param>
    /// <param name="samples">How many samples there are.</param>
    /// <param name="size">N, the numbers of a state.</param>
    public StochasticLaneSolve(StochasticProblem problem, int samples, int size)
    {
        (Problem, Samples, Size) = (problem, samples, size);
        (Times, SavedSteps) = (problem.Times, problem.SavedSteps);
        Tiles = (samples + TileSize - 1) / TileSize;
        (Status, GoodSteps, StepsOfTile) = (new SolveStatus[samples], new int[Tiles * TileSize], new int[Tiles]);
    }

    /// <summary>What is solved.</summary>
    public StochasticProblem Problem { get; }

    /// <summary>How many samples there are.</summary>
    public int Samples { get; }

    /// <summary>N, the numbers of a state.</summary>
    public int Size { get; }

    /// <summary>How many tiles the samples make.</summary>
    public int Tiles { get; }

    /// <summary>The saved times.</summary>
    public double[] Times { get; }

    /// <summary>By saved time: after how many steps it is reached.</summary>
    public int[] SavedSteps { get; }

    /// <summary>The numbers of the parameters in registers.</summary>
    public T[] Parameters { get; init; } = [];

    /// <summary>The initial states: [samples, N].</summary>
    public UnmanagedSpan<T> Initial { get; set; }

    /// <summary>Receives the states at the saved times: [times, samples, N]; NaN where a sample did not get.</summary>
    public UnmanagedSpan<T> Values { get; set; }

    /// <summary>Receives the last good state of each sample: [samples, N].</summary>
    public UnmanagedSpan<T> LastState { get; set; }

    /// <summary>How each sample ended.</summary>
    public SolveStatus[] Status { get; }

    /// <summary>The good steps of each sample; of the lanes that fill the last tile too.</summary>
    public int[] GoodSteps { get; }

    /// <summary>The steps that were tried, by tile.</summary>
    public int[] StepsOfTile { get; }

    /// <summary>The time that a sample reached.</summary>
    public double LastTime(int sample) => Problem.Grid.Times[GoodSteps[sample]];

    /// <summary>The samples of a tile.</summary>
    public int SamplesOf(int tile) => Math.Min(TileSize, Samples - tile * TileSize);

    /// <summary>The place of a sample's state at a saved time in <see cref="Values"/>.</summary>
    public int Place(int time, int sample) => (time * Samples + sample) * Size;
}
