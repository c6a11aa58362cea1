using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>One event that has happened in some lanes at the end of their cut steps.</summary>
/// <param name="Which">The event.</param>
/// <param name="Lanes">The lanes.</param>
/// <param name="Times">When, by lane of these.</param>
/// <param name="Ordinals">Its number among the events of the lane's solve, from zero.</param>
/// <param name="Before">The states before it, [lanes, N].</param>
/// <param name="After">The states after it, [lanes, N].</param>
/// <param name="Defect">
/// What the derivative of the dense output has over the right-hand side at the states before it, all of it in algebraic entries, [lanes, N];
/// zero after another event of the same time, but for these.
/// </param>
internal sealed record Firing(int Which, int[] Lanes, double[] Times, int[] Ordinals, Tensor Before, Tensor After, Tensor Defect)
{
    /// <summary>All tensors.</summary>
    public IEnumerable<Tensor> Tensors => [Before, After, Defect];

    /// <summary>Those of some lanes only, which are counted anew; null where it has not happened in them.</summary>
    public Firing? Select(IReadOnlyDictionary<int, int> newLane)
    {
        int[] kept = [.. Enumerable.Range(0, Lanes.Length).Where(row => newLane.ContainsKey(Lanes[row]))];
        if (kept.Length == 0) return null;
        using var index = HostVector.Index(kept, Before.device);
        return new Firing(
            Which, [.. kept.Select(row => newLane[Lanes[row]])], [.. kept.Select(row => Times[row])], [.. kept.Select(row => Ordinals[row])],
            Before.index_select(0, index), After.index_select(0, index), Defect.index_select(0, index));
    }
}

/// <summary>What the adjoint needs of the events that cut a step.</summary>
/// <param name="Moments">Where they cut it.</param>
/// <param name="After">The states after all events, [cut lanes, N].</param>
/// <param name="EndState">The states at the end of the whole step, [samples, N].</param>
/// <param name="Firings">The events, in the order in which they have happened.</param>
internal sealed record EventRecord(EventMoments Moments, Tensor After, Tensor EndState, IReadOnlyList<Firing> Firings)
{
    /// <summary>The lanes that are cut, each with its place in the step.</summary>
    public SaveRows Rows => Moments.Rows;

    /// <summary>The states of all lanes after the step and the events, [samples, N].</summary>
    public Tensor AfterAll() => EndState.index_copy(0, HostVector.Index(Moments.Lanes, EndState.device), After);

    /// <summary>All tensors.</summary>
    public IEnumerable<Tensor> Tensors => [After, EndState, .. Firings.SelectMany(firing => firing.Tensors)];

    /// <summary>The record of some lanes only, in tensors of the present scope; null where none of them is cut.</summary>
    public EventRecord? Select(int[] lanes)
    {
        var newLane = lanes.Index().ToDictionary(pair => pair.Item, pair => pair.Index);
        int[] kept = [.. Enumerable.Range(0, Rows.Count).Where(row => newLane.ContainsKey(Rows.Lane[row]))];
        if (kept.Length == 0) return null;
        using var rows = HostVector.Index(kept, After.device);
        using var all = HostVector.Index(lanes, After.device);
        return new EventRecord(
            Moments.Select(kept, newLane), After.index_select(0, rows), EndState.index_select(0, all),
            [.. Firings.Select(firing => firing.Select(newLane)).OfType<Firing>()]);
    }
}

/// <summary>Where events cut an accepted step short: of some lanes, each at its own time.</summary>
/// <param name="Record">The events, for the adjoint.</param>
/// <param name="After">The states of all lanes after the step and the events, [samples, N].</param>
/// <param name="Endings">How lanes end there; null for those that go on.</param>
internal sealed record StepCut(EventRecord Record, Tensor After, SolveStatus?[] Endings)
{
    /// <summary>The place in the step at which a lane is cut; null where it is not.</summary>
    public double? ThetaOf(int lane) => Row(lane) is var row and >= 0 ? Record.Rows.Theta[row] : null;

    /// <summary>The time at which a lane is cut; null where it is not.</summary>
    public double? TimeOf(int lane) => Row(lane) is var row and >= 0 ? Record.Moments.Times[row] : null;

    private int Row(int lane) => Array.BinarySearch(Record.Rows.Lane, lane);
}
