using System.Numerics;
using System.Runtime.InteropServices;

namespace DiffEqLang.Runtime.Simd;

/// <summary>Solves samples that share their steps: one error over the whole batch chooses them, and all registers march together.</summary>
/// <param name="stepper">The equations and the method.</param>
/// <param name="problem">What is solved.</param>
internal sealed class CoupledIntegrator<TRegister, TLanes, T>(LaneStepper<TRegister, TLanes> stepper, RungeKuttaProblem problem)
    where TRegister : struct
    where TLanes : struct, ILanes<TLanes>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private const int AttemptsBetweenReports = 64;

    private readonly List<LaneGroup<TRegister, TLanes, T>> _groups = [];
    private readonly SampleSource<TRegister, TLanes, T> _source = new(stepper, problem);
    private readonly RegisterClock _clock = new(problem, Lanes);    // every lane of it is the batch
    private readonly StartNorms<TRegister, TLanes, T> _norms = new(stepper, problem);
    private readonly Vector<double>[] _errors = new Vector<double>[Lanes / Vector<double>.Count];
    private readonly Vector<double>[] _sizes = new Vector<double>[Lanes / Vector<double>.Count];
    private readonly Vector<long>[] _diverged = new Vector<long>[Lanes / Vector<double>.Count];    // in every lane, whether any sample's stages were not found

    private static int Lanes => LaneNumbers<TLanes, T>.Count;

    /// <summary>Solves all samples.</summary>
    /// <param name="solve">The solve.</param>
    /// <param name="tapes">Receive the accepted steps, one a register, where given.</param>
    public void Run(LaneSolve<T> solve, IReadOnlyList<StepTape<TLanes>>? tapes)
    {
        var groups = (solve.Samples + Lanes - 1) / Lanes;
        Open(solve, groups, tapes);
        _clock.Plan();
        for (var attempts = 1; !_clock.HasEnded; attempts++)
        {
            _clock.Judge(Attempt(solve, groups), _diverged);
            for (var i = 0; _clock.MovesAny && i < groups; i++) _groups[i].Accept(_clock);
            _clock.Advance();
            if (attempts % AttemptsBetweenReports == 0) Report(attempts);
        }

        for (var sample = 0; sample < solve.Samples; sample++)
            _groups[sample / Lanes].End(sample % Lanes, _clock.Ended(0)!.Value, _clock);
    }

    private void Open(LaneSolve<T> solve, int groups, IReadOnlyList<StepTape<TLanes>>? tapes)
    {
        while (_groups.Count < groups) _groups.Add(new(stepper, problem));
        _source.Open(solve, 0, solve.Samples);
        var nextSave = 0.0;
        for (var i = 0; i < groups; i++)
        {
            _groups[i].Tape = tapes?[i];
            _groups[i].Open(solve);
            for (var lane = 0; lane < Lanes; lane++)
            {
                if (_source.IsEmpty) _groups[i].Follow(lane, 0);
                else (_, nextSave) = _groups[i].Take(lane, _source);
            }
        }

        var size = problem.Method.Dt ?? FirstStep(solve, groups);
        _clock.Reset(Lanes);
        for (var lane = 0; lane < Lanes; lane++) _clock.Start(lane, size, nextSave);
        if (problem.Options.CancellationToken.IsCancellationRequested) _clock.Cancel();
    }

    /// <summary>The squared error of the batch, in every lane.</summary>
    private Vector<double>[] Attempt(LaneSolve<T> solve, int groups)
    {
        var (first, second, isDiverged) = (0.0, 0.0, false);
        for (var i = 0; i < groups; i++)
        {
            var (ofFirst, ofSecond) = _groups[i].AttemptApart(_clock);
            first += Sum(ofFirst, solve, i);
            if (problem.Tableau.Error?.Estimates.Length > 1) second += Sum(ofSecond, solve, i);
            foreach (var lanes in _groups[i].Diverged) isDiverged |= lanes != Vector<long>.Zero;
        }

        Array.Fill(_diverged, isDiverged ? Vector<long>.AllBitsSet : Vector<long>.Zero);

        // As LaneStepper.Combined, of the whole batch.
        var combined = first == 0 ? 0 : first / solve.Samples * (first / (first + 0.01 * second));
        Array.Fill(_errors, new Vector<double>(combined));
        return _errors;
    }

    private double FirstStep(LaneSolve<T> solve, int groups)
    {
        var (state, slope, change) = (0.0, 0.0, 0.0);
        for (var i = 0; i < groups; i++)
        {
            state += SumOf(_groups[i].State, i);
            slope += SumOf(_groups[i].Slope, i);
        }

        (state, slope) = (Math.Sqrt(state / solve.Samples), Math.Sqrt(slope / solve.Samples));
        if (!double.IsFinite(state) || !double.IsFinite(slope)) return double.NaN;
        var trial = InitialStep.Trial(new(state), new(slope), problem.Span);
        Array.Fill(_sizes, trial);
        for (var i = 0; i < groups; i++)
        {
            _norms.OfChange(_sizes, _groups[i].State, _groups[i].Parameters, _groups[i].Slope, _errors);
            change += Sum(_errors, solve, i);
        }

        var curvature = Math.Sqrt(change / solve.Samples) / trial[0];
        return InitialStep.Refine(trial, new(slope), new(curvature), problem.Tableau.Error!.Order + 1)[0];

        double SumOf(ReadOnlySpan<TLanes> vector, int group)
        {
            _norms.Of(vector, _groups[group].State, _errors);
            return Sum(_errors, solve, group);
        }
    }

    private double Sum(TLanes register, LaneSolve<T> solve, int group)
    {
        LaneNumbers<TLanes, T>.ToDoubles(register, _errors);
        return Sum(_errors, solve, group);
    }

    /// <summary>The sum over the lanes of a register that have a sample.</summary>
    private static double Sum(ReadOnlySpan<Vector<double>> vectors, LaneSolve<T> solve, int group)
    {
        var sum = 0.0;
        foreach (var value in MemoryMarshal.Cast<Vector<double>, double>(vectors)[..Math.Min(Lanes, solve.Samples - group * Lanes)]) sum += value;
        return sum;
    }

    private void Report(int attempts)
    {
        if (problem.Options.CancellationToken.IsCancellationRequested) _clock.Cancel();
        var (span, time) = (problem.Span, RegisterClock.Lane(_clock.Time, 0));
        problem.Options.Progress?.Report(new SolveProgress(time, (time - span.Start) / (span.End - span.Start), attempts));
    }
}
