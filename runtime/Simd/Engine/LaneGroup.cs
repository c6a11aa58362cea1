using System.Numerics;

namespace DiffEqLang.Runtime.Simd;

/// <summary>
/// The samples that step together, a lane each: their states, and the stages of the step that they attempt. One register of them, or
/// several where the kernel has the step as one piece.
/// </summary>
/// <remarks>What belongs to a register lies together: its state, its parameters, its stages; one register's after the other's.</remarks>
internal sealed class LaneGroup<TRegister, TLanes, T>
    where TRegister : struct
    where TLanes : struct, ILanes<TLanes>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly LaneStepper<TRegister, TLanes> _stepper;
    private readonly RungeKuttaProblem _problem;
    private readonly LaneSaves<TLanes, T>[] _saves;    // by register
    private readonly RegisterBuffer<TLanes> _state, _parameters, _stages, _after, _states, _terms;
    private readonly RegisterBuffer<TLanes> _times, _steps, _squared;    // of an attempt, a register each
    private readonly TLanes _rtol, _atol;
    private readonly int _size, _parameterSize, _stagesSize, _endStage, _stageCount;
    private readonly bool _hasFusedStep;
    private readonly RosenbrockLanes<TRegister, TLanes>? _rosenbrock;
    private readonly RadauLanes<TRegister, TLanes, T>? _radau;
    private int _registers = 1;
    private bool _isDraft;    // whether the stages of this attempt are in the tape's draft

    /// <param name="stepper">The equations and the method.</param>
    /// <param name="problem">What is solved.</param>
    /// <param name="registers">How many registers there are at most; one unless the step is fused.</param>
    public LaneGroup(LaneStepper<TRegister, TLanes> stepper, RungeKuttaProblem problem, int registers = 1)
    {
        var (tableau, kernel) = (problem.Tableau, stepper.Kernel);
        (_stepper, _problem, _saves) = (stepper, problem, new LaneSaves<TLanes, T>[registers]);
        for (var i = 0; i < registers; i++) _saves[i] = new(tableau, stepper.Parts, stepper.Size, i * Lanes);
        (_size, _endStage, _stageCount) = (stepper.Size, tableau.EndStage, tableau.A.Count);
        (_parameterSize, _stagesSize) = (kernel.ParameterSize, _stageCount * _size);
        _hasFusedStep = stepper.IsFused && problem.IsAdaptive;
        _rosenbrock = tableau.Rosenbrock is null ? null : new(stepper);
        _radau = tableau.Spectrum is null ? null : new(stepper, problem, registers);
        (_state, _after, _parameters) = (new(registers * _size), new(registers * _size), new(registers * _parameterSize));
        (_stages, _states, _terms) = (new(registers * _stagesSize), new(_size), new(kernel.TermSize));
        (_times, _steps, _squared) = (new(registers), new(registers), new(registers));
        (_rtol, _atol) = (TLanes.Of(problem.Rtol), TLanes.Of(problem.Atol));
    }

    /// <summary>The accepted steps, where they are recorded: of one register.</summary>
    public StepTape<TLanes>? Tape { get; set; }

    /// <summary>The states of the first register.</summary>
    public ReadOnlySpan<TLanes> State => StateOf(0);

    /// <summary>f there.</summary>
    public ReadOnlySpan<TLanes> Slope => _stages.Span[.._size];

    /// <summary>The lanes whose implicit stages were not found in the last attempt; empty where the method has none.</summary>
    public ReadOnlySpan<Vector<long>> Diverged => _radau is null ? [] : _radau.Failed;

    /// <summary>Its parameters.</summary>
    public ReadOnlySpan<TLanes> Parameters => ParametersOf(0);

    private static int Lanes => LaneNumbers<TLanes, T>.Count;

    private Span<TLanes> States => _isDraft ? Tape!.Draft[..(_stagesSize - _size)] : _states.Span;

    private Span<TLanes> Terms => _isDraft ? Tape!.Draft[(_stagesSize - _size)..] : _terms.Span;

    /// <summary>Begins a solve on so many registers.</summary>
    public void Open(LaneSolve<T> solve, int registers = 1)
    {
        _registers = registers;
        foreach (var saves in _saves) saves.Open(solve);
    }

    /// <summary>Takes a waiting sample into a lane.</summary>
    /// <returns>The size of its first step, and the next time it saves.</returns>
    public (double Size, double NextSave) Take(int lane, SampleSource<TRegister, TLanes, T> source)
    {
        var register = lane / Lanes;
        var state = StateOf(register);
        var slope = StagesOf(register)[.._size];
        var (sample, size) = source.Take(lane % Lanes, state, ParametersOf(register), slope);
        _radau?.Begin(lane);
        Tape?.Starts.Add(new TapedStart(Tape.Steps.Count, lane, sample, _saves[register].Sample(lane % Lanes)));
        return (size, _saves[register].Start(lane % Lanes, sample, state, slope));
    }

    /// <summary>
    /// Lets a lane without a sample repeat another lane's numbers, so that it meets nothing that the other does not meet: a NaN, times a
    /// cotangent of zero, would reach the parameters' gradients.
    /// </summary>
    public void Follow(int lane, int other)
    {
        var (from, to) = (other / Lanes, lane / Lanes);
        LaneNumbers<TLanes, T>.Copy(StateOf(from), other % Lanes, StateOf(to), lane % Lanes);
        LaneNumbers<TLanes, T>.Copy(ParametersOf(from), other % Lanes, ParametersOf(to), lane % Lanes);
        LaneNumbers<TLanes, T>.Copy(StagesOf(from), other % Lanes, StagesOf(to), lane % Lanes);
    }

    /// <summary>Attempts a step.</summary>
    /// <param name="clock">Its times and sizes.</param>
    /// <param name="squaredErrors">
    /// Receives the squared norm of its error, lane by lane; where steps are fixed, 0 where the state after is finite and NaN elsewhere.
    /// </param>
    public void Attempt(RegisterClock clock, Span<Vector<double>> squaredErrors)
    {
        var squared = LaneNumbers<TLanes, T>.RoomFor(squaredErrors, _squared.Span);
        _isDraft = Tape is { KeepsStages: true };
        if (_radau is not null)
        {
            AttemptCoupled(clock, squared);
        }
        else if (_hasFusedStep && !_isDraft)
        {
            AttemptFused(clock, squared);
        }
        else
        {
            var both = AttemptByStages(clock);
            squared[0] = _problem.IsAdaptive ? _stepper.Combined(both) : both.First;
        }

        LaneNumbers<TLanes, T>.Deliver(squared, squaredErrors);
    }

    /// <summary>Attempts a step of one register, and tells the errors apart.</summary>
    /// <param name="clock">Its times and sizes.</param>
    /// <returns>The squared norms of both estimates of its error (the second is 0 where there is one); where steps are fixed, as above.</returns>
    public (TLanes First, TLanes Second) AttemptApart(RegisterClock clock)
    {
        _isDraft = Tape is { KeepsStages: true };
        if (_radau is not null) AttemptCoupled(clock, _squared.Span[..1]);
        else if (!_hasFusedStep || _isDraft || _problem.Tableau.Error!.Estimates.Length > 1) return AttemptByStages(clock);
        else AttemptFused(clock, _squared.Span[..1]);
        return (_squared.Span[0], default);
    }

    /// <summary>Saves what the accepted lanes crossed, takes their step down, and moves them.</summary>
    public void Accept(RegisterClock clock)
    {
        var isDense = false;
        if (Tape is not null) _saves[0].Skip();
        for (var register = 0; clock.Crosses && register < _registers; register++)
            if (clock.HasCrossed(register * Lanes, Lanes))
                isDense = Cross(clock, register);
        Tape?.Add(State, clock, _isDraft && clock.MovesAllLive, _saves[0].First, _saves[0].Next, isDense);
        Move(clock);
    }

    /// <summary>Ends the sample of a lane.</summary>
    public void End(int lane, SolveStatus status, RegisterClock clock) =>
        _saves[lane / Lanes].End(lane % Lanes, status, clock, StateOf(lane / Lanes), _radau?.Iterations(lane) ?? 0);

    private void AttemptFused(RegisterClock clock, Span<TLanes> squared) => _stepper.Fused(
        Times(clock), Steps(clock), _state.Span, _parameters.Span, _rtol, _atol, _stages.Span[..(squared.Length * _stagesSize)], _after.Span, squared);

    /// <summary>Attempts a step of coupled stages, which has no error where those were not found.</summary>
    private void AttemptCoupled(RegisterClock clock, Span<TLanes> squared)
    {
        _radau!.Attempt(
            Times(clock), Steps(clock), _state.Span, _parameters.Span, _stages.Span[..(squared.Length * _stagesSize)], _after.Span, squared);
        if (_problem.IsAdaptive) return;
        squared[0] = TLanes.Select(LaneNumbers<TLanes, T>.FromMasks(_radau.Failed), TLanes.Of(double.NaN), Finite(_after.Span[.._size]));
    }

    private (TLanes First, TLanes Second) AttemptByStages(RegisterClock clock)
    {
        var (t, h) = (Own(clock.Time, 0), Own(clock.Step, 0));
        var after = _after.Span[.._size];
        var states = States;
        if (_rosenbrock is null) _stepper.Evaluate(1, _endStage + 1, t, h, State, Parameters, _stages.Span, states, Terms);
        else _rosenbrock.Evaluate(t, h, State, Parameters, _stages.Span, states, Terms);
        _stepper.StateOf(_endStage, states).CopyTo(after);
        return _problem.IsAdaptive
            ? _stepper.SquaredErrors(h, State, after, _stages.Span, _rtol, _atol)
            : (Finite(after), default);
    }

    private ReadOnlySpan<TLanes> Times(RegisterClock clock) => LaneNumbers<TLanes, T>.FromDoubles(clock.Time, _times.Span);

    private ReadOnlySpan<TLanes> Steps(RegisterClock clock) => LaneNumbers<TLanes, T>.FromDoubles(clock.Step, _steps.Span);

    /// <summary>Saves what the lanes of a register crossed; true where that took the stages of the dense output.</summary>
    private bool Cross(RegisterClock clock, int register)
    {
        var (saves, t, h) = (_saves[register], Own(clock.Time, register), Own(clock.Step, register));
        var state = StateOf(register);
        var stages = StagesOf(register);
        var isDense = saves.NeedsDense(clock);
        if (isDense) _stepper.Evaluate(_endStage + 1, _stageCount, t, h, state, ParametersOf(register), stages, States, Terms);
        saves.Cross(clock, h, state, _after.Span.Slice(register * _size, _size), stages);
        return isDense;
    }

    private void Move(RegisterClock clock)
    {
        var state = _state.Span;
        var after = _after.Span;
        var stages = _stages.Span;
        for (var register = 0; register < _registers; register++)
        {
            var moves = TLanes.LessThan(default, Own(clock.Moved, register));
            _radau?.Accept(register, moves, Own(clock.Step, register));
            var own = stages.Slice(register * _stagesSize, _stagesSize);
            Select(moves, after.Slice(register * _size, _size), state.Slice(register * _size, _size));
            Select(moves, own.Slice(_endStage * _size, _size), own[.._size]);
        }
    }

    private static void Select(TLanes mask, ReadOnlySpan<TLanes> source, Span<TLanes> into)
    {
        for (var c = 0; c < into.Length; c++) into[c] = TLanes.Select(mask, source[c], into[c]);
    }

    private Span<TLanes> StateOf(int register) => _state.Span.Slice(register * _size, _size);

    private Span<TLanes> ParametersOf(int register) => _parameters.Span.Slice(register * _parameterSize, _parameterSize);

    private Span<TLanes> StagesOf(int register) => _stages.Span.Slice(register * _stagesSize, _stagesSize);

    /// <summary>A register of what a clock tells of its lanes.</summary>
    private static TLanes Own(ReadOnlySpan<Vector<double>> ofClock, int register)
    {
        var vectors = Lanes / Vector<double>.Count;
        return LaneNumbers<TLanes, T>.FromDoubles(ofClock.Slice(register * vectors, vectors));
    }

    private static TLanes Finite(ReadOnlySpan<TLanes> state)
    {
        var sum = default(TLanes);
        foreach (var component in state) sum = TLanes.MultiplyAdd(component, default, sum);
        return sum;
    }
}
