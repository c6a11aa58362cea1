using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// The adjoint of the events that cut a step: from that of the states after them to that of the dense output where they happen.
/// </summary>
/// <remarks>
/// An event at g(τ, x) = 0 moves with the state and the parameters: dτ = -(g_x dx + g_θ dθ) / ġ, where ġ is the derivative of g along
/// the solution (implicit function theorem). With J the jump, J̇ its derivative along the solution before it, and f⁺ the right-hand side
/// after it, dx⁺ = J_x dx + J_θ dθ + (J̇ - f⁺) dτ: the "saltation matrix". Aizerman and Gantmakher (1958), On the stability of periodic
/// motions; Kong et al. (2024), Saltation matrices: the essential tool for linearizing hybrid dynamical systems, Proc. IEEE. Before
/// the event derivatives are those of the dense output, so that they are exact for the scheme; after it those of the flow, so that
/// the next step's error enters. At a given time dτ = 0, and a solve that is stopped has f⁺ = 0. Algebraic unknowns are found anew after an
/// event: their adjoint is passed to the differential entries first.
/// </remarks>
/// <param name="kernel">What evaluated the equations that were solved.</param>
/// <param name="lanes">How many lanes there are.</param>
/// <param name="times">d loss / d event time, [lanes, most events of a lane]; null where the loss has none.</param>
/// <param name="into">The parameters' gradients.</param>
internal sealed class EventAdjoint(StepKernel kernel, int lanes, Tensor? times, ParameterGradients into)
{
    private readonly OdeEquations _equations = kernel.Equations;
    private readonly IReadOnlyList<EventSpec> _events = kernel.Equations.Events;

    /// <summary>Goes back through the events of a step: changes the adjoint where lanes are cut, and gives what enters the step.</summary>
    /// <param name="record">The events.</param>
    /// <param name="state">λ, the adjoint of the states after the step, [lanes, N]; zero in cut lanes afterwards.</param>
    /// <param name="arrivals">
    /// What the times of the jumps have of moving those at which they arrive by delays, [lanes]; null where nothing does. Of several events
    /// at one time it is the last one's.
    /// </param>
    /// <param name="weights">Those of the step's dense output where events cut it, [cut lanes, terms].</param>
    public SaveCotangents Reverse(EventRecord record, Tensor state, Tensor? arrivals, double[][] weights)
    {
        using var cut = HostVector.Index(record.Rows.Lane, state.device);
        foreach (var firing in record.Firings.Reverse())
        {
            using var own = HostVector.Index(firing.Lanes, state.device);
            state.index_copy_(0, own, Through(firing, state.index_select(0, own), arrivals?.index_select(0, own)));
            if (_events[firing.Which].IsRoot) arrivals?.index_fill_(0, own, Scalars.Of(0));
        }

        var saved = new SaveCotangents(record.Rows, weights, state.unsqueeze(0), lanes);
        state.index_fill_(0, cut, Scalars.Of(0));
        return saved;
    }

    /// <summary>Through one event: from the adjoint of the states after it to that of those before.</summary>
    private Tensor Through(Firing firing, Tensor after, Tensor? arrivals)
    {
        var time = HostVector.Like(firing.Times, after);
        if (kernel.Constraints is { } constraints) after = constraints.ConsistentVjp(time, firing.After, after, into);
        var argument = kernel.Argument(firing.Before, firing.Lanes, firing.Times, isBefore: true);
        var before = _equations.JumpVjp(firing.Which, time, firing.Before, after, into).expand_as(after);
        if (!_events[firing.Which].IsRoot) return before;
        var ofTime = OfTime(firing, time, argument, after, before);
        if (arrivals is not null) ofTime.add_(arrivals, Scalars.One);
        var toward = zeros([firing.Lanes.Length, _events.Count(e => e.IsRoot)], after.dtype, after.device);
        var column = _events.Take(firing.Which).Count(e => e.IsRoot);
        toward.select(1, column).fill_(Scalars.One);
        var gradient = _equations.EventValuesVjp(time, firing.Before, toward, Nothing()).expand_as(after);
        var rate = _equations.EventRates(time, argument).select(-1, column).add(gradient.mul(firing.Defect).sum(1), Scalars.One);
        toward.select(1, column).copy_(ofTime.neg().div(rate));
        return before.add(_equations.EventValuesVjp(time, firing.Before, toward, into), Scalars.One);
    }

    /// <summary>The adjoint of the event's time, [lanes].</summary>
    private Tensor OfTime(Firing firing, Tensor time, Tensor argument, Tensor after, Tensor before)
    {
        var rate = _equations.JumpRate(firing.Which, time, argument).expand_as(after);
        if (!_events[firing.Which].Stops)
            rate = rate.sub(_equations.Drift(time, kernel.Argument(firing.After, firing.Lanes, firing.Times, isBefore: false)));
        var sum = rate.mul(after).sum(1).add_(firing.Defect.mul(before).sum(1), Scalars.One);
        if (times is null) return sum;
        long[] places = [.. firing.Lanes.Zip(firing.Ordinals, (lane, ordinal) => lane * times.size(1) + ordinal)];
        return sum.add_(times.reshape(-1).index_select(0, tensor(places, ScalarType.Int64, times.device)), Scalars.One);
    }

    private ParameterGradients Nothing() => new(_equations.Parameters, _ => false);
}
