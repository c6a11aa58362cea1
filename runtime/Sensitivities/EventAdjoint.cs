using DiffEqLang.Tableaux;
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
/// <param name="equations">The equations that were solved.</param>
/// <param name="constraints">Their algebraic part; null where they have none.</param>
/// <param name="lanes">How many lanes there are.</param>
/// <param name="times">d loss / d event time, [lanes, most events of a lane]; null where the loss has none.</param>
/// <param name="into">The parameters' gradients.</param>
internal sealed class EventAdjoint(OdeEquations equations, AlgebraicConstraints? constraints, int lanes, Tensor? times, ParameterGradients into)
{
    private readonly IReadOnlyList<EventSpec> _events = equations.Events;

    /// <summary>Goes back through the events of a step: changes both adjoints where lanes are cut, and gives what enters the step.</summary>
    /// <param name="record">The events.</param>
    /// <param name="state">λ, the adjoint of the states after the step, [lanes, N]; zero in cut lanes afterwards.</param>
    /// <param name="slope">The adjoint of the right-hand side there, which the next step begins with; zero in cut lanes afterwards.</param>
    /// <param name="scale">The factor of the step's dense output.</param>
    /// <param name="tableau">The method.</param>
    public SaveCotangents Reverse(EventRecord record, Tensor state, Tensor? slope, double scale, RungeKuttaTableau tableau)
    {
        using var cut = Index(record.Rows.Lane, state.device);
        if (slope is not null)
        {
            var next = equations.DriftVjp(Vector(record.Times, state), record.After, slope.index_select(0, cut), into);
            state.index_add_(0, cut, next.expand_as(record.After), Scalars.One);
            slope.index_fill_(0, cut, Scalars.Of(0));
        }

        foreach (var firing in record.Firings.Reverse())
        {
            using var own = Index(firing.Lanes, state.device);
            state.index_copy_(0, own, Through(firing, state.index_select(0, own)));
        }

        var saved = new SaveCotangents(record.Rows, scale, state.unsqueeze(0), tableau, lanes);
        state.index_fill_(0, cut, Scalars.Of(0));
        return saved;
    }

    /// <summary>Through one event: from the adjoint of the states after it to that of those before.</summary>
    private Tensor Through(Firing firing, Tensor after)
    {
        var time = Vector(firing.Times, after);
        if (constraints is not null) after = constraints.ConsistentVjp(time, firing.After, after, into);
        var before = equations.JumpVjp(firing.Which, time, firing.Before, after, into).expand_as(after);
        if (!_events[firing.Which].IsRoot) return before;
        var ofTime = OfTime(firing, time, after, before);
        var toward = zeros([firing.Lanes.Length, _events.Count(e => e.IsRoot)], after.dtype, after.device);
        var column = _events.Take(firing.Which).Count(e => e.IsRoot);
        toward.select(1, column).fill_(Scalars.One);
        var gradient = equations.EventValuesVjp(time, firing.Before, toward, Nothing()).expand_as(after);
        var rate = equations.EventRates(time, firing.Before).select(-1, column).add(gradient.mul(firing.Defect).sum(1), Scalars.One);
        toward.select(1, column).copy_(ofTime.neg().div(rate));
        return before.add(equations.EventValuesVjp(time, firing.Before, toward, into), Scalars.One);
    }

    /// <summary>The adjoint of the event's time, [lanes].</summary>
    private Tensor OfTime(Firing firing, Tensor time, Tensor after, Tensor before)
    {
        var rate = equations.JumpRate(firing.Which, time, firing.Before).expand_as(after);
        if (!_events[firing.Which].Stops) rate = rate.sub(equations.Drift(time, firing.After));
        var sum = rate.mul(after).sum(1).add_(firing.Defect.mul(before).sum(1), Scalars.One);
        if (times is null) return sum;
        long[] places = [.. firing.Lanes.Zip(firing.Ordinals, (lane, ordinal) => lane * times.size(1) + ordinal)];
        return sum.add_(times.reshape(-1).index_select(0, tensor(places, ScalarType.Int64, times.device)), Scalars.One);
    }

    private ParameterGradients Nothing() => new(equations.Parameters, _ => false);

    private static Tensor Vector(double[] values, Tensor like) => HostVector.ToDevice(values, [values.Length], like.dtype, like.device);

    private static Tensor Index(int[] rows, Device device) => tensor([.. rows.Select(row => (long)row)], ScalarType.Int64, device);
}
