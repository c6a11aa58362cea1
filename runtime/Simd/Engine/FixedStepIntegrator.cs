using System.Numerics;

namespace DiffEqLang.Runtime.Simd;

/// <summary>
/// Solves with steps of one size by the kernel's fused steps, several registers of samples at a time and without looking at them between
/// saved times. Samples that met a NaN or infinity are left to be solved again step by step.
/// </summary>
internal sealed class FixedStepIntegrator<TRegister, TLanes, T>
    where TRegister : struct
    where TLanes : struct, ILanes<TLanes>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Enough registers for the processor to work on one while it waits for another; few enough for the nearest cache.</summary>
    private const int Registers = 8;

    /// <summary>After so many steps, cancellation is looked for.</summary>
    private const int MostStepsAtOnce = 4096;

    private readonly LaneStepper<TRegister, TLanes> _stepper;
    private readonly RungeKuttaProblem _problem;
    private readonly StepRules _rules;
    private readonly RegisterBuffer<TLanes> _state, _parameters;
    private readonly StepInterior<TRegister, TLanes> _interior;
    private readonly (int Step, double Theta)[] _saves;    // by saved time: after how many steps, and where in the next one

    private FixedStepIntegrator(LaneStepper<TRegister, TLanes> stepper, RungeKuttaProblem problem, double[] times)
    {
        (_stepper, _problem, _rules, _interior) = (stepper, problem, new StepRules(problem), new(stepper));
        (_state, _parameters) = (new(Registers * stepper.Size), new(Registers * stepper.Kernel.ParameterSize));
        _saves = [.. times.Select(PlaceOf)];
    }

    private static int Lanes => LaneNumbers<TLanes, T>.Count;

    /// <summary>What solves this way; null where it does not apply: the kernel has no such steps, they are too many, or events may cut them.</summary>
    public static FixedStepIntegrator<TRegister, TLanes, T>? For(LaneStepper<TRegister, TLanes> stepper, RungeKuttaProblem problem, double[] times)
    {
        if (problem.IsAdaptive || stepper.Kernel.FusedAdvance != problem.Tableau.Identity || stepper.Kernel.Events.Count > 0) return null;
        return new StepRules(problem).FixedSteps > problem.Options.MaxSteps ? null : new(stepper, problem, times);
    }

    /// <summary>Solves some samples.</summary>
    /// <param name="solve">The solve.</param>
    /// <param name="first">The first of them.</param>
    /// <param name="count">How many.</param>
    /// <param name="unfinished">Solves samples that met a NaN or infinity, or a cancellation: a first one, and how many.</param>
    public void Run(LaneSolve<T> solve, int first, int count, Action<int, int> unfinished)
    {
        for (var begin = first; begin < first + count; begin += Registers * Lanes)
        {
            var part = Math.Min(Registers * Lanes, first + count - begin);
            var registers = (part + Lanes - 1) / Lanes;
            Load(solve, begin, part, registers);
            if (!Advance(solve, begin, part, registers)) unfinished(begin, part);
            else End(solve, begin, part, unfinished);
        }
    }

    /// <summary>Advances from saved time to saved time; false where the solve was cancelled.</summary>
    private bool Advance(LaneSolve<T> solve, int begin, int part, int registers)
    {
        var step = 0;
        for (var time = 0; time < solve.Times.Length; time++)
        {
            if (!AdvanceTo(_saves[time].Step, registers, ref step)) return false;
            Save(solve, begin, part, time);
        }

        return AdvanceTo((int)_rules.FixedSteps, registers, ref step);
    }

    private void Save(LaneSolve<T> solve, int begin, int part, int time)
    {
        var (step, theta) = _saves[time];
        for (var i = 0; i < part; i += Lanes)
        {
            ReadOnlySpan<TLanes> registers = Own(_state, i);
            if (theta > 0) registers = _interior.At(theta, TimeOf(step), TimeOf(step + 1) - TimeOf(step), registers, Own(_parameters, i));
            for (var lane = 0; lane < Math.Min(Lanes, part - i); lane++)
                LaneNumbers<TLanes, T>.Gather(registers, lane, solve.Values.Span.Slice(solve.Place(time, begin + i + lane), solve.Size));
        }
    }

    private bool AdvanceTo(int target, int registers, ref int step)
    {
        var full = Math.Min(target, (int)_rules.FixedSteps - 1);
        while (step < full)
        {
            if (_problem.Options.CancellationToken.IsCancellationRequested) return false;
            var count = Math.Min(full - step, MostStepsAtOnce);
            Steps(count, step, _problem.Method.Dt!.Value * _problem.Span.Direction, registers);
            step += count;
        }

        if (step == target) return true;
        Steps(1, step, _problem.Span.End - TimeOf(step), registers);    // the last step, which may be shorter
        step++;
        return true;
    }

    private void Steps(int count, int step, double size, int registers) => _stepper.Advance(
        count, TLanes.Of(TimeOf(step)), TLanes.Of(size),
        _state.Span[..(registers * _stepper.Size)], _parameters.Span[..(registers * _stepper.Kernel.ParameterSize)]);

    private void Load(LaneSolve<T> solve, int begin, int part, int registers)
    {
        var size = _stepper.Kernel.ParameterSize;
        for (var i = 0; i < registers * Lanes; i++)
        {
            var sample = begin + Math.Min(i, part - 1);
            ReadOnlySpan<T> parameters = solve.ParametersBySample.IsEmpty
                ? solve.Parameters
                : solve.ParametersBySample.Span.Slice(sample * size, size);
            LaneNumbers<TLanes, T>.Scatter(solve.Initial.Span.Slice(sample * solve.Size, solve.Size), Own(_state, i), i % Lanes);
            LaneNumbers<TLanes, T>.Scatter(parameters, Own(_parameters, i), i % Lanes);
        }
    }

    private void End(LaneSolve<T> solve, int begin, int part, Action<int, int> unfinished)
    {
        for (var i = 0; i < part; i++)
        {
            var sample = begin + i;
            var last = solve.LastState.Span.Slice(sample * solve.Size, solve.Size);
            LaneNumbers<TLanes, T>.Gather(Own(_state, i), i % Lanes, last);
            (solve.Status[sample], solve.LastTime[sample]) = (SolveStatus.Success, _problem.Span.End);
            (solve.Accepted[sample], solve.Rejected[sample]) = ((long)_rules.FixedSteps, 0);
            foreach (var number in last)
            {
                if (T.IsFinite(number)) continue;
                unfinished(sample, 1);
                break;
            }
        }
    }

    private double TimeOf(int step) => step == 0 ? _problem.Span.Start : _rules.FixedTarget(new(step))[0];

    /// <summary>The step that a time lies in: how many are before it, and where in it the time is.</summary>
    private (int Step, double Theta) PlaceOf(double time)
    {
        if (time == _problem.Span.End) return ((int)_rules.FixedSteps, 0);
        var nearest = (int)Math.Round(Math.Abs(time - _problem.Span.Start) / _problem.Method.Dt!.Value);
        var step = (TimeOf(nearest) - time) * _problem.Span.Direction > 0 ? nearest - 1 : nearest;
        return (step, (time - TimeOf(step)) / (TimeOf(step + 1) - TimeOf(step)));
    }

    /// <summary>The registers of the i-th sample.</summary>
    private static Span<TLanes> Own(RegisterBuffer<TLanes> buffer, int i)
    {
        var size = buffer.Length / Registers;
        return buffer.Span.Slice(i / Lanes * size, size);
    }
}
