using System.Numerics;
using DiffEqLang.Runtime.Sensitivities.Stochastic;

namespace DiffEqLang.Runtime.Simd;

/// <summary>
/// The exact gradient of the scheme along the paths of a tile: what <see cref="DiscreteStochasticAdjoint"/> does on tensors. Block by
/// block, last to first, the increments are drawn and the states computed again.
/// </summary>
/// <remarks>
/// A sample that is no longer good takes no part in a step: its adjoint stays as it is, and its lane repeats a good sample's numbers with
/// a cotangent of zero, since its own NaN times zero would reach the parameters' sums.
/// </remarks>
/// <param name="tile">The samples.</param>
internal sealed class StochasticLaneAdjoint<TRegister, TLanes, T>(StochasticTile<TRegister, TLanes, T> tile)
    where TRegister : struct
    where TLanes : struct, ILanes<TLanes>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly RegisterBuffer<TLanes> _adjoint = new(tile.StateLength), _before = new(tile.Size);
    private readonly RegisterBuffer<TLanes> _states = new((tile.Increments.MostSteps + 1) * tile.StateLength);
    private readonly RegisterBuffer<TLanes> _terms = new(tile.Increments.MostSteps * tile.TermLength);
    private readonly RegisterBuffer<TLanes> _goodState = new(tile.Size), _goodIncrements = new(tile.NoiseSize);
    private readonly RegisterBuffer<TLanes> _goodTerms = new(tile.Stepper.TermSize), _goodAdjoint = new(tile.Size);
    private StochasticLaneSolve<T>? _solve;
    private LaneGradients<T> _gradients;
    private int _tile, _place;
    private bool _hasBad;

    private static int Lanes => LaneNumbers<TLanes, T>.Count;

    /// <summary>Pulls the cotangents of a tile's saved states back to its initial states.</summary>
    /// <param name="solve">The solve.</param>
    /// <param name="number">Which of its tiles.</param>
    /// <param name="tape">The states before its blocks.</param>
    /// <param name="gradients">Cotangents in, initial states' gradients out.</param>
    /// <remarks>The parameters' gradients go to the tile's <see cref="StochasticStepper{TRegister, TLanes, T}.Sums"/>.</remarks>
    public void Run(StochasticLaneSolve<T> solve, int number, StochasticTape<TLanes> tape, LaneGradients<T> gradients)
    {
        (_solve, _tile, _gradients) = (solve, number, gradients);
        tile.Open(solve, number);
        _adjoint.Span.Clear();
        var steps = solve.StepsOfTile[number];
        _hasBad = GoodSteps.ContainsAnyInRange(0, steps - 1);
        _place = solve.SavedSteps.Length;
        while (_place > 0 && solve.SavedSteps[_place - 1] > steps) _place--;
        for (var block = tile.Increments.Blocks - 1; block >= 0; block--)
        {
            var (first, end) = (tile.Increments.FirstStep(block), Math.Min(tile.Increments.FirstStep(block + 1), steps));
            if (first >= steps) continue;
            tile.Increments.Draw(block);
            Recompute(first, end, tape.State(block));
            for (var step = end - 1; step >= first; step--)
            {
                AddSaved(step + 1);
                Pull(step, step - first);
            }
        }

        AddSaved(0);
        for (var sample = 0; sample < solve.SamplesOf(number); sample++)
            tile.Gather(_adjoint.Span, sample, gradients.Initial.Span.Slice(Number(sample) * tile.Size, tile.Size));
    }

    private ReadOnlySpan<int> GoodSteps =>
        _solve!.GoodSteps.AsSpan(_tile * StochasticLaneSolve<T>.TileSize, StochasticLaneSolve<T>.TileSize);

    /// <summary>The states before each step of a block, and their terms.</summary>
    private void Recompute(int first, int end, ReadOnlySpan<TLanes> start)
    {
        start.CopyTo(States(0));
        for (var step = first; step < end; step++)
        {
            var before = States(step - first);
            var after = States(step - first + 1);
            tile.Advance(step, step - first, before, after, Terms(step - first));
            for (var register = 0; _hasBad && register < StochasticTile<TRegister, TLanes, T>.Registers; register++)
            {
                var isGood = IsGood(register, step, out _);
                Select(isGood, OfRegister(after, register), OfRegister(before, register), OfRegister(after, register));
            }
        }
    }

    /// <summary>Adds the cotangents of what was saved after a number of steps, of the samples that came so far.</summary>
    private void AddSaved(int step)
    {
        for (; _place > 0 && _solve!.SavedSteps[_place - 1] == step; _place--)
            for (var sample = 0; sample < _solve.SamplesOf(_tile); sample++)
                if (GoodSteps[sample] >= step)
                    tile.Add(
                        _gradients.Cotangents.Span.Slice(_solve.Place(_place - 1, Number(sample)), tile.Size), _adjoint.Span, sample);
    }

    /// <summary>Takes the adjoints over one step.</summary>
    private void Pull(int step, int ofBlock)
    {
        var lanes = tile.Step(step);
        for (var register = 0; register < StochasticTile<TRegister, TLanes, T>.Registers; register++)
        {
            if (_hasBad) PullGood(in lanes, register, step, ofBlock);
            else PullAll(in lanes, register, ofBlock);
        }
    }

    private void PullAll(in LaneStep<TLanes> lanes, int register, int ofBlock)
    {
        var adjoint = OfRegister(_adjoint.Span, register);
        tile.Stepper.AdvanceVjp(
            in lanes, OfRegister(States(ofBlock), register), tile.Parameters, tile.Increments.Step(ofBlock, register),
            OfRegister(Terms(ofBlock), register), adjoint, _before.Span);
        _before.Span.CopyTo(adjoint);
    }

    /// <summary>The same where not every sample may be good.</summary>
    private void PullGood(in LaneStep<TLanes> lanes, int register, int step, int ofBlock)
    {
        var isGood = IsGood(register, step, out var good);
        if (good < 0) return;
        OfRegister(States(ofBlock), register).CopyTo(_goodState.Span);
        tile.Increments.Step(ofBlock, register).CopyTo(_goodIncrements.Span);
        for (var lane = 0; lane < Lanes; lane++)
        {
            if (GoodSteps[register * Lanes + lane] > step) continue;
            LaneNumbers<TLanes, T>.Copy(_goodState.Span, good, _goodState.Span, lane);
            LaneNumbers<TLanes, T>.Copy(_goodIncrements.Span, good, _goodIncrements.Span, lane);
        }

        var adjoint = OfRegister(_adjoint.Span, register);
        for (var c = 0; c < adjoint.Length; c++) _goodAdjoint.Span[c] = adjoint[c] & isGood;
        tile.Stepper.Advance(in lanes, _goodState.Span, tile.Parameters, _goodIncrements.Span, _before.Span, _goodTerms.Span);
        tile.Stepper.AdvanceVjp(
            in lanes, _goodState.Span, tile.Parameters, _goodIncrements.Span, _goodTerms.Span, _goodAdjoint.Span, _before.Span);
        Select(isGood, _before.Span, adjoint, adjoint);
    }

    /// <summary>The lanes of a register whose samples are good at a step, and one of them; -1 where none is.</summary>
    private TLanes IsGood(int register, int step, out int good)
    {
        var bad = default(TLanes);
        var numbers = LaneNumbers<TLanes, T>.Of(new Span<TLanes>(ref bad));
        good = -1;
        for (var lane = 0; lane < Lanes; lane++)
        {
            var isGood = GoodSteps[register * Lanes + lane] > step;
            numbers[lane] = isGood ? default : T.One;
            if (isGood) good = lane;
        }

        return TLanes.Equal(bad, default);
    }

    private static void Select(TLanes mask, ReadOnlySpan<TLanes> a, ReadOnlySpan<TLanes> b, Span<TLanes> result)
    {
        for (var c = 0; c < result.Length; c++) result[c] = TLanes.Select(mask, a[c], b[c]);
    }

    private Span<TLanes> States(int ofBlock) => _states.Span.Slice(ofBlock * tile.StateLength, tile.StateLength);

    private Span<TLanes> Terms(int ofBlock) => _terms.Span.Slice(ofBlock * tile.TermLength, tile.TermLength);

    private static Span<TLanes> OfRegister(Span<TLanes> all, int register) => StochasticTile<TRegister, TLanes, T>.OfRegister(all, register);

    private int Number(int sample) => _tile * StochasticLaneSolve<T>.TileSize + sample;
}
