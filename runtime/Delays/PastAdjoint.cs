using DiffEqLang.Tableaux;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// The adjoint of <see cref="Past"/>: what the backward pass finds of a delayed state waits for the step that it was read from, which
/// comes later in that pass, and enters there as the cotangent of a saved state does. What was read before the start goes to the history's
/// parameters or to the initial state at once. A delay's own gradient is -wᵀ dx/dt where it was read.
/// </summary>
/// <param name="past">What was read from.</param>
/// <param name="equations">The equations that were solved.</param>
/// <param name="tableau">The method.</param>
/// <param name="lanes">How many lanes there are.</param>
/// <param name="into">The parameters' gradients.</param>
internal sealed class PastAdjoint(Past past, OdeEquations equations, RungeKuttaTableau tableau, int lanes, ParameterGradients into)
{
    /// <summary>The adjoint of a state read from a step, [samples, N], and the lanes that read it there, at which place.</summary>
    private sealed record Reading(Tensor Adjoint, (int Lane, double Theta)[] Rows);

    private readonly Dictionary<int, List<Reading>> _waiting = [];
    private readonly int[] _parameters = [.. past.Delays.Select(delay => PlaceOf(delay, equations.Parameters, into))];

    /// <summary>d loss / d initial state where that is the past: [samples, N], in no dispose scope.</summary>
    public Tensor Initial { get; } = zeros_like(past.Initial).DetachFromDisposeScope();

    /// <summary>Takes the delayed states' part of an adjoint at a stage, [samples, N + M], and gives the state's: [samples, N].</summary>
    public Tensor Take(Tensor adjoint, StepGeometry geometry, int stage)
    {
        var width = past.Initial.size(1);
        var all = adjoint.expand(past.Initial.size(0), -1);
        var offset = width;
        for (var i = 0; i < past.Delays.Count; i++)
        {
            var delay = past.Delays[i];
            var ofDelayed = delay.Spread(all.narrow(-1, offset, delay.Size), width);
            Enter(ofDelayed, past.PlacesOf(delay, geometry, stage), i);
            offset += delay.Size;
        }

        return all.narrow(-1, 0, width);
    }

    /// <summary>What was read from a step, as cotangents of its dense output; null where nothing was.</summary>
    /// <param name="step">The step's number.</param>
    /// <param name="scale">The factor of the step's dense output.</param>
    public SaveCotangents? Of(int step, double scale)
    {
        if (!_waiting.Remove(step, out var readings)) return null;
        var (isEveryLane, cotangents) = (readings.All(reading => IsOfAllLanes(reading)), stack([.. readings.Select(reading => reading.Adjoint)]));
        var rows = readings.Index().SelectMany(r => (isEveryLane ? r.Item.Rows.Take(1) : r.Item.Rows).Select(row => (row.Lane, Index: r.Index, row.Theta))).ToArray();
        var saved = new SaveRows([.. rows.Select(row => row.Lane)], [.. rows.Select(row => row.Index)], [.. rows.Select(row => row.Theta)], isEveryLane);
        foreach (var reading in readings) reading.Adjoint.Dispose();
        return new SaveCotangents(saved, scale, cotangents, tableau, lanes);
    }

    /// <summary>
    /// The jump between history and initial state arrives at start + τ, and with τ moves what the right-hand side has before it less what
    /// it has behind it: to be called where a step has been reversed that may begin there.
    /// </summary>
    /// <param name="kernel">Evaluates the right-hand side.</param>
    /// <param name="geometry">The step.</param>
    /// <param name="before">The step before it.</param>
    /// <param name="state">The state between the two.</param>
    /// <param name="adjoint">λ there.</param>
    public void MoveJump(RungeKuttaKernel kernel, StepGeometry geometry, StepGeometry before, Tensor state, Tensor adjoint)
    {
        for (var i = 0; i < past.Delays.Count; i++)
        {
            if (_parameters[i] < 0) continue;
            var (places, earlier) = (past.PlacesOf(past.Delays[i], geometry, 0), past.PlacesOf(past.Delays[i], before, tableau.EndStage));
            bool[] crosses = [.. places.Zip(earlier, (place, left) => place.Step >= 0 && left.Step < 0)];
            if (!crosses.Contains(true)) continue;
            var change = Drift(before, tableau.EndStage).sub(Drift(geometry, 0)).mul(adjoint).view(lanes, -1);
            into.Add(_parameters[i], change.mul(tensor([.. crosses.Select(yes => yes ? 1.0 : 0.0)], [lanes, 1], change.dtype, change.device)).sum());
        }

        Tensor Drift(StepGeometry at, int stage) => kernel.Drift(at, stage, state, out _);
    }

    private void Enter(Tensor adjoint, PastPlace[] places, int delay)
    {
        if (_parameters[delay] >= 0) into.Add(_parameters[delay], past.SlopeAt(places).mul(adjoint).sum().neg());
        foreach (var group in places.Index().GroupBy(place => place.Item.Step))
            if (group.Key < 0)
                EnterHistory(adjoint, [.. group]);
            else
                Wait(group.Key, new Reading(adjoint.alias().DetachFromDisposeScope(), [.. group.Select(place => (place.Index, place.Item.Theta))]));
    }

    private void EnterHistory(Tensor adjoint, (int Index, PastPlace Item)[] places)
    {
        var time = past.TimesOf([.. places.Select(place => place.Item)]);
        if (lanes == 1)
        {
            Initial.add_(equations.HistoryVjp(time, past.Initial, adjoint, into), Scalars.One);
            return;
        }

        var index = Past.Index(places.Select(place => place.Index), adjoint.device);
        var initial = past.Initial.index_select(0, index);
        var ofInitial = equations.HistoryVjp(time, initial, adjoint.index_select(0, index), into);
        Initial.index_add_(0, index, ofInitial.expand_as(initial), Scalars.One);
    }

    private void Wait(int step, Reading reading)
    {
        if (!_waiting.TryGetValue(step, out var readings)) _waiting.Add(step, readings = []);
        readings.Add(reading);
    }

    private bool IsOfAllLanes(Reading reading) =>
        reading.Rows.Length == lanes && Array.TrueForAll(reading.Rows, row => row.Theta == reading.Rows[0].Theta);

    /// <summary>The delay's place among the parameters; -1 where no gradient is wanted.</summary>
    private static int PlaceOf(Delay delay, IReadOnlyList<Tensor> parameters, ParameterGradients into)
    {
        for (var i = 0; i < parameters.Count; i++)
            if (ReferenceEquals(parameters[i], delay.Source) && into.Wants(i))
                return i;
        return -1;
    }
}
