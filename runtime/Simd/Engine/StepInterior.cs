namespace DiffEqLang.Runtime.Simd;

/// <summary>States inside a step of one size, by the method's dense output, of a register whose lanes all take that step.</summary>
/// <param name="stepper">The equations and the method.</param>
internal sealed class StepInterior<TRegister, TLanes>(LaneStepper<TRegister, TLanes> stepper)
    where TRegister : struct
    where TLanes : struct, ILanes<TLanes>
{
    private readonly DenseWeights<TLanes> _weights = new(stepper.Tableau, stepper.Parts);
    private readonly RegisterBuffer<TLanes> _stages = new(stepper.Tableau.A.Count * stepper.Size);
    private readonly RegisterBuffer<TLanes> _states = new(stepper.Size);
    private readonly RegisterBuffer<TLanes> _terms = new(stepper.Kernel.TermSize), _dense = new(stepper.Size);

    /// <summary>The state at a place in a step, whose stages are computed for it.</summary>
    /// <param name="theta">The place, from 0 to 1.</param>
    /// <param name="time">The time before the step.</param>
    /// <param name="step">Its signed size.</param>
    /// <param name="state">The state before it, length N.</param>
    /// <param name="parameters">Those of the kernel.</param>
    /// <returns>Length N; valid until the next call.</returns>
    public ReadOnlySpan<TLanes> At(double theta, double time, double step, ReadOnlySpan<TLanes> state, ReadOnlySpan<TLanes> parameters)
    {
        var (t, h) = (TLanes.Of(time), TLanes.Of(step));
        stepper.Drift(t, state, parameters, _stages.Span[..stepper.Size], _terms.Span);
        stepper.Evaluate(1, stepper.Tableau.A.Count, t, h, state, parameters, _stages.Span, _states.Span, _terms.Span);
        _weights.Value(TLanes.Of(theta), h, state, _stages.Span, _dense.Span);
        return _dense.Span;
    }
}
