using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>The loop of a solve by a reversible scheme. All samples step alike; one that meets NaN or infinity rests where it was last well.</summary>
internal sealed class ReversibleRun
{
    private readonly ReversibleProblem _problem;
    private readonly SolveStatus?[] _status;
    private readonly double[] _lastTime;
    private readonly long[] _accepted;
    private ReversibleState _at;    // in no dispose scope
    private long _steps;
    private int _saved;             // how many of the saved times are behind

    private ReversibleRun(ReversibleProblem problem, Tensor state)
    {
        var samples = (int)state.size(0);
        (_problem, _status, _accepted) = (problem, new SolveStatus?[samples], new long[samples]);
        _lastTime = [.. Enumerable.Repeat(problem.Span.Start, samples)];
        _at = problem.Scheme.Begin(problem.Equations, problem.Span.Start, state).Map(Kept);
    }

    /// <summary>Solves from a state [samples, N], without autograd.</summary>
    /// <param name="problem">What to solve.</param>
    /// <param name="state">The initial state; not changed, not disposed.</param>
    /// <returns>What the solve gave, and what it ended with, for the way back: the caller's to dispose.</returns>
    public static (OdeRun Run, ReversibleState End) Solve(ReversibleProblem problem, Tensor state)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var values = full([problem.Times.Length, .. state.shape], Scalars.NaN, state.dtype, state.device);
        ReversibleRun run;
        using (inference_mode())
        {
            run = new ReversibleRun(problem, state);
            run.Advance(values);
        }

        return (run.End(values.DetachFromDisposeScope()), run._at);
    }

    private void Advance(Tensor values)
    {
        Save(values, _problem.Span.Start);
        foreach (var interval in _problem.Intervals)
        {
            for (var i = 0L; i < interval.Count && IsGoingOn(); i++)
            {
                using var ofStep = NewDisposeScope();
                Take(interval.Time(i), interval.Size, i + 1 == interval.Count ? interval.To : interval.Time(i + 1));
            }

            if (_status.All(status => status is not null)) break;
            Save(values, interval.To);
        }

        for (var i = 0; i < _status.Length; i++) _status[i] ??= SolveStatus.Success;
    }

    /// <summary>Whether there are samples to go on with, steps left, and nobody who cancels.</summary>
    private bool IsGoingOn()
    {
        SolveStatus? end = _problem.Options.CancellationToken.IsCancellationRequested ? SolveStatus.Cancelled
            : _steps >= _problem.Options.MaxSteps ? SolveStatus.MaxSteps
            : null;
        if (end is not null)
            for (var i = 0; i < _status.Length; i++) _status[i] ??= end;
        return _status.Any(status => status is null);
    }

    private void Take(double time, double size, double end)
    {
        var before = _at;
        var after = _problem.Scheme.Step(_problem.Equations, time, size, before);
        _steps++;
        if (!double.IsFinite(after.State.sum().to(ScalarType.Float64).item<double>())) Judge(after.State);
        if (Array.Exists(_status, status => status is not null))
        {
            var moves = tensor([.. _status.Select(status => status is null)], [_status.Length, 1], device: after.State.device);
            after = new ReversibleState(
                where(moves, after.State, before.State),
                where(moves, after.Companion, before.Companion),
                after.Slope is null ? null : where(moves, after.Slope, before.Slope!));
        }

        _at = after.Map(Kept);
        before.Dispose();
        for (var i = 0; i < _status.Length; i++)
            if (_status[i] is null)
                (_lastTime[i], _accepted[i]) = (end, _accepted[i] + 1);
        Report(end);
    }

    /// <summary>Ends the samples whose state is not finite.</summary>
    private void Judge(Tensor state)
    {
        var finite = HostVector.ToHost(state.isfinite().all(1).to(ScalarType.Float64));
        for (var i = 0; i < finite.Length; i++)
            if (finite[i] == 0)
                _status[i] ??= SolveStatus.NonFinite;
    }

    /// <summary>Saves the states at a time, of the samples that have got there.</summary>
    private void Save(Tensor values, double time)
    {
        using var ofSave = NewDisposeScope();
        bool[] missing = [.. _status.Select(status => status is not null)];
        for (; _saved < _problem.Times.Length && _problem.Times[_saved] == time; _saved++)
        {
            values.select(0, _saved).copy_(_at.State);
            if (missing.Contains(true))
                values.select(0, _saved).masked_fill_(tensor(missing, [missing.Length, 1], device: values.device), Scalars.NaN);
        }
    }

    private OdeRun End(Tensor values)
    {
        var last = _at.State.clone().DetachFromDisposeScope();
        return new OdeRun(
            _problem.Times, values, null, [.. _status.Select(status => status!.Value)], _lastTime, last, [],
            new Statistics(_accepted, new long[_accepted.Length], _steps + 1));
    }

    private void Report(double time)
    {
        var span = _problem.Span;
        _problem.Options.Progress?.Report(new SolveProgress(time, (time - span.Start) / (span.End - span.Start), _steps));
    }

    private static Tensor Kept(Tensor tensor) => tensor.alias().DetachFromDisposeScope();
}
