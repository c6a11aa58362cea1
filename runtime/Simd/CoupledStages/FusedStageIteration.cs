namespace DiffEqLang.Runtime.Simd;

/// <summary>The iteration that a kernel has as straight-line code.</summary>
/// <param name="stepper">The equations.</param>
internal sealed class FusedStageIteration<TRegister, TLanes>(LaneStepper<TRegister, TLanes> stepper) : KernelCaller<TRegister, TLanes>, IStageIteration<TLanes>
    where TRegister : struct
    where TLanes : struct, ILanes<TLanes>
{
    /// <inheritdoc/>
    public int RoomSize => stepper.Kernel.StageRoomSize;

    /// <inheritdoc/>
    public void Begin(
        ReadOnlySpan<TLanes> times, ReadOnlySpan<TLanes> steps, ReadOnlySpan<TLanes> lastSteps, ReadOnlySpan<TLanes> state,
        ReadOnlySpan<TLanes> parameters, TLanes rtol, TLanes atol, Span<TLanes> room) => stepper.Kernel.BeginStages(
        Bare(times), Bare(steps), Bare(lastSteps), Bare(state), Bare(parameters), Bare(rtol), Bare(atol), Bare(room));

    /// <inheritdoc/>
    public void Iterate(
        ReadOnlySpan<TLanes> times, ReadOnlySpan<TLanes> steps, ReadOnlySpan<TLanes> active, ReadOnlySpan<TLanes> state,
        ReadOnlySpan<TLanes> parameters, Span<TLanes> room, Span<TLanes> squaredChanges) => stepper.Kernel.IterateStages(
        Bare(times), Bare(steps), Bare(active), Bare(state), Bare(parameters), Bare(room), Bare(squaredChanges));

    /// <inheritdoc/>
    public void End(
        ReadOnlySpan<TLanes> steps, ReadOnlySpan<TLanes> state, TLanes rtol, TLanes atol, ReadOnlySpan<TLanes> room, Span<TLanes> stages,
        Span<TLanes> after, Span<TLanes> squaredErrors) => stepper.Kernel.EndStages(
        Bare(steps), Bare(state), Bare(rtol), Bare(atol), Bare(room), Bare(stages), Bare(after), Bare(squaredErrors));
}
