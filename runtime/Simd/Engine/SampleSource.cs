using System.Numerics;

namespace DiffEqLang.Runtime.Simd;

/// <summary>
/// The samples that wait for a lane. A register full of them is prepared at a time: their slopes at the start and the sizes of
/// their first steps.
/// </summary>
internal sealed class SampleSource<TRegister, TLanes, T>
    where TRegister : struct
    where TLanes : struct, ILanes<TLanes>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly LaneStepper<TRegister, TLanes> _stepper;
    private readonly RungeKuttaProblem _problem;
    private readonly StartNorms<TRegister, TLanes, T> _norms;
    private readonly RegisterBuffer<TLanes> _state, _parameters, _slope, _terms;
    private readonly Vector<double>[] _first, _second, _size;    // two norms, and the size of the first step
    private LaneSolve<T>? _solve;
    private int _next, _end, _prepared;

    public SampleSource(LaneStepper<TRegister, TLanes> stepper, RungeKuttaProblem problem)
    {
        (_stepper, _problem) = (stepper, problem);
        (_norms, _state, _slope) = (new(stepper, problem), new(stepper.Size), new(stepper.Size));
        (_parameters, _terms) = (new(stepper.Kernel.ParameterSize), new(stepper.Kernel.TermSize));
        var vectors = Lanes / Vector<double>.Count;
        (_first, _second, _size) = (new Vector<double>[vectors], new Vector<double>[vectors], new Vector<double>[vectors]);
    }

    private static int Lanes => LaneNumbers<TLanes, T>.Count;

    /// <summary>Whether no sample waits.</summary>
    public bool IsEmpty => _next == _end;

    /// <summary>Lets the samples from <paramref name="first"/> on wait.</summary>
    public void Open(LaneSolve<T> solve, int first, int count)
    {
        (_solve, _next, _end, _prepared) = (solve, first, first + count, first);
        if (!solve.ParametersBySample.IsEmpty) return;
        var parameters = _parameters.Span;
        for (var i = 0; i < parameters.Length; i++) parameters[i] = TLanes.Of(double.CreateTruncating(solve.Parameters[i]));
    }

    /// <summary>The parameters that all samples share, in registers.</summary>
    public ReadOnlySpan<TLanes> SharedParameters => _parameters.Span;

    /// <summary>Moves the next sample to a lane: its state, parameters and slope.</summary>
    /// <returns>The sample's number, and the size of its first step: not finite where it cannot start, and yet to be chosen where samples share it.</returns>
    public (int Sample, double Size) Take(int lane, Span<TLanes> state, Span<TLanes> parameters, Span<TLanes> slope)
    {
        if (_next == _prepared) Prepare();
        var from = Lanes - (_prepared - _next);
        LaneNumbers<TLanes, T>.Copy(_state.Span, from, state, lane);
        LaneNumbers<TLanes, T>.Copy(_parameters.Span, from, parameters, lane);
        LaneNumbers<TLanes, T>.Copy(_slope.Span, from, slope, lane);
        return (_next++, RegisterClock.Lane(_size, from));
    }

    private void Prepare()
    {
        // Where fewer samples wait than there are lanes, the last one fills the rest.
        for (var lane = 0; lane < Lanes; lane++)
        {
            var sample = Math.Min(_next + lane, _end - 1);
            LaneNumbers<TLanes, T>.Scatter(_solve!.Initial.Span.Slice(sample * _stepper.Size, _stepper.Size), _state.Span, lane);
            if (_solve.ParametersBySample.IsEmpty) continue;
            LaneNumbers<TLanes, T>.Scatter(_solve.ParametersBySample.Span.Slice(sample * _parameters.Length, _parameters.Length), _parameters.Span, lane);
        }

        _prepared = _next + Lanes;
        var start = TLanes.Of(_problem.Span.Start);
        _stepper.Drift(start, _state.Span, _parameters.Span, _slope.Span, _terms.Span);
        if (_problem.Method.Dt is { } dt) TakeSteps(dt);
        else if (_problem.Options.Coupling == StepCoupling.PerSample) ChooseSteps();
    }

    /// <summary>Steps of a given size; not a number where state or slope are not finite, since such a sample cannot start.</summary>
    private void TakeSteps(double dt)
    {
        var sum = default(TLanes);
        foreach (var component in _state.Span) sum = TLanes.MultiplyAdd(component, default, sum);
        foreach (var component in _slope.Span) sum = TLanes.MultiplyAdd(component, default, sum);
        LaneNumbers<TLanes, T>.ToDoubles(sum, _size);
        foreach (ref var size in _size.AsSpan()) size += new Vector<double>(dt);
    }

    /// <summary>As <see cref="InitialStep.Choose"/>.</summary>
    private void ChooseSteps()
    {
        _norms.Of(_state.Span, _state.Span, _first);
        _norms.Of(_slope.Span, _state.Span, _second);
        for (var v = 0; v < _size.Length; v++)
        {
            (_first[v], _second[v]) = (Vector.SquareRoot(_first[v]), Vector.SquareRoot(_second[v]));
            var isFinite = Vector.IsFinite(_first[v]) & Vector.IsFinite(_second[v]);
            _size[v] = Vector.ConditionalSelect(
                isFinite, InitialStep.Trial(_first[v], _second[v], _problem.Span), new Vector<double>(double.NaN));
        }

        _norms.OfChange(_size, _state.Span, _parameters.Span, _slope.Span, _first);
        var order = _problem.Tableau.Error!.Order + 1;
        for (var v = 0; v < _size.Length; v++)
            _size[v] = InitialStep.Refine(_size[v], _second[v], Vector.SquareRoot(_first[v]) / _size[v], order);
    }
}
