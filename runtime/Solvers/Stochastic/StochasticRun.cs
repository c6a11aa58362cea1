using DiffEqLang.Runtime.Noise;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime.Solvers.Stochastic;

/// <summary>What the caller wants of a run along a scheme.</summary>
/// <param name="SavedSteps">The numbers of steps after which the state is kept, ascending.</param>
/// <param name="MostSteps">It stops after so many.</param>
/// <param name="Record">Whether a gradient will be asked for, which needs states on the way.</param>
/// <param name="CancellationToken">Ends it early.</param>
/// <param name="Progress">Told after each chunk.</param>
internal sealed record StochasticRequest(
    int[] SavedSteps, int MostSteps, bool Record, CancellationToken CancellationToken, IProgress<SolveProgress>? Progress);

/// <summary>
/// The trajectories of a batch along a scheme. Samples that meet NaN or infinity stay at their last good state while
/// the others go on.
/// </summary>
internal sealed class StochasticRun : IDisposable
{
    /// <summary>Every state is recorded up to this many numbers; beyond, one a chunk, the others being computed again.</summary>
    private const long RecordedNumbers = 1 << 24;

    private readonly StochasticScheme _scheme;
    private readonly StochasticRequest _request;
    private readonly bool _keepsAll;

    /// <summary>By chunk: its states before each step, or the first of them alone.</summary>
    private readonly Tensor[]?[] _recorded;

    /// <summary>The good steps of each sample; null while all are good.</summary>
    private long[]? _goodSteps;

    private Tensor? _goodStepsOnDevice;

    private StochasticRun(StochasticScheme scheme, StochasticRequest request, Tensor initial)
    {
        (_scheme, _request) = (scheme, request);
        _recorded = new Tensor[]?[scheme.Increments.Chunks];
        _keepsAll = initial.numel() * scheme.Grid.Steps <= RecordedNumbers;
        var (shape, options) = (initial.shape, (initial.dtype, initial.device));
        Saved = empty([request.SavedSteps.Length, .. shape], options.dtype, options.device).DetachFromDisposeScope();
        LastState = initial.detach().clone().DetachFromDisposeScope();
        Status = new SolveStatus[shape[0]];
    }

    /// <summary>The states kept: [T, B, N]. NaN where a sample did not come so far.</summary>
    public Tensor Saved { get; }

    /// <summary>The last good states: [B, N].</summary>
    public Tensor LastState { get; private set; }

    /// <summary>How each sample ended.</summary>
    public SolveStatus[] Status { get; }

    /// <summary>The steps taken by the batch.</summary>
    public int Steps { get; private set; }

    /// <summary>The scheme run along.</summary>
    public StochasticScheme Scheme => _scheme;

    /// <summary>The steps after which states were kept.</summary>
    public int[] SavedSteps => _request.SavedSteps;

    /// <summary>The good steps of one sample.</summary>
    public long GoodSteps(int sample) => _goodSteps?[sample] ?? Steps;

    /// <summary>Runs from the initial states, [B, N], without autograd.</summary>
    public static StochasticRun Start(StochasticScheme scheme, StochasticRequest request, Tensor initial)
    {
        var run = new StochasticRun(scheme, request, initial);
        using var guard = no_grad();
        try
        {
            run.Save(0);
            for (var chunk = 0; chunk < scheme.Increments.Chunks && run.GoesOn(); chunk++) run.RunChunk(chunk);
            run.Finish();
            return run;
        }
        catch
        {
            run.Dispose();
            throw;
        }
    }

    /// <summary>Whether samples are still good before a step: [B, 1]; null where all are.</summary>
    public Tensor? Alive(int step)
    {
        using Scalar number = step;
        return _goodStepsOnDevice?.gt(number);
    }

    /// <summary>The states before each step of a chunk, recorded or computed again; the caller disposes of them.</summary>
    public Tensor[] StatesOf(StochasticChunk steps, int chunk)
    {
        var recorded = _recorded[chunk] ?? throw new InvalidOperationException("This run was not recorded.");
        var end = Math.Min(steps.End, Steps);
        var states = new Tensor[end - steps.First];
        for (var i = 0; i < states.Length; i++)
            states[i] = i < recorded.Length
                ? recorded[i].alias().DetachFromDisposeScope()
                : Hold(steps.First + i - 1, states[i - 1], Advance(steps[steps.First + i - 1], states[i - 1]));
        return states;
    }

    public void Dispose()
    {
        foreach (var states in _recorded)
            foreach (var state in states ?? [])
                state.Dispose();
        Saved.Dispose();
        LastState.Dispose();
        _goodStepsOnDevice?.Dispose();
    }

    private bool GoesOn() =>
        Steps < _request.MostSteps && !_request.CancellationToken.IsCancellationRequested
        && (_goodSteps is null || _goodSteps.Contains(long.MaxValue));

