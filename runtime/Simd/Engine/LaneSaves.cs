using System.Numerics;
using System.Runtime.InteropServices;
using DiffEqLang.Tableaux;

namespace DiffEqLang.Runtime.Simd;

/// <summary>Which sample each lane of a register works on, and the states that it saves, by the dense output of its steps.</summary>
internal sealed class LaneSaves<TLanes, T>
    where TLanes : struct, ILanes<TLanes>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly RungeKuttaTableau _tableau;
    private readonly DenseWeights<TLanes> _weights;
    private readonly RegisterBuffer<TLanes> _dense, _theta;
    private readonly int _firstLane;      // of the clock
    private readonly int[] _sample, _first, _next;
    private readonly double[] _nextTime;  // by lane: that of _next, infinity where there is none
    private readonly double[] _place;     // by lane: as Places gives them
    private readonly bool[] _isInside;    // by lane: whether it saves inside its step now
    private LaneSolve<T>? _solve;

    /// <param name="tableau">The method.</param>
    /// <param name="parts">Which numbers of the state its stages move.</param>
    /// <param name="size">N.</param>
    /// <param name="firstLane">The clock's lane that is the register's first.</param>
    public LaneSaves(RungeKuttaTableau tableau, LaneParts parts, int size, int firstLane)
    {
        (_tableau, _weights, _firstLane) = (tableau, new DenseWeights<TLanes>(tableau, parts), firstLane);
        (_dense, _theta) = (new(size), new(1));
        (_sample, _first, _next, _isInside) = (new int[Lanes], new int[Lanes], new int[Lanes], new bool[Lanes]);
        (_nextTime, _place) = (new double[Lanes], new double[Lanes]);
    }

    private static int Lanes => LaneNumbers<TLanes, T>.Count;

    /// <summary>The first saved time inside the last step, by lane.</summary>
    public ReadOnlySpan<int> First => _first;

    /// <summary>The saved time after the last that was saved, by lane.</summary>
    public ReadOnlySpan<int> Next => _next;

    /// <summary>The sample of each lane.</summary>
    public ReadOnlySpan<int> Samples => _sample;

    /// <summary>The sample of a lane.</summary>
    public int Sample(int lane) => _sample[lane];

    /// <summary>Begins a solve.</summary>
    public void Open(LaneSolve<T> solve)
    {
        _solve = solve;
        Array.Fill(_sample, -1);
        Array.Clear(_next);
        Array.Fill(_nextTime, solve.Problem.Span.Direction * double.PositiveInfinity);
    }

    /// <summary>Puts a sample into a lane and saves its state at the times that are the start.</summary>
    /// <returns>The next saved time; infinity where there is none.</returns>
    public double Start(int lane, int sample, ReadOnlySpan<TLanes> state, ReadOnlySpan<TLanes> slope)
    {
        (_sample[lane], _next[lane]) = (sample, 0);
        for (; _next[lane] < _solve!.Times.Length && _solve.Times[_next[lane]] == _solve.Problem.Span.Start; _next[lane]++)
            Save(lane, state, slope);
        _first[lane] = _next[lane];
        return _nextTime[lane] = NextTime(lane);
    }

    /// <summary>Begins with a step, for the tape: no lane has saved anything inside it.</summary>
    public void Skip() => _next.AsSpan().CopyTo(_first);

    /// <summary>Whether a lane has come to a saved time strictly inside its step, so that the dense output is needed.</summary>
    public bool NeedsDense(RegisterClock clock)
    {
        foreach (var place in Places(clock))
            if (place < 1)
                return true;
        return false;
    }

    /// <summary>Saves what the lanes that moved have crossed.</summary>
    /// <param name="clock">The step, not yet committed.</param>
    /// <param name="h">Its sizes.</param>
    /// <param name="state">The states before it.</param>
    /// <param name="after">Those after it.</param>
    /// <param name="stages">The stages; those of the dense output too where <see cref="NeedsDense"/>.</param>
    public void Cross(RegisterClock clock, TLanes h, ReadOnlySpan<TLanes> state, ReadOnlySpan<TLanes> after, ReadOnlySpan<TLanes> stages)
    {
        var endSlope = stages.Slice(_tableau.EndStage * state.Length, state.Length);
        while (TakeRow(clock, after, endSlope, out var isInside))
            if (isInside)
                SaveInside(h, state, stages);
    }

    /// <summary>
    /// Ends a lane's sample: how it went, its last state, and NaN at the times that it did not reach. Where events have ended it, at the end or
    /// before, it has its last state at the times that are left.
    /// </summary>
    /// <param name="lane">The lane.</param>
    /// <param name="status">How its sample ended.</param>
    /// <param name="clock">When.</param>
    /// <param name="state">The states.</param>
    /// <param name="iterations">Its Newton iterations.</param>
    public void End(int lane, SolveStatus status, RegisterClock clock, ReadOnlySpan<TLanes> state, long iterations)
    {
        var (solve, sample) = (_solve!, _sample[lane]);
        (solve.Status[sample], solve.LastTime[sample]) = (status, RegisterClock.Lane(clock.Time, _firstLane + lane));
        (solve.Accepted[sample], solve.Rejected[sample]) = clock.Steps(_firstLane + lane);
        solve.Iterations[sample] = iterations;
        LaneNumbers<TLanes, T>.Gather(state, lane, solve.LastState.Span.Slice(sample * solve.Size, solve.Size));
        var last = solve.LastState.Span.Slice(sample * solve.Size, solve.Size);
        for (var time = _next[lane]; time < solve.Times.Length; time++)
        {
            var saved = solve.Values.Span.Slice(solve.Place(time, sample), solve.Size);
            if (status is SolveStatus.Success or SolveStatus.Stopped) last.CopyTo(saved);
            else saved.Fill(T.NaN);
        }
    }

    private double NextTime(int lane) => _next[lane] < _solve!.Times.Length
        ? _solve.Times[_next[lane]]
        : _solve.Problem.Span.Direction * double.PositiveInfinity;

    /// <summary>
    /// Where in its step each lane has its next saved time: at most 1; infinity where it has none, does not move, or was cut before it by an
    /// event. The time of an event is saved by the step behind it, after the event.
    /// </summary>
    private ReadOnlySpan<double> Places(RegisterClock clock)
    {
        var first = _firstLane / Vector<double>.Count;
        var next = MemoryMarshal.Cast<double, Vector<double>>(_nextTime.AsSpan());
        var places = MemoryMarshal.Cast<double, Vector<double>>(_place.AsSpan());
        for (var v = 0; v < places.Length; v++)
        {
            var theta = (next[v] - clock.Time[first + v]) / clock.Step[first + v];
            var moves = Vector.Equals(clock.Moved[first + v], Vector<double>.One) & Vector.LessThan(theta, clock.Cut(first + v));
            places[v] = Vector.ConditionalSelect(moves, theta, new Vector<double>(double.PositiveInfinity));
        }

        return _place;
    }

    /// <summary>Takes the next saved time of every lane that has one in its step; saves those that are its end.</summary>
    private bool TakeRow(RegisterClock clock, ReadOnlySpan<TLanes> after, ReadOnlySpan<TLanes> endSlope, out bool isInside)
    {
        var any = false;
        var places = Places(clock);
        var thetas = LaneNumbers<TLanes, T>.Of(_theta.Span);
        isInside = false;
        for (var lane = 0; lane < places.Length; lane++)
        {
            var theta = places[lane];
            _isInside[lane] = theta < 1;
            if (!(theta <= 1)) continue;
            any = true;
            if (theta < 1) (isInside, thetas[lane]) = (true, T.CreateTruncating(theta));
            else Save(lane, after, endSlope);
            _next[lane]++;
            _nextTime[lane] = NextTime(lane);
            clock.SetNextSave(_firstLane + lane, _nextTime[lane]);
        }

        return any;
    }

    private void SaveInside(TLanes h, ReadOnlySpan<TLanes> state, ReadOnlySpan<TLanes> stages)
    {
        var theta = _theta.Span[0];
        _weights.Value(theta, h, state, stages, _dense.Span);
        Put(_solve!.Values, _dense.Span);
        if (_solve.Slopes.IsEmpty) return;
        _weights.Slope(theta, stages, _dense.Span);
        Put(_solve.Slopes, _dense.Span);
    }

    private void Put(UnmanagedSpan<T> saved, ReadOnlySpan<TLanes> registers)
    {
        for (var lane = 0; lane < Lanes; lane++)
            if (_isInside[lane])
                LaneNumbers<TLanes, T>.Gather(registers, lane, saved.Span.Slice(_solve!.Place(_next[lane] - 1, _sample[lane]), _solve.Size));
    }

    private void Save(int lane, ReadOnlySpan<TLanes> state, ReadOnlySpan<TLanes> slope)
    {
        var place = _solve!.Place(_next[lane], _sample[lane]);
        LaneNumbers<TLanes, T>.Gather(state, lane, _solve.Values.Span.Slice(place, _solve.Size));
        if (!_solve.Slopes.IsEmpty) LaneNumbers<TLanes, T>.Gather(slope, lane, _solve.Slopes.Span.Slice(place, _solve.Size));
    }
}
