using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// Where one step of all lanes lies in time. A lane is what keeps its own time: a sample, or the whole batch where its samples
/// are coupled. Where all lanes step alike, time is one number and the step a factor of the coefficients; otherwise there is a
/// time and a step per sample, and a lane that rests has step zero, which makes the step its identity.
/// </summary>
internal sealed class StepGeometry
{
    private readonly IReadOnlyList<double> _nodes;
    private readonly ScalarType _dtype;
    private readonly Device _device;
    private Tensor? _stageTimes;    // [stages] or [stages, lanes]
    private Tensor? _steps;         // [lanes, 1]

    public StepGeometry(
        IReadOnlyList<double> nodes, double[] times, double[] steps, ScalarType dtype, Device device, StepBreaks? breaks = null)
    {
        (_nodes, Times, Steps, _dtype, _device, Breaks) = (nodes, times, steps, dtype, device, breaks);
        IsUniform = !times.AsSpan().ContainsAnyExcept(times[0]) && !steps.AsSpan().ContainsAnyExcept(steps[0]);
    }

    /// <summary>The time of each lane before the step.</summary>
    public double[] Times { get; }

    /// <summary>The signed step of each lane.</summary>
    public double[] Steps { get; }

    /// <summary>The steps that begin or end where the equations may break; null where none does.</summary>
    public StepBreaks? Breaks { get; }

    /// <summary>Whether all lanes step alike.</summary>
    public bool IsUniform { get; }

    /// <summary>The step, where it is a factor of the coefficients; else 1, the slopes being multiplied by it.</summary>
    public double Scale => IsUniform ? Steps[0] : 1;

    /// <summary>The time of a stage: [] or [lanes]. Rounded to the state's type only here.</summary>
    public Tensor TimeOf(int stage)
    {
        _stageTimes ??= StageTimes();
        return _stageTimes.select(0, stage);
    }

    /// <summary>h k, where the step differs between lanes; k itself where it is a factor of the coefficients.</summary>
    public Tensor Scaled(Tensor slope) => IsUniform ? slope : slope.mul(StepOfLanes());

    /// <summary>The same in place, for a tensor that nothing else holds.</summary>
    public Tensor ScaledInPlace(Tensor own) => IsUniform ? own : own.mul_(StepOfLanes());

    /// <summary>h v, whichever way the lanes step.</summary>
    public Tensor TimesStep(Tensor vector)
    {
        if (!IsUniform) return vector.mul(StepOfLanes());
        using Scalar step = Steps[0];
        return vector.mul(step);
    }

    /// <summary>The opposite of <see cref="Scaled"/>; in a lane that rests, whose slopes are zero times what they were, <paramref name="ofResting"/>.</summary>
    public Tensor Unscaled(Tensor scaled, Tensor ofResting)
    {
        if (IsUniform) return scaled;
        var step = StepOfLanes();
        return where(step.eq(Scalars.Of(0)), ofResting, scaled.div(step));
    }

    /// <summary>The step of some lanes only.</summary>
    public StepGeometry Select(int[] lanes) =>
        new(_nodes, [.. lanes.Select(i => Times[i])], [.. lanes.Select(i => Steps[i])], _dtype, _device, Breaks?.Select(lanes));

    /// <summary>The same step without the lanes that did not move, on tensors of its own.</summary>
    public StepGeometry OfMoved(bool[] moves) =>
        new(_nodes, Times, moves.Contains(false) ? [.. Steps.Select((step, i) => moves[i] ? step : 0)] : Steps, _dtype, _device, Breaks);

    /// <summary>The same step with tensors yet to be made, in the dispose scope of their first use.</summary>
    public StepGeometry Anew() => new(_nodes, Times, Steps, _dtype, _device, Breaks);

    private Tensor StepOfLanes() => _steps ??= HostVector.ToDevice(Steps, [Steps.Length, 1], _dtype, _device);

    private Tensor StageTimes()
    {
        var (stages, lanes) = (_nodes.Count, IsUniform ? 1 : Times.Length);
        var times = new double[stages * lanes];
        for (var stage = 0; stage < stages; stage++)
            for (var lane = 0; lane < lanes; lane++)
                times[stage * lanes + lane] = StageTime(stage, lane);
        return HostVector.ToDevice(times, IsUniform ? [stages] : [stages, lanes], _dtype, _device);
    }

    private double StageTime(int stage, int lane)
    {
        var (node, time) = (_nodes[stage], Times[lane] + _nodes[stage] * Steps[lane]);
        return Breaks?.Inside(lane, node, time, _dtype) ?? time;
    }
}
