namespace DiffEqLang.Runtime.Simd;

/// <summary>
/// Newton's iteration for the coupled stages of a step, as the pieces that <see cref="RadauLanes{TRegister, TLanes, T}"/> puts together, which alone
/// knows what has converged. All handle one or several registers of samples; what they hand to each other lies in a room that outlives a call.
/// </summary>
internal interface IStageIteration<TLanes>
    where TLanes : struct
{
    /// <summary>The room of each register: as <see cref="LaneKernel{TRegister}.StageRoomSize"/>.</summary>
    int RoomSize { get; }

    /// <summary>As <see cref="LaneKernel{TRegister}.BeginStages"/>.</summary>
    void Begin(
        ReadOnlySpan<TLanes> times, ReadOnlySpan<TLanes> steps, ReadOnlySpan<TLanes> lastSteps, ReadOnlySpan<TLanes> state,
        ReadOnlySpan<TLanes> parameters, TLanes rtol, TLanes atol, Span<TLanes> room);

    /// <summary>As <see cref="LaneKernel{TRegister}.IterateStages"/>.</summary>
    void Iterate(
        ReadOnlySpan<TLanes> times, ReadOnlySpan<TLanes> steps, ReadOnlySpan<TLanes> active, ReadOnlySpan<TLanes> state,
        ReadOnlySpan<TLanes> parameters, Span<TLanes> room, Span<TLanes> squaredChanges);

    /// <summary>As <see cref="LaneKernel{TRegister}.EndStages"/>.</summary>
    void End(
        ReadOnlySpan<TLanes> steps, ReadOnlySpan<TLanes> state, TLanes rtol, TLanes atol, ReadOnlySpan<TLanes> room, Span<TLanes> stages,
        Span<TLanes> after, Span<TLanes> squaredErrors);
}
