namespace DiffEqLang.Runtime;

/// <summary>How the solve of one sample ended.</summary>
public enum SolveStatus
{
    /// <summary>It reached the end.</summary>
    Success,

    /// <summary>An event stopped it.</summary>
    Stopped,

    /// <summary>It took as many steps as allowed.</summary>
    MaxSteps,

    /// <summary>Its events follow each other ever faster, as the bounces of a ball do before it lies still: time does not get past them.</summary>
    EndlessEvents,

    /// <summary>The step that the tolerance asks for is lost in rounding.</summary>
    StepTooSmall,

    /// <summary>The equations gave NaN or infinity, at the smallest step too.</summary>
    NonFinite,

    /// <summary>Newton's iteration of an implicit method did not converge.</summary>
    NewtonDiverged,

    /// <summary>No values of the algebraic unknowns were found that fulfil the constraints, at the start or after an event.</summary>
    ConstraintsUnsolved,

    /// <summary>The caller cancelled it.</summary>
    Cancelled,
}

/// <summary>What a solve cost.</summary>
/// <param name="Accepted">Accepted steps, by sample.</param>
/// <param name="Rejected">Rejected steps, by sample.</param>
/// <param name="Evaluations">Evaluations of the right-hand side (for the whole batch at once).</param>
public sealed record Statistics(IReadOnlyList<long> Accepted, IReadOnlyList<long> Rejected, long Evaluations)
{
    /// <summary>Evaluations of the Jacobian by implicit methods (for the whole batch at once).</summary>
    public long Jacobians { get; init; }

    /// <summary>Factorizations of matrices by implicit methods (for the whole batch at once).</summary>
    public long Factorizations { get; init; }
}
