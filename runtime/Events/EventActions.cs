using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>Where events cut a step, as numbers on the host: from the same step they act again, to the same bits.</summary>
/// <param name="Lanes">The lanes that are cut, ascending.</param>
/// <param name="Thetas">The place of each in its step.</param>
/// <param name="Times">When.</param>
/// <param name="Which">The events of each, in the order in which they act.</param>
/// <param name="Earlier">How many events each has had before.</param>
internal sealed record EventMoments(int[] Lanes, double[] Thetas, double[] Times, int[][] Which, int[] Earlier)
{
    /// <summary>The places in the step; the saved time is none.</summary>
    public SaveRows Rows { get; } = new(Lanes, new int[Lanes.Length], Thetas, false);

    /// <summary>Those of some rows, whose lanes are counted anew.</summary>
    public EventMoments Select(int[] rows, IReadOnlyDictionary<int, int> newLane) => new(
        [.. rows.Select(row => newLane[Lanes[row]])], [.. rows.Select(row => Thetas[row])], [.. rows.Select(row => Times[row])],
        [.. rows.Select(row => Which[row])], [.. rows.Select(row => Earlier[row])]);
}

/// <summary>What events have made of a step.</summary>
/// <param name="Record">The events, for the adjoint.</param>
/// <param name="Before">The states at which they found the lanes, [cut lanes, N].</param>
/// <param name="IsFinite">Of each cut lane, whether what they made of it is a number; where not, it keeps its state before them.</param>
internal sealed record EventOutcome(EventRecord Record, Tensor Before, bool[] IsFinite);

/// <summary>Lets events act on the lanes whose steps they cut: in a solve, and wherever its steps are taken again.</summary>
/// <param name="problem">What is solved.</param>
/// <param name="kernel">What takes the steps.</param>
/// <param name="lanes">How many lanes there are.</param>
internal sealed class EventActions(OdeProblem problem, StepKernel kernel, int lanes)
{
    private readonly OdeEquations _equations = problem.Equations;

    /// <summary>The lanes for which constraints could not be fulfilled after an event.</summary>
    public HashSet<int> Unsolved { get; } = [];

    /// <summary>Lets them act, in their order, each on what those before it have made.</summary>
    /// <param name="step">The step, extended.</param>
    /// <param name="moments">Where they cut it.</param>
    public EventOutcome Act(StepAttempt step, EventMoments moments)
    {
        var (before, defect) = Arrival(step, moments);
        var state = before;
        var firings = new List<Firing>();
        foreach (var which in moments.Which.SelectMany(ofLane => ofLane).Distinct().Order())
        {
            int[] rows = [.. Enumerable.Range(0, moments.Lanes.Length).Where(row => moments.Which[row].Contains(which))];
            var firing = Fire(which, rows, moments, state, defect);
            firings.Add(firing);
            using var index = HostVector.Index(rows, state.device);
            state = state.index_copy(0, index, firing.After);
            defect = defect.index_copy(0, index, DefectAfter(firing));
        }

        var finite = state.isfinite().all(1, keepdim: true);
        return new EventOutcome(
            new EventRecord(moments, where(finite, state, before), step.After, firings), before,
            [.. HostVector.ToHost(finite.to(ScalarType.Float64).contiguous()).Select(value => value != 0)]);
    }

    /// <summary>The states at which events find the lanes, and what their derivatives have over the right-hand side.</summary>
    private (Tensor Before, Tensor Defect) Arrival(StepAttempt step, EventMoments moments)
    {
        var before = DenseOutput.States(step, lanes, moments.Lanes, moments.Thetas);
        double[][] weights = [.. moments.Lanes.Zip(moments.Thetas, step.SlopeWeights)];
        var steps = HostVector.Like([.. moments.Lanes.Select(lane => step.Geometry.Steps[lane])], before).unsqueeze(1);
        var slope = DenseOutput.Increments(step, lanes, HostVector.Index(moments.Lanes, before.device), weights).div_(steps);
        var drift = _equations.Drift(HostVector.Like(moments.Times, before), kernel.Argument(before, moments.Lanes, moments.Times, isBefore: true));
        return (before, slope.sub_(kernel.TimesMass(drift)));
    }

    /// <summary>The same after an event, where the solution is that of the equations: what they leave to be solved for.</summary>
    private Tensor DefectAfter(Firing firing) =>
        kernel.Constraints?.AlgebraicDerivative(HostVector.Like(firing.Times, firing.After), firing.After) ?? zeros_like(firing.After);

    private Firing Fire(int which, int[] rows, EventMoments moments, Tensor state, Tensor defect)
    {
        using var index = HostVector.Index(rows, state.device);
        var before = state.index_select(0, index);
        double[] at = [.. rows.Select(row => moments.Times[row])];
        int[] own = [.. rows.Select(row => moments.Lanes[row])];
        int[] ordinals = [.. rows.Select(row => moments.Earlier[row] + Array.IndexOf(moments.Which[row], which))];
        var time = HostVector.Like(at, state);
        var after = MakeConsistent(time, at, own, _equations.Jump(which, time, before).expand_as(before));
        return new Firing(which, own, at, ordinals, before, after, defect.index_select(0, index));
    }

    /// <summary>Finds the algebraic unknowns anew, from those before the event.</summary>
    private Tensor MakeConsistent(Tensor time, double[] at, int[] own, Tensor state)
    {
        if (kernel.Constraints is not { } constraints) return state;
        var found = ConsistentState.Find(constraints, time, state);
        if (!found.Failed.Contains(true)) return found.State;
        Unsolved.UnionWith(own.Where((_, row) => found.Failed[row]));
        problem.Options.Tell(found.Warning(at[Array.IndexOf(found.Failed, true)]));
        return found.State;
    }
}
