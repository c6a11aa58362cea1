using System.Numerics;

namespace DiffEqLang.Runtime.Simd;

/// <summary>The samples that one register works on: their states, and the stages of the step that they attempt.</summary>
internal sealed class LaneGroup<TRegister, TLanes, T>
    where TRegister : struct
    where TLanes : struct, ILanes<TLanes>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly LaneStepper<TRegister, TLanes> _stepper;
    private readonly RungeKuttaProblem _problem;
    private readonly LaneSaves<TLanes, T> _saves;
    private readonly RegisterBuffer<TLanes> _state, _parameters, _stages, _states, _terms;
    private readonly TLanes _rtol, _atol;
    private readonly int _size, _endStage, _stageCount;
    private TLanes _t, _h;
    private bool _isDraft;    // whether the stages of this attempt are in the tape's draft

    public LaneGroup(LaneStepper<TRegister, TLanes> stepper, RungeKuttaProblem problem)
    {
        var (tableau, kernel) = (problem.Tableau, stepper.Kernel);
        (_stepper, _problem, _saves) = (stepper, problem, new LaneSaves<TLanes, T>(tableau, stepper.Size));
        (_size, _endStage, _stageCount) = (stepper.Size, tableau.EndStage, tableau.A.Count);
        (_state, _parameters, _terms) = (new(_size), new(kernel.ParameterSize), new(kernel.TermSize));
        (_stages, _states) = (new(_stageCount * _size), new((_stageCount - 1) * _size));
        (_rtol, _atol) = (TLanes.Of(problem.Rtol), TLanes.Of(problem.Atol));
    }

    /// <summary>The accepted steps, where they are recorded.</summary>
    public StepTape<TLanes>? Tape { get; set; }

    /// <summary>The states.</summary>
    public ReadOnlySpan<TLanes> State => _state.Span;

    /// <summary>f there.</summary>
    public ReadOnlySpan<TLanes> Slope => _stages.Span[.._size];

    /// <summary>The parameters in registers.</summary>
    public ReadOnlySpan<TLanes> Parameters => _parameters.Span;

    /// <summary>Begins a solve.</summary>
    public void Open(LaneSolve<T> solve) => _saves.Open(solve);

    /// <summary>Takes a waiting sample into a lane.</summary>
    /// <returns>The size of its first step, and the next time it saves.</returns>
    public (double Size, double NextSave) Take(int lane, SampleSource<TRegister, TLanes, T> source)
    {
        var slope = _stages.Span[.._size];
        var (sample, size) = source.Take(lane, _state.Span, _parameters.Span, slope);
        Tape?.Starts.Add(new TapedStart(Tape.Steps.Count, lane, sample, _saves.Sample(lane)));
        return (size, _saves.Start(lane, sample, _state.Span, slope));
    }

    /// <summary>
    /// Lets a lane without a sample repeat another lane's numbers, so that it meets nothing that the other does not meet: a NaN, times a
    /// cotangent of zero, would reach the parameters' gradients.
    /// </summary>
    public void Follow(int lane, int other)
    {
        foreach (var registers in (ReadOnlySpan<RegisterBuffer<TLanes>>)[_state, _parameters])
            SampleSource<TRegister, TLanes, T>.Copy(registers.Span, other, registers.Span, lane);
        var slope = _stages.Span[.._size];
        SampleSource<TRegister, TLanes, T>.Copy(slope, other, slope, lane);
    }

    /// <summary>Attempts a step.</summary>
    /// <returns>The squared norms of both estimates of its error; where steps are fixed, 0 where the state after is finite and NaN elsewhere.</returns>
    public (TLanes First, TLanes Second) Attempt(RegisterClock clock, bool combines)
    {
        (_t, _h) = (LaneNumbers<TLanes, T>.FromDoubles(clock.Time), LaneNumbers<TLanes, T>.FromDoubles(clock.Step));
        _isDraft = Tape is { KeepsStages: true };
        ReadOnlySpan<TLanes> state = _state.Span, parameters = _parameters.Span;
        var stages = _stages.Span;
        var states = States;
        var after = states.Slice((_endStage - 1) * _size, _size);
        if (_stepper.IsFused && !_isDraft && _problem.IsAdaptive && combines)
            return (_stepper.Fused(_t, _h, state, parameters, _rtol, _atol, stages, after), default);
        _stepper.Evaluate(1, _endStage + 1, _t, _h, state, parameters, stages, states, Terms);
        if (!_problem.IsAdaptive) return (Finite(after), default);
        var squared = _stepper.SquaredErrors(_h, state, after, stages, _rtol, _atol);
        return combines ? (_stepper.Combined(squared), default) : squared;
    }

    /// <summary>Saves what the accepted lanes crossed, takes their step down, and moves them.</summary>
    public void Accept(RegisterClock clock)
    {
        var stages = _stages.Span;
        var isDense = false;
        ReadOnlySpan<TLanes> after = States.Slice((_endStage - 1) * _size, _size);
        if (clock.Crosses)
        {
            isDense = _saves.NeedsDense(clock);
            if (isDense) _stepper.Evaluate(_endStage + 1, _stageCount, _t, _h, _state.Span, _parameters.Span, stages, States, Terms);
            _saves.Cross(clock, _h, _state.Span, after, stages);
        }
        else
        {
            _saves.Skip();
        }

        Tape?.Add(_state.Span, clock, _isDraft && clock.MovesAllLive, _saves.First, _saves.Next, isDense);
        Move(clock, after, stages.Slice(_endStage * _size, _size));
    }

    /// <summary>Ends the sample of a lane.</summary>
    public void End(int lane, SolveStatus status, RegisterClock clock) => _saves.End(lane, status, clock, _state.Span);

    private Span<TLanes> States => _isDraft ? Tape!.Draft[.._states.Length] : _states.Span;

    private Span<TLanes> Terms => _isDraft ? Tape!.Draft[_states.Length..] : _terms.Span;

    private void Move(RegisterClock clock, ReadOnlySpan<TLanes> after, ReadOnlySpan<TLanes> endSlope)
    {
        var state = _state.Span;
        var slope = _stages.Span[.._size];
        if (clock.MovesAll)
        {
            // For a few registers a loop is faster than a call that copies.
            for (var c = 0; c < state.Length; c++) (state[c], slope[c]) = (after[c], endSlope[c]);
            return;
        }

        var moves = TLanes.LessThan(default, LaneNumbers<TLanes, T>.FromDoubles(clock.Moved));
        for (var c = 0; c < state.Length; c++)
        {
            state[c] = TLanes.Select(moves, after[c], state[c]);
            slope[c] = TLanes.Select(moves, endSlope[c], slope[c]);
        }
    }

    private static TLanes Finite(ReadOnlySpan<TLanes> state)
    {
        var sum = default(TLanes);
        foreach (var component in state) sum = TLanes.MultiplyAdd(component, default, sum);
        return sum;
    }
}
