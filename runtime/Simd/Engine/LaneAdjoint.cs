using System.Numerics;

namespace DiffEqLang.Runtime.Simd;

/// <summary>
/// The exact gradient of the numerical scheme for the samples of one register, from the steps that its tape holds: the mathematics of
/// <see cref="DiscreteAdjoint"/>, all lanes at once, each with its own step.
/// </summary>
/// <remarks>
/// The parameters' gradients are summed lane by lane in the state's precision, and from there into float64 so often that
/// nothing is lost. The order of all sums is that of the tape: the same on every run.
/// </remarks>
internal sealed class LaneAdjoint<TRegister, TLanes, T>
    where TRegister : struct
    where TLanes : struct, ILanes<TLanes>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly LaneStepper<TRegister, TLanes> _stepper;
    private readonly AdjointSums<TRegister, TLanes, T> _vjp;
    private readonly SavedCotangents<TLanes, T> _saved;
    private readonly FirstStages<TRegister, TLanes, T> _firstStages;
    private readonly (int Stage, TLanes Weight)[][] _columns;    // of A: which stages' states a stage enters
    private readonly TLanes[] _places;                           // of C: where in the step the stages lie
    private readonly RegisterBuffer<TLanes> _parameters;
    private readonly RegisterBuffer<TLanes> _state;              // λ, the adjoint of the state
    private readonly RegisterBuffer<TLanes> _slope;              // that of f there, from the first stage of the step after it
    private readonly RegisterBuffer<TLanes> _stages, _states, _terms, _adjoints, _cotangent;
    private readonly int[] _sample;
    private readonly int _size, _termSize, _endStage, _stageCount;

    public LaneAdjoint(LaneStepper<TRegister, TLanes> stepper)
    {
        var (tableau, kernel) = (stepper.Tableau, stepper.Kernel);
        (_stepper, _size, _termSize) = (stepper, stepper.Size, kernel.TermSize);
        (_endStage, _stageCount) = (tableau.EndStage, tableau.A.Count);
        _places = [.. tableau.C.Select(TLanes.Of)];
        _columns = [.. Enumerable.Range(0, _stageCount).Select(stage => Column(tableau.A, stage))];
        (_vjp, _saved) = (new(stepper), new(tableau, stepper.Parts, _size));
        _firstStages = new(stepper, _vjp);
        (_parameters, _state, _slope, _cotangent) = (new(kernel.ParameterSize), new(_size), new(_size), new(_size));
        (_stages, _adjoints) = (new(_stageCount * _size), new(_stageCount * _size));
        (_states, _terms) = (new((_stageCount - 1) * _size), new((_stageCount - 1) * _termSize));
        _sample = new int[LaneNumbers<TLanes, T>.Count];
    }

    /// <summary>Runs the steps of some tapes backwards.</summary>
    /// <param name="solve">The solve that they are of.</param>
    /// <param name="tapes">Their steps, one tape after another.</param>
    /// <param name="gradients">
    /// The cotangents of the saved states; receives the initial states' gradients, and the parameters' in
    /// <paramref name="parameterGradients"/>.
    /// </param>
    /// <param name="parameterGradients">Receives the sums over all samples of the tapes.</param>
    public void Run(
        LaneSolve<T> solve, ReadOnlySpan<StepTape<TLanes>> tapes, LaneGradients<T> gradients, Span<double> parameterGradients)
    {
        _vjp.Clear();
        foreach (var tape in tapes) Reverse(solve, tape, gradients);
        _vjp.CopyTo(parameterGradients);
    }

    private void Reverse(LaneSolve<T> solve, StepTape<TLanes> tape, LaneGradients<T> gradients)
    {
        Open(solve, tape, gradients);
        var start = tape.Starts.Count - 1;
        for (var step = tape.Steps.Count - 1; step >= 0; step--)
        {
            while (start >= 0 && tape.Starts[start].Step > step) Close(tape.Starts[start--]);
            Reverse(tape, step);
        }

        while (start >= 0) Close(tape.Starts[start--]);
        _firstStages.Flush();
    }

    private void Open(LaneSolve<T> solve, StepTape<TLanes> tape, LaneGradients<T> gradients)
    {
        var parameters = _parameters.Span;
        for (var i = 0; i < parameters.Length; i++) parameters[i] = TLanes.Of(double.CreateTruncating(solve.Parameters[i]));
        _state.Span.Clear();
        _slope.Span.Clear();
        _saved.Open(solve, gradients);
        _firstStages.Open(solve, gradients, _parameters);
        Array.Fill(_sample, -1);
        foreach (var start in tape.Starts) _sample[start.Lane] = start.Sample;
    }

    /// <summary>The lane's sample has been traced back to its beginning.</summary>
    private void Close(TapedStart start)
    {
        _firstStages.Add(start.Sample, start.Lane, _state.Span, _slope.Span);
        var lanes = LaneNumbers<TLanes, T>.Count;
        var state = LaneNumbers<TLanes, T>.Of(_state.Span);
        var slope = LaneNumbers<TLanes, T>.Of(_slope.Span);
        for (var i = start.Lane; i < state.Length; i += lanes) state[i] = slope[i] = default;
        _sample[start.Lane] = start.Before;
    }

    /// <summary>Through one step: from the adjoint of the states after it to that of the states before.</summary>
    private void Reverse(StepTape<TLanes> tape, int step)
    {
        var taped = tape.Steps[step];
        var size = tape.Size(step);
        var (t, h) = (LaneNumbers<TLanes, T>.FromDoubles(tape.Time(step)), LaneNumbers<TLanes, T>.FromDoubles(size));
        var last = taped.IsDense ? _stageCount - 1 : _endStage;
        var isKept = taped.Kept.Length > 0;
        if (!isKept) Recompute(tape.State(step), t, h, last);
        var states = isKept ? tape.Kept(step)[.._states.Length] : _states.Span;
        var terms = isKept ? tape.Kept(step)[_states.Length..] : _terms.Span;
        var state = _state.Span;
        var slope = _slope.Span;
        var adjoints = _adjoints.Span;
        var cotangent = _cotangent.Span;
        if (taped.Saves) _saved.Add(tape, step, _sample, state);

        var moves = TLanes.LessThan(default, TLanes.Abs(h));
        for (var i = last; i > 0; i--)
        {
            CotangentOf(i, last, h, taped.Saves, cotangent);
            if (i == _endStage) AddWhere(moves, slope, cotangent);
            var adjoint = adjoints.Slice(i * _size, _size);
            if (_stepper.Parts.IsVelocity(i))
            {
                _stepper.Parts.SlopeVjp(cotangent, adjoint);
                continue;
            }

            _vjp.Run(
                TLanes.MultiplyAdd(h, _places[i], t), states.Slice((i - 1) * _size, _size), _parameters.Span,
                terms.Slice((i - 1) * _termSize, _termSize), cotangent, adjoint);
            if (i != _endStage) continue;
            Add(state, adjoint);
            adjoint.CopyTo(state);
        }

        CotangentOf(0, last, h, taped.Saves, cotangent);
        for (var c = 0; c < slope.Length; c++) slope[c] = TLanes.Select(moves, cotangent[c], slope[c]);
        for (var i = 1; i <= last; i++)
            if (i != _endStage)
                Add(adjoints.Slice(i * _size, _size), state);
        if (taped.Saves) Add(_saved.State, state);
    }

    /// <summary>k̄ᵢ = h (Σⱼ aⱼᵢ z̄ⱼ + what was saved of it).</summary>
    private void CotangentOf(int stage, int last, TLanes h, bool saves, Span<TLanes> cotangent)
    {
        ReadOnlySpan<TLanes> adjoints = _adjoints.Span;
        if (saves) _saved.Stage(stage).CopyTo(cotangent);
        else cotangent.Clear();
        foreach (var (j, weight) in _columns[stage])
        {
            if (j > last) break;
            var adjoint = adjoints.Slice(j * _size, _size);
            for (var c = 0; c < cotangent.Length; c++) cotangent[c] = TLanes.MultiplyAdd(weight, adjoint[c], cotangent[c]);
        }

        for (var c = 0; c < cotangent.Length; c++) cotangent[c] = h * cotangent[c];
        _stepper.Parts.Restrict(stage, cotangent);
    }

    /// <summary>The stages once more, from the state before the step.</summary>
    private void Recompute(ReadOnlySpan<TLanes> state, TLanes t, TLanes h, int last)
    {
        var stages = _stages.Span;
        var terms = _terms.Span;
        _stepper.Drift(t, state, _parameters.Span, stages[.._size], terms[.._termSize]);
        _stepper.Evaluate(1, last + 1, t, h, state, _parameters.Span, stages, _states.Span, terms);
    }

    private static void Add(ReadOnlySpan<TLanes> vector, Span<TLanes> sum)
    {
        for (var c = 0; c < sum.Length; c++) sum[c] = sum[c] + vector[c];
    }

    private static void AddWhere(TLanes mask, ReadOnlySpan<TLanes> vector, Span<TLanes> sum)
    {
        for (var c = 0; c < sum.Length; c++) sum[c] = sum[c] + (vector[c] & mask);
    }

    private static (int, TLanes)[] Column(IReadOnlyList<double[]> a, int stage) =>
        [.. Enumerable.Range(stage + 1, a.Count - stage - 1).Where(j => a[j][stage] != 0).Select(j => (j, TLanes.Of(a[j][stage])))];
}
