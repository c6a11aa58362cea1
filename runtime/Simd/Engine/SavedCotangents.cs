using System.Numerics;
using DiffEqLang.Tableaux;

namespace DiffEqLang.Runtime.Simd;

/// <summary>
/// The adjoint of what one step saved: what the cotangents of the saved states add to the adjoints of the state after the step, of
/// the state before it, and of its stages.
/// </summary>
internal sealed class SavedCotangents<TLanes, T>
    where TLanes : struct, ILanes<TLanes>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly int _size;
    private readonly DenseWeights<TLanes> _weights;
    private readonly RegisterBuffer<TLanes> _state, _stages, _cotangent, _theta;
    private LaneSolve<T>? _solve;
    private LaneGradients<T> _gradients;

    public SavedCotangents(RungeKuttaTableau tableau, LaneParts parts, int size)
    {
        (_size, _weights) = (size, new DenseWeights<TLanes>(tableau, parts));
        (_state, _stages, _cotangent, _theta) = (new(size), new(tableau.A.Count * size), new(size), new(1));
    }

    private static int Lanes => LaneNumbers<TLanes, T>.Count;

    /// <summary>What is added to the adjoint of the state before the step.</summary>
    public ReadOnlySpan<TLanes> State => _state.Span;

    /// <summary>What is added to the adjoint of a stage, before it is multiplied by the step.</summary>
    public ReadOnlySpan<TLanes> Stage(int stage) => _stages.Span.Slice(stage * _size, _size);

    /// <summary>Begins a backward pass.</summary>
    public void Open(LaneSolve<T> solve, LaneGradients<T> gradients) => (_solve, _gradients) = (solve, gradients);

    /// <summary>Collects the cotangents of what a step saved.</summary>
    /// <param name="tape">The tape.</param>
    /// <param name="step">The step on it.</param>
    /// <param name="sample">The sample of each lane.</param>
    /// <param name="after">The adjoint of the state after the step: what was saved at its end is added.</param>
    public void Add(StepTape<TLanes> tape, int step, ReadOnlySpan<int> sample, Span<TLanes> after)
    {
        _state.Span.Clear();
        _stages.Span.Clear();
        for (var row = 0; Gather(tape, step, row, sample, after, out var isInside); row++)
            if (isInside)
                AddRow();
    }

    /// <summary>The cotangents of each lane's saved time of this number; those of its end go to the state after at once.</summary>
    private bool Gather(StepTape<TLanes> tape, int step, int row, ReadOnlySpan<int> sample, Span<TLanes> after, out bool isInside)
    {
        var time = tape.Time(step);
        var size = tape.Size(step);
        var first = tape.FirstSaved(step);
        var end = tape.AfterSaved(step);
        var thetas = LaneNumbers<TLanes, T>.Of(_theta.Span);
        var any = false;
        isInside = false;
        _cotangent.Span.Clear();
        for (var lane = 0; lane < Lanes; lane++)
        {
            thetas[lane] = default;
            var saved = first[lane] + row;
            if (saved >= end[lane]) continue;
            any = true;
            if (_solve!.Status[sample[lane]] is not (SolveStatus.Success or SolveStatus.Stopped)) continue;
            var theta = (_solve.Times[saved] - RegisterClock.Lane(time, lane)) / RegisterClock.Lane(size, lane);
            var into = LaneNumbers<TLanes, T>.Of(theta < 1 ? _cotangent.Span : after);
            if (theta < 1) (isInside, thetas[lane]) = (true, T.CreateTruncating(theta));
            var cotangent = _gradients.Cotangents.Span.Slice(_solve.Place(saved, sample[lane]), _size);
            for (var c = 0; c < cotangent.Length; c++) into[c * Lanes + lane] += cotangent[c];
        }

        return any;
    }

    private void AddRow()
    {
        Span<TLanes> state = _state.Span, stages = _stages.Span, cotangent = _cotangent.Span;
        for (var c = 0; c < _size; c++) state[c] = state[c] + cotangent[c];
        foreach (var stage in _weights.Stages)
            _weights.Add(_weights.OfValue(stage, _theta.Span[0]), stage, cotangent, stages.Slice(stage * _size, _size));
    }
}
