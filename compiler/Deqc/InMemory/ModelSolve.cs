using System.Diagnostics;
using DiffEqLang.Deqc.Solving;
using DiffEqLang.Runtime;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Deqc.InMemory;

/// <summary>Solves a loaded model as the command line asks.</summary>
internal sealed class ModelSolve(LoadedModel model, SolveRequest request)
{
    private StateLayout Layout => model.Instance.Layout;

    /// <summary>Solves without gradients and copies everything out of torch.</summary>
    /// <param name="times">From where to where, and which times are reported.</param>
    /// <param name="paths">How many solutions at once.</param>
    /// <param name="checkpoint">The file that the solve's state is written to at its end; null: none.</param>
    public RunResult Run(TimeSelection times, int paths, string? checkpoint = null)
    {
        using var scope = NewDisposeScope();
        var initial = InitialStates(paths);
        return Run(options => model.Instance.Solve(initial, options), Options(times), checkpoint);
    }

    /// <summary>The same from where another solve has ended.</summary>
    /// <param name="from">The file of its state.</param>
    /// <param name="times">Up to where, and which times are reported; the start is where that solve began.</param>
    /// <param name="checkpoint">As above.</param>
    public RunResult Resume(string from, TimeSelection times, string? checkpoint)
    {
        if (model.Instance is not OdeModel equations)
            throw CommandFailure.Usage($"--resume {from}: model {model.Name} has noise, and its solves do not go on later; the same --seed gives the same path again");
        using var state = SolverStateFile.Read(from);
        return Run(options => equations.Resume(state, options), Options(times) with { Start = null }, checkpoint);
    }

