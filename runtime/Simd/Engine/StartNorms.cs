using System.Numerics;

namespace DiffEqLang.Runtime.Simd;

/// <summary>The squared norms by which first steps are chosen, of the samples of one register: <see cref="InitialStep"/>.</summary>
/// <param name="stepper">The equations.</param>
/// <param name="problem">What is solved.</param>
internal sealed class StartNorms<TRegister, TLanes, T>(LaneStepper<TRegister, TLanes> stepper, RungeKuttaProblem problem)
    where TRegister : struct
    where TLanes : struct, ILanes<TLanes>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly RegisterBuffer<TLanes> _moved = new(stepper.Size), _change = new(stepper.Size), _terms = new(stepper.Kernel.TermSize);
    private readonly TLanes _rtol = TLanes.Of(problem.Rtol), _atol = TLanes.Of(problem.Atol);

    /// <summary>1/N Σ (vᵢ / (atol + rtol |yᵢ|))² of every lane.</summary>
    public void Of(ReadOnlySpan<TLanes> vector, ReadOnlySpan<TLanes> state, Span<Vector<double>> squares)
    {
        var sum = default(TLanes);
        for (var c = 0; c < vector.Length; c++)
        {
            var weighted = vector[c] / TLanes.MultiplyAdd(_rtol, TLanes.Abs(state[c]), _atol);
            sum = TLanes.MultiplyAdd(weighted, weighted, sum);
        }

        LaneNumbers<TLanes, T>.ToDoubles(sum * TLanes.Of(1.0 / vector.Length), squares);
    }

    /// <summary>The same of the change of the slope over Euler steps of these sizes.</summary>
    public void OfChange(
        ReadOnlySpan<Vector<double>> sizes, ReadOnlySpan<TLanes> state, ReadOnlySpan<TLanes> parameters, ReadOnlySpan<TLanes> slope,
        Span<Vector<double>> squares)
    {
        var step = LaneNumbers<TLanes, T>.FromDoubles(sizes) * TLanes.Of(problem.Span.Direction);
        var moved = _moved.Span;
        var change = _change.Span;
        for (var c = 0; c < state.Length; c++) moved[c] = TLanes.MultiplyAdd(step, slope[c], state[c]);
        stepper.Drift(TLanes.Of(problem.Span.Start) + step, moved, parameters, change, _terms.Span);
        for (var c = 0; c < state.Length; c++) change[c] = change[c] - slope[c];
        Of(change, state, squares);
    }
}
