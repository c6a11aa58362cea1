using System.Numerics;

namespace DiffEqLang.Runtime.Simd;

/// <summary>
/// The last step of each sample's way back, through the slope at its initial state: a register full of samples at a time, as
/// <see cref="SampleSource{TRegister, TLanes, T}"/> prepared them.
/// </summary>
internal sealed class FirstStages<TRegister, TLanes, T>
    where TRegister : struct
    where TLanes : struct, ILanes<TLanes>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly LaneStepper<TRegister, TLanes> _stepper;
    private readonly AdjointSums<TRegister, TLanes, T> _vjp;
    private readonly RegisterBuffer<TLanes> _state, _slope, _terms, _adjoint, _adjointOfSlope, _gradient;
    private readonly int[] _sample = new int[Lanes];
    private RegisterBuffer<TLanes>? _parameters;
    private LaneSolve<T>? _solve;
    private LaneGradients<T> _gradients;
    private int _count, _savedAtStart;

    public FirstStages(LaneStepper<TRegister, TLanes> stepper, AdjointSums<TRegister, TLanes, T> vjp)
    {
        (_stepper, _vjp) = (stepper, vjp);
        (_state, _slope, _terms) = (new(stepper.Size), new(stepper.Size), new(stepper.Kernel.TermSize));
        (_adjoint, _adjointOfSlope, _gradient) = (new(stepper.Size), new(stepper.Size), new(stepper.Size));
    }

    private static int Lanes => LaneNumbers<TLanes, T>.Count;

    /// <summary>Begins a backward pass.</summary>
    public void Open(LaneSolve<T> solve, LaneGradients<T> gradients, RegisterBuffer<TLanes> parameters)
    {
        (_solve, _gradients, _parameters, _count, _savedAtStart) = (solve, gradients, parameters, 0, 0);
        while (_savedAtStart < solve.Times.Length && solve.Times[_savedAtStart] == solve.Problem.Span.Start) _savedAtStart++;
    }

    /// <summary>Takes a lane's sample over: the adjoint of its initial state, and that of the slope there.</summary>
    public void Add(int sample, int lane, ReadOnlySpan<TLanes> state, ReadOnlySpan<TLanes> slope)
    {
        if (_solve!.Status[sample] is not (SolveStatus.Success or SolveStatus.Stopped)) return;
        LaneNumbers<TLanes, T>.Copy(state, lane, _adjoint.Span, _count);
        LaneNumbers<TLanes, T>.Copy(slope, lane, _adjointOfSlope.Span, _count);
        _sample[_count] = sample;
        if (++_count == Lanes) Flush();
    }

    /// <summary>Finishes the samples taken over.</summary>
    public void Flush()
    {
        if (_count == 0) return;
        var states = LaneNumbers<TLanes, T>.Of(_state.Span);
        var slopes = LaneNumbers<TLanes, T>.Of(_adjointOfSlope.Span);
        var size = _stepper.Size;
        for (var lane = 0; lane < Lanes; lane++)
        {
            // Lanes without a sample repeat the first one, with a cotangent of zero.
            var initial = _solve!.Initial.Span.Slice(_sample[lane < _count ? lane : 0] * size, size);
            for (var c = 0; c < size; c++) states[c * Lanes + lane] = initial[c];
            for (var c = 0; lane >= _count && c < size; c++) slopes[c * Lanes + lane] = default;
        }

        var t = TLanes.Of(_solve!.Problem.Span.Start);
        _stepper.Drift(t, _state.Span, _parameters!.Span, _slope.Span, _terms.Span);
        _vjp.Run(t, _state.Span, _parameters.Span, _terms.Span, _adjointOfSlope.Span, _gradient.Span);
        for (var lane = 0; lane < _count && !_gradients.Initial.IsEmpty; lane++) Write(lane);
        _count = 0;
    }

    private void Write(int lane)
    {
        var (size, sample) = (_stepper.Size, _sample[lane]);
        var into = _gradients.Initial.Span.Slice(sample * size, size);
        var adjoint = LaneNumbers<TLanes, T>.Of(_adjoint.Span);
        var gradient = LaneNumbers<TLanes, T>.Of(_gradient.Span);
        for (var c = 0; c < size; c++) into[c] = adjoint[c * Lanes + lane] + gradient[c * Lanes + lane];
        for (var time = 0; time < _savedAtStart; time++)
        {
            var cotangent = _gradients.Cotangents.Span.Slice(_solve!.Place(time, sample), size);
            for (var c = 0; c < size; c++) into[c] += cotangent[c];
        }
    }
}
