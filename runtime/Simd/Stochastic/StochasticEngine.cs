using System.Numerics;
using DiffEqLang.Runtime.Solvers.Stochastic;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime.Simd;

/// <summary>Runs a solve of stochastic equations, forwards and backwards, on several threads; hides the kind of register.</summary>
/// <typeparam name="T">float or double.</typeparam>
internal abstract class StochasticEngine<T> : IDisposable
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>N, the numbers of a state.</summary>
    public abstract int StateSize { get; }

    /// <summary>The numbers of all parameters' gradients.</summary>
    public abstract int GradientSize { get; }

    /// <summary>Solves; where a tape is asked for, <see cref="Backward"/> may follow, any number of times.</summary>
    public abstract void Forward(StochasticLaneSolve<T> solve, bool withTape);

    /// <summary>Pulls the cotangents of the saved states of the solve done last back.</summary>
    /// <param name="solve">That solve.</param>
    /// <param name="gradients">Cotangents in, initial states' gradients out.</param>
    /// <param name="parameterGradients">Receives the parameters' gradients, summed over the samples.</param>
    public abstract void Backward(StochasticLaneSolve<T> solve, LaneGradients<T> gradients, Span<double> parameterGradients);

    /// <summary>Releases what its kernel reads; it must not run afterwards.</summary>
    public abstract void Dispose();
}

/// <summary>The engine over one kind of register.</summary>
internal sealed class StochasticEngine<TRegister, TLanes, T> : StochasticEngine<T>
    where TRegister : struct
    where TLanes : struct, ILanes<TLanes>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>
    /// The tiles that one thread takes on at a time. Fixed, so that what is summed over samples is summed in the same order on any
    /// number of threads.
    /// </summary>
    private const int TilesOfPart = 8;

    private readonly BoundKernel<TRegister> _bound;
    private readonly StochasticKernel<TRegister> _kernel;
    private readonly Workers<Worker> _workers;
    private readonly List<StochasticTape<TLanes>> _tapes = [];    // by tile

    /// <param name="make">Makes the kernel of its weights.</param>
    /// <param name="weights">Those that it reads.</param>
    /// <param name="problem">What is solved.</param>
    /// <param name="threads">On how many threads.</param>
    public StochasticEngine(
        Func<IReadOnlyList<Tensor>, LaneKernel<TRegister>> make, IReadOnlyList<Tensor> weights, StochasticProblem problem, int threads)
    {
        _bound = new BoundKernel<TRegister>(make);
        _kernel = (StochasticKernel<TRegister>)_bound.Of(weights);
        _workers = new Workers<Worker>(() => new Worker(new(_kernel, problem)), threads);
    }

    /// <inheritdoc/>
    public override int StateSize => _kernel.StateSize;

    /// <inheritdoc/>
    public override int GradientSize => _kernel.GradientSize;

    /// <inheritdoc/>
    public override void Forward(StochasticLaneSolve<T> solve, bool withTape)
    {
        if (withTape) MakeTapes(solve);
        var progress = solve.Problem.Options.Progress is null ? null : new StochasticProgress(solve.Problem, solve.Tiles);
        ForEachTile(solve, (worker, _, tile) => worker.Integrator.Run(solve, tile, withTape ? _tapes[tile] : null, progress));
    }

    /// <inheritdoc/>
    public override void Backward(StochasticLaneSolve<T> solve, LaneGradients<T> gradients, Span<double> parameterGradients)
    {
        var size = GradientSize;
        var partial = new double[PartsOf(solve) * size];
        ForEachTile(solve, (worker, part, tile) =>
        {
            var sums = worker.Tile.Stepper.Sums;
            sums.Clear();
            worker.Adjoint.Run(solve, tile, _tapes[tile], gradients);
            sums.AddTo(partial.AsSpan(part * size, size));
        });
        parameterGradients.Clear();
        for (var i = 0; i < partial.Length; i++) parameterGradients[i % size] += partial[i];
    }

    /// <inheritdoc/>
    public override void Dispose() => _bound.Dispose();

    private void MakeTapes(StochasticLaneSolve<T> solve)
    {
        _tapes.Clear();
        _workers.ForEach(1, (worker, _) =>
        {
            for (var tile = 0; tile < solve.Tiles; tile++)
                _tapes.Add(new StochasticTape<TLanes>(worker.Tile.Increments.Blocks, worker.Tile.StateLength));
        });
    }

    private void ForEachTile(StochasticLaneSolve<T> solve, Action<Worker, int, int> action) =>
        _workers.ForEach(PartsOf(solve), (worker, part) =>
        {
            for (var tile = part * TilesOfPart; tile < Math.Min((part + 1) * TilesOfPart, solve.Tiles); tile++) action(worker, part, tile);
        });

    private static int PartsOf(StochasticLaneSolve<T> solve) => (solve.Tiles + TilesOfPart - 1) / TilesOfPart;

    /// <summary>What one thread needs.</summary>
    private sealed class Worker(StochasticTile<TRegister, TLanes, T> tile)
    {
        private StochasticLaneAdjoint<TRegister, TLanes, T>? _adjoint;

        public StochasticTile<TRegister, TLanes, T> Tile => tile;

        public StochasticIntegrator<TRegister, TLanes, T> Integrator { get; } = new(tile);

        public StochasticLaneAdjoint<TRegister, TLanes, T> Adjoint => _adjoint ??= new(tile);
    }
}
