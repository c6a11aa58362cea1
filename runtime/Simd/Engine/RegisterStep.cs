namespace DiffEqLang.Runtime.Simd;

/// <summary>The attempted step of one register, as events look at it.</summary>
/// <typeparam name="TLanes">The register.</typeparam>
internal readonly ref struct RegisterStep<TLanes>
    where TLanes : struct
{
    /// <summary>The time of each lane before it.</summary>
    public required TLanes Time { get; init; }

    /// <summary>The signed size of each lane's.</summary>
    public required TLanes Size { get; init; }

    /// <summary>1 for the lanes that it moves, 0 for the others.</summary>
    public required TLanes Moved { get; init; }

    /// <summary>The states before it, length N.</summary>
    public required ReadOnlySpan<TLanes> State { get; init; }

    /// <summary>The states after it, length N.</summary>
    public required ReadOnlySpan<TLanes> After { get; init; }

    /// <summary>Those of the kernel.</summary>
    public required ReadOnlySpan<TLanes> Parameters { get; init; }

    /// <summary>All stages, N each; those that only the dense output needs are room to evaluate them.</summary>
    public required Span<TLanes> Stages { get; init; }
}
