using System.Numerics;
using DiffEqLang.Runtime.Solvers.Stochastic;

namespace DiffEqLang.Runtime.Simd;

/// <summary>
/// Solves tiles of samples: what <see cref="StochasticRun"/> does on tensors. Samples that meet NaN or infinity stay at their last good
/// state while the others go on. Allocates nothing once it is made.
/// </summary>
/// <param name="tile">The samples.</param>
internal sealed class StochasticIntegrator<TRegister, TLanes, T>(StochasticTile<TRegister, TLanes, T> tile)
    where TRegister : struct
    where TLanes : struct, ILanes<TLanes>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly RegisterBuffer<TLanes> _first = new(tile.StateLength), _terms = new(tile.TermLength);
    private readonly TLanes[] _isGood = new TLanes[StochasticTile<TRegister, TLanes, T>.Registers];    // masks, by register
    private RegisterBuffer<TLanes> _state = new(tile.StateLength), _after = new(tile.StateLength);
    private StochasticLaneSolve<T>? _solve;
    private int _tile, _steps, _place;
    private bool _looks;    // whether a sample is no longer good

    private static int Lanes => LaneNumbers<TLanes, T>.Count;

    /// <summary>Solves a tile.</summary>
    /// <param name="solve">The solve.</param>
    /// <param name="number">Which of its tiles.</param>
    /// <param name="tape">Receives the states before each block, where given.</param>
    /// <param name="progress">Told of each block.</param>
    public void Run(StochasticLaneSolve<T> solve, int number, StochasticTape<TLanes>? tape, StochasticProgress? progress)
    {
        Open(solve, number);
        var most = Math.Min(tile.Grid.Steps, tile.Problem.Options.MaxSteps);
        Save();
        for (var block = 0; _steps < most && GoesOn(); block++)
        {
            var before = _steps;
            if (tape is not null) _state.Span.CopyTo(tape.State(block));
            tile.Increments.Draw(block);
            RunBlock(block, Math.Min(tile.Increments.FirstStep(block + 1), most));
            progress?.Report(before, _steps);
        }

        for (var sample = 0; sample < solve.SamplesOf(number); sample++) End(sample);
    }

    private void Open(StochasticLaneSolve<T> solve, int number)
    {
        (_solve, _tile, _steps, _place, _looks) = (solve, number, 0, 0, false);
        tile.Open(solve, number);
        var last = solve.SamplesOf(number) - 1;
        for (var sample = 0; sample < StochasticLaneSolve<T>.TileSize; sample++)
            tile.Scatter(OfSample(solve.Initial, Math.Min(sample, last)), _state.Span, sample);
        Array.Fill(_isGood, TLanes.Equal(default, default));
        GoodSteps.Fill(int.MaxValue);
    }

    private Span<int> GoodSteps =>
        _solve!.GoodSteps.AsSpan(_tile * StochasticLaneSolve<T>.TileSize, StochasticLaneSolve<T>.TileSize);

    private bool GoesOn()
    {
        if (tile.Problem.Options.CancellationToken.IsCancellationRequested) return false;
        foreach (var isGood in _isGood)
            if (TLanes.Any(isGood))
                return true;
        return false;
    }

    /// <summary>
    /// Runs a block without looking at the states until its end; where one is then not finite, again, looking at each step. (A component
    /// that is once NaN or infinite stays so: every step adds to it.)
    /// </summary>
    private void RunBlock(int block, int end)
    {
        _state.Span.CopyTo(_first.Span);
        var (first, place) = (_steps, _place);
        if (!_looks)
        {
            Run(first, end);
            if (AllFinite()) return;
            _looks = true;
        }

        _first.Span.CopyTo(_state.Span);
        _place = place;
        Run(first, end);
    }

    private void Run(int first, int end)
    {
        for (_steps = first; _steps < end;)
        {
            tile.Advance(_steps, _steps - first, _state.Span, _after.Span, _terms.Span);
            if (_looks) Look();
            (_state, _after) = (_after, _state);
            _steps++;
            Save();
        }
    }

    private bool AllFinite()
    {
        var isFinite = TLanes.Equal(default, default);
        for (var register = 0; register < _isGood.Length; register++) isFinite &= Finite(_state.Span, register);
        return !TLanes.Any(TLanes.AndNot(TLanes.Equal(default, default), isFinite));
    }

    /// <summary>Notes the samples that a step has made NaN or infinite, and keeps those at their state before it.</summary>
    private void Look()
    {
        for (var register = 0; register < _isGood.Length; register++)
        {
            var isGood = _isGood[register] & Finite(_after.Span, register);
            if (TLanes.Any(TLanes.AndNot(_isGood[register], isGood))) NoteBad(register, isGood);
            _isGood[register] = isGood;
            var before = StochasticTile<TRegister, TLanes, T>.OfRegister(_state.Span, register);
            var after = StochasticTile<TRegister, TLanes, T>.OfRegister(_after.Span, register);
            for (var c = 0; c < after.Length; c++) after[c] = TLanes.Select(isGood, after[c], before[c]);
        }
    }

    private void NoteBad(int register, TLanes isGood)
    {
        var lanes = LaneNumbers<TLanes, T>.Of(new ReadOnlySpan<TLanes>(in isGood));
        for (var lane = 0; lane < Lanes; lane++)
            if (!T.IsNaN(lanes[lane]))    // all bits of a mask that is set make a NaN
                GoodSteps[register * Lanes + lane] = Math.Min(GoodSteps[register * Lanes + lane], _steps);
    }

    /// <summary>The lanes of a register whose state is finite: 0 times NaN or infinity is NaN.</summary>
    private static TLanes Finite(ReadOnlySpan<TLanes> states, int register)
    {
        var zero = default(TLanes);
        foreach (var component in StochasticTile<TRegister, TLanes, T>.OfRegister(states, register))
            zero = TLanes.MultiplyAdd(component, default, zero);
        return TLanes.Equal(zero, default);
    }

    private void Save()
    {
        for (; _place < _solve!.SavedSteps.Length && _solve.SavedSteps[_place] == _steps; _place++)
            for (var sample = 0; sample < _solve.SamplesOf(_tile); sample++)
                tile.Gather(_state.Span, sample, _solve.Values.Span.Slice(_solve.Place(_place, Number(sample)), _solve.Size));
    }

    /// <summary>How a sample ended, its last state, and NaN at the times that it did not reach.</summary>
    private void End(int sample)
    {
        var solve = _solve!;
        var isBad = GoodSteps[sample] < int.MaxValue;
        GoodSteps[sample] = Math.Min(GoodSteps[sample], _steps);
        solve.StepsOfTile[_tile] = _steps;
        solve.Status[Number(sample)] = isBad ? SolveStatus.NonFinite
            : _steps == tile.Grid.Steps ? SolveStatus.Success
            : tile.Problem.Options.CancellationToken.IsCancellationRequested ? SolveStatus.Cancelled
            : SolveStatus.MaxSteps;
        tile.Gather(_state.Span, sample, OfSample(solve.LastState, sample));
        for (var time = 0; time < solve.Times.Length; time++)
            if (solve.SavedSteps[time] > GoodSteps[sample])
                solve.Values.Span.Slice(solve.Place(time, Number(sample)), solve.Size).Fill(T.NaN);
    }

    private int Number(int sample) => _tile * StochasticLaneSolve<T>.TileSize + sample;

    private Span<T> OfSample(UnmanagedSpan<T> all, int sample) => all.Span.Slice(Number(sample) * tile.Size, tile.Size);
}