    /// <summary>
    /// Runs a chunk without looking at the states until its end; where one is then not finite, again, looking at each step.
    /// (A component that is once NaN or infinite stays so: every step adds to it.)
    /// </summary>
    private void RunChunk(int chunk)
    {
        using var steps = _scheme.Chunk(chunk, LastState);
        var first = LastState.alias().DetachFromDisposeScope();
        var states = new List<Tensor>();
        if (_goodSteps is not null || !TryRun(steps, states, careful: false))
        {
            Forget(states);
            LastState.Dispose();
            LastState = first.alias().DetachFromDisposeScope();
            TryRun(steps, states, careful: true);
        }

        first.Dispose();
        if (_request.Record)
            _recorded[chunk] = [.. states];
        else
            Forget(states);
        var reached = _scheme.Grid.Times[Steps];
        var (start, end) = (_scheme.Grid.Times[0], _scheme.Grid.Times[^1]);
        _request.Progress?.Report(new SolveProgress(reached, (reached - start) / (end - start), Steps));
    }

    private bool TryRun(StochasticChunk steps, List<Tensor> states, bool careful)
    {
        Steps = steps.First;
        while (Steps < steps.End && GoesOn())
        {
            if (_request.Record && (states.Count == 0 || _keepsAll)) states.Add(LastState.alias().DetachFromDisposeScope());
            var next = Advance(steps[Steps], LastState);
            if (careful) next = Look(Steps, LastState, next);
            LastState.Dispose();
            LastState = next;
            Steps++;
            Save(Steps);
        }

        return careful || AllFinite(LastState);
    }

    private Tensor Advance(in StochasticStep step, Tensor state)
    {
        using var scope = NewDisposeScope();
        return _scheme.Method.Advance(_scheme.Equations, step, state).DetachFromDisposeScope();
    }

    /// <summary>Notes the samples that a step has made NaN or infinite, and keeps those at their state before it.</summary>
    private Tensor Look(int step, Tensor before, Tensor after)
    {
        using (var scope = NewDisposeScope())
        {
            var finite = after.isfinite().all(-1).cpu().data<bool>().ToArray();
            _goodSteps ??= Enumerable.Repeat(long.MaxValue, finite.Length).ToArray();
            for (var sample = 0; sample < finite.Length; sample++)
                if (!finite[sample] && _goodSteps[sample] > step)
                {
                    _goodSteps[sample] = step;
                    Status[sample] = SolveStatus.NonFinite;
                }

            _goodStepsOnDevice?.Dispose();
            _goodStepsOnDevice = tensor(_goodSteps, ScalarType.Int64).to(after.device).unsqueeze(-1).DetachFromDisposeScope();
        }

        return Hold(step, before, after);
    }

    /// <summary>The state after a step, of samples that are no longer good the one before it. Disposes of the first.</summary>
    private Tensor Hold(int step, Tensor before, Tensor after)
    {
        using var scope = NewDisposeScope();
        if (Alive(step) is not { } alive) return after;
        var held = where(alive, after, before).DetachFromDisposeScope();
        after.Dispose();
        return held;
    }

    private void Save(int step)
    {
        var place = Array.BinarySearch(_request.SavedSteps, step);
        if (place < 0) return;
        while (place > 0 && _request.SavedSteps[place - 1] == step) place--;
        using var scope = NewDisposeScope();
        for (; place < _request.SavedSteps.Length && _request.SavedSteps[place] == step; place++)
            Saved.select(0, place).copy_(LastState);
    }

    private void Finish()
    {
        var stopped = Steps == _scheme.Grid.Steps ? SolveStatus.Success
            : _request.CancellationToken.IsCancellationRequested ? SolveStatus.Cancelled
            : SolveStatus.MaxSteps;
        for (var sample = 0; sample < Status.Length; sample++)
            if (Status[sample] == SolveStatus.Success)
                Status[sample] = stopped;

        using var scope = NewDisposeScope();
        for (var place = 0; place < _request.SavedSteps.Length; place++)
        {
            var saved = Saved.select(0, place);
            if (_request.SavedSteps[place] > Steps)
                saved.fill_(double.NaN);
            else if (_goodStepsOnDevice is { } good)
                saved.masked_fill_(good.lt(_request.SavedSteps[place]), double.NaN);
        }

        if (_goodSteps is null) return;
        for (var sample = 0; sample < Status.Length; sample++) _goodSteps[sample] = Math.Min(_goodSteps[sample], Steps);
    }

    private static bool AllFinite(Tensor state)
    {
        using var scope = NewDisposeScope();
        return state.isfinite().all().item<bool>();
    }

    private static void Forget(List<Tensor> states)
    {
        foreach (var state in states) state.Dispose();
        states.Clear();
    }
}
