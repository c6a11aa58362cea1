using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// What a solve goes on from later, lane by lane: where it stood before its end has shortened a step for the first time, so that the steps
/// from there on are those of a solve without that end, to the last bit. Of lanes that ended before, and of those that an event has stopped,
/// it is where they are.
/// </summary>
/// <param name="clock">Of the solve.</param>
/// <param name="kernel">What takes its steps.</param>
/// <param name="events">Its events; null where there are none.</param>
/// <param name="span">From where the lanes start.</param>
/// <param name="lanes">How many lanes there are.</param>
internal sealed class ResumePoint(LaneClock clock, StepKernel kernel, LaneEvents? events, SolveSpan span, int lanes)
{
    /// <summary>The state and its slope, of the shape of a state.</summary>
    public const string State = "state", Slope = "slope";

    private const string Numbers = "numbers";

    private readonly double[]?[] _numbers = new double[]?[lanes];
    private readonly Dictionary<string, Tensor> _tensors = [];      // [lanes, width]

    /// <summary>Takes note of the lanes whose planned attempt is their first that reaches for the end.</summary>
    /// <param name="state">The states before it: [samples, N].</param>
    /// <param name="slope">f there; null where it is not known.</param>
    public void Note(Tensor state, Tensor? slope) =>
        Take([.. Enumerable.Range(0, lanes).Select(lane => _numbers[lane] is null && clock.ReachesForEnd(lane))], state, slope);

    /// <summary>All that was taken note of, by name, where the solve has ended: in no dispose scope.</summary>
    public IReadOnlyDictionary<string, Tensor> Close(Tensor state, Tensor? slope)
    {
        Take([.. Enumerable.Range(0, lanes).Select(lane => _numbers[lane] is null || clock.Status[lane] == SolveStatus.Stopped)], state, slope);
        var closed = new Dictionary<string, Tensor>();
        // Copies: those taken on the way were made in inference mode.
        foreach (var (name, taken) in _tensors)
        {
            closed[name] = taken.clone().DetachFromDisposeScope();
            taken.Dispose();
        }

        double[][] numbers = [.. Enumerable.Range(0, lanes).Select(lane => (double[])[clock.Time[lane], span.Of(lane).Start, .. _numbers[lane]!])];
        closed[Numbers] = tensor(numbers.SelectMany(row => row).ToArray(), [lanes, numbers[0].Length], ScalarType.Float64).DetachFromDisposeScope();
        return closed;
    }

    /// <summary>Lets clock, kernel and events go on from there; says of which lanes the slope is known.</summary>
    public bool[] Recall(IReadOnlyDictionary<string, Tensor> kept)
    {
        var rows = RowsOf(kept);
        var (ofClock, ofKernel) = (3 + clock.Memory(0).Length, kernel.Memory(0).Length);
        for (var lane = 0; lane < lanes; lane++) clock.Recall(lane, rows[lane][3..ofClock]);
        kernel.Recall([.. rows.Select(row => row[ofClock..(ofClock + ofKernel)])], kept);
        events?.Recall([.. rows.Select(row => row[(ofClock + ofKernel)..])], [.. rows.Select(row => row[0])]);
        return [.. rows.Select(row => row[2] != 0)];
    }

    /// <summary>The time that each lane had reached.</summary>
    public static double[] ReachedBy(IReadOnlyDictionary<string, Tensor> kept) => [.. RowsOf(kept).Select(row => row[0])];

    /// <summary>Where each lane began, from which steps of a fixed size are counted.</summary>
    public static double[] StartsOf(IReadOnlyDictionary<string, Tensor> kept) => [.. RowsOf(kept).Select(row => row[1])];

    private static double[][] RowsOf(IReadOnlyDictionary<string, Tensor> kept) =>
        [.. HostVector.ToHost(kept[Numbers]).Chunk((int)kept[Numbers].size(1))];

    private void Take(bool[] which, Tensor state, Tensor? slope)
    {
        if (!which.Contains(true)) return;
        for (var lane = 0; lane < lanes; lane++)
            if (which[lane])
                _numbers[lane] = [slope is null ? 0 : 1, .. clock.Memory(lane), .. kernel.Memory(lane), .. events?.Memory(lane) ?? []];
        Keep(State, which, state);
        Keep(Slope, which, slope ?? zeros_like(state));
        foreach (var (name, value) in kernel.TensorMemory) Keep(name, which, value);
    }

    private void Keep(string name, bool[] which, Tensor value)
    {
        using var scope = NewDisposeScope();
        var now = value.reshape(lanes, -1);
        if (!_tensors.Remove(name, out var before)) _tensors[name] = now.clone().DetachFromDisposeScope();
        else _tensors[name] = where(tensor(which, [lanes, 1], device: now.device), now, before).DetachFromDisposeScope();
        before?.Dispose();
    }
}