    private RunResult Run(Func<SolveOptions, Solution> solve, SolveOptions options, string? checkpoint)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var clock = Stopwatch.StartNew();
        var solution = LoadedModel.Guarded(() => solve(options with { Resumable = checkpoint is not null }));
        var seconds = clock.Elapsed.TotalSeconds;
        if (checkpoint is not null) SolverStateFile.Write(checkpoint, solution.SolverState);
        return Result(solution, solution.Status.Count, seconds);
    }

    /// <summary>Each state's start, [paths, shape] or [shape] for one path.</summary>
    /// <exception cref="CommandFailure">A state has none.</exception>
    public Dictionary<string, Tensor> InitialStates(int paths)
    {
        var declared = model.Instance.DeclaredInitialState();
        var initial = new Dictionary<string, Tensor>();
        foreach (var slot in Layout.Slots)
        {
            var value = model.Initial.GetValueOrDefault(slot.Name) ?? declared.GetValueOrDefault(slot.Name)
                ?? throw CommandFailure.Usage($"state {slot.Name} of model {model.Name} has no initial value: give --init {slot.Name}={Sample(slot)}, or write init {slot.Name} = ... in the model");
            initial.Add(slot.Name, paths == 1 ? value : value.expand([paths, .. slot.Shape]));
        }

        return initial;
    }

    /// <summary>The solve block's method, with what the command line says over it.</summary>
    public SolveOptions Options(TimeSelection times) => new SolveOptions
    {
        Start = times.At is { } at ? StartBefore(at) : times.Start,
        End = times.End,
        Save = times.At is { } exact ? SaveAt.Times(exact) : SaveAt.Grid(times.Points),
        Method = Method(),
        Seed = request.Seed,
    };

    private Method? Method()
    {
        if (request is { Method: null, Rtol: null, Atol: null, Step: null }) return null;
        var declared = model.Instance.Defaults.Method;
        var chosen = request.Method is { } name
            ? TableauFile.MethodOf(name) ?? new Method(name)
            : declared ?? throw CommandFailure.Usage("--rtol, --atol and --dt need a method: give --method, or write one in the solve block");
        return chosen with { Rtol = request.Rtol ?? chosen.Rtol, Atol = request.Atol ?? chosen.Atol, Dt = request.Step ?? chosen.Dt };
    }

    // The initial state stands at the solve block's start, where that does not lie behind the first time asked for.
    private double? StartBefore(double[] times)
    {
        if (model.Instance.Defaults.Start is not { } start) return null;
        var direction = Math.Sign(times[^1] - (times.Length > 1 ? times[0] : start));
        return (times[0] - start) * direction >= 0 ? start : null;
    }

    private RunResult Result(Solution solution, int paths, double seconds)
    {
        var (times, packed) = Reached(solution, paths);
        var failed = solution.Status.FirstOrDefault(status => status is not (SolveStatus.Success or SolveStatus.Stopped), solution.Status[0]);
        return new RunResult
        {
            Model = model.Name,
            Title = model.Title,
            Status = failed.ToString(),
            Succeeded = solution.Succeeded,
            Message = solution.Message,
            Times = times,
            Paths = paths,
            States = [.. Layout.Slots.Select((slot, i) => new Series(slot.Name, slot.Shape, Numbers(Layout.Unpack(packed, i))))],
            Outputs = [.. model.Instance.OutputNames.Select(name => OutputSeries(name, times, packed))],
            Events = solution.HasEvents ? Happenings(solution) : null,
            Methods = [.. solution.MethodChanges.Select(ofPath =>
                (IReadOnlyList<(double, string)>)[.. ofPath.Select(change => (change.Time, change.Method))])],
            Accepted = solution.Statistics.Accepted.Sum(),
            Rejected = solution.Statistics.Rejected.Sum(),
            Evaluations = solution.Statistics.Evaluations,
            Jacobians = solution.Statistics.Jacobians,
            Factorizations = solution.Statistics.Factorizations,
            Seconds = seconds,
            SinglePrecision = request.SinglePrecision,
        };
    }

    private List<Happening> Happenings(Solution solution) =>
        [.. solution.Events.SelectMany((ofPath, path) => ofPath.Select(one =>
            new Happening(one.Event.Name, path, one.Time, StatesOf(one.Before), StatesOf(one.After))))];

    private List<Series> StatesOf(Tensor packed) =>
        [.. Layout.Slots.Select((slot, i) => new Series(slot.Name, slot.Shape, Numbers(Layout.Unpack(packed, i))))];

    // Where a solve failed: the times that some path reached, and of a single path the last good state too.
    private static (double[] Times, Tensor Packed) Reached(Solution solution, int paths)
    {
        var times = Numbers(solution.Times);
        if (solution.Succeeded) return (times, solution.Packed);
        var count = Enumerable.Range(0, times.Length).TakeWhile(i => !solution.Packed[i].isnan().all().ToBoolean()).Count();
        var packed = solution.Packed.narrow(0, 0, count);
        var last = solution.LastTime[0];
        if (paths > 1 || (count > 0 && times[count - 1] == last)) return (times[..count], packed);
        return ([.. times[..count], last], cat([packed, solution.LastState.unsqueeze(0)], 0));
    }

    // An output may be the same for all times and paths: it is then spread over them.
    private Series OutputSeries(string name, double[] times, Tensor packed)
    {
        var batch = packed.shape[..^1];
        var t = tensor(times, [times.Length, .. Enumerable.Repeat(1L, batch.Length - 1)], packed.dtype, packed.device);
        var value = model.Instance.Output(name, t, packed);
        var shape = value.shape[Math.Min(batch.Length, (int)value.dim())..];
        return new Series(name, shape, Numbers(value.expand([.. batch, .. shape])));
    }

    /// <summary>The numbers of a tensor, row-major, as float64.</summary>
    public static double[] Numbers(Tensor values) => values.detach().to(ScalarType.Float64).cpu().contiguous().data<double>().ToArray();

    private static string Sample(StateSlot slot) =>
        new NumberArray(slot.Shape, [.. Enumerable.Repeat(1.0, (int)slot.Size)]) is { Values.Length: <= 8 } small ? small.ToString() : "1";
}
