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
    private readonly int[] _stepOfTime;    // by saved time: after how many steps it is reached

    private FixedStepIntegrator(LaneStepper<TRegister, TLanes> stepper, RungeKuttaProblem problem, int[] stepOfTime)
    {
        (_stepper, _problem, _rules, _stepOfTime) = (stepper, problem, new StepRules(problem), stepOfTime);
        (_state, _parameters) = (new(Registers * stepper.Size), new(Registers * stepper.Kernel.ParameterSize));
    }

    private static int Lanes => LaneNumbers<TLanes, T>.Count;

    /// <summary>
    /// What solves this way; null where it does not apply: the kernel has no such steps, or a saved time lies inside a step.
    /// </summary>
    public static FixedStepIntegrator<TRegister, TLanes, T>? For(LaneStepper<TRegister, TLanes> stepper, RungeKuttaProblem problem, double[] times)
    {
        if (problem.IsAdaptive || stepper.Kernel.FusedAdvance != problem.Tableau.Name) return null;
        var rules = new StepRules(problem);
        if (rules.FixedSteps > problem.Options.MaxSteps) return null;
        var steps = new int[times.Length];
        for (var i = 0; i < times.Length; i++)
        {
            steps[i] = times[i] == problem.Span.End
                ? (int)rules.FixedSteps
                : (int)Math.Round(Math.Abs(times[i] - problem.Span.Start) / problem.Method.Dt!.Value);
            if (TimeOf(rules, problem, steps[i]) != times[i]) return null;
        }

        return new(stepper, problem, steps);
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
            if (!AdvanceTo(_stepOfTime[time], registers, ref step)) return false;
            for (var i = 0; i < part; i++) Gather(i, solve.Values.Span.Slice(solve.Place(time, begin + i), solve.Size));
        }

        return AdvanceTo((int)_rules.FixedSteps, registers, ref step);
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
        Steps(1, step, _problem.Span.End - TimeOf(_rules, _problem, step), registers);    // the last step, which may be shorter
        step++;
        return true;
    }

    private void Steps(int count, int step, double size, int registers) => _stepper.Advance(
        count, TLanes.Of(TimeOf(_rules, _problem, step)), TLanes.Of(size),
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
            Gather(i, last);
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

    private static double TimeOf(StepRules rules, RungeKuttaProblem problem, int step) =>
        step == 0 ? problem.Span.Start : rules.FixedTarget(new(step))[0];

    private void Gather(int i, Span<T> numbers) => LaneNumbers<TLanes, T>.Gather(Own(_state, i), i % Lanes, numbers);

    /// <summary>The registers of the i-th sample.</summary>
    private static Span<TLanes> Own(RegisterBuffer<TLanes> buffer, int i)
    {
        var size = buffer.Length / Registers;
        return buffer.Span.Slice(i / Lanes * size, size);
    }
}
