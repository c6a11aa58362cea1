using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>An accepted attempt at a step, as it is handed to a recorder.</summary>
/// <param name="Attempt">The attempt, in all lanes.</param>
/// <param name="Moves">The lanes that were accepted.</param>
/// <param name="IsSound">Whether it is finite in every lane.</param>
/// <param name="HasEndSlope">Whether the right-hand side was evaluated at its end.</param>
/// <param name="Rows">The saved times inside it.</param>
/// <param name="SavedAtEnd">The saved time that is its end, where every step is saved; else -1.</param>
/// <param name="Events">The events that cut it; null where there are none.</param>
/// <param name="StartsAnew">Whether its first slope is not the end slope of the step before.</param>
internal readonly record struct AcceptedStep(
    StepAttempt Attempt, bool[] Moves, bool IsSound, bool HasEndSlope, SaveRows? Rows, int SavedAtEnd, EventRecord? Events, bool StartsAnew)
{
    /// <summary>Where it lay, for all lanes that attempted it.</summary>
    public StepGeometry Geometry => Attempt.Geometry;

    /// <summary>Its stages: of a Runge-Kutta method alone.</summary>
    public Stages Stages => ((RungeKuttaStep)Attempt).Stages;
}

/// <summary>Where an integration ended.</summary>
/// <param name="State">The last states, [samples, N], which the recorder takes over.</param>
/// <param name="Terms">The terms of the right-hand side there, where they are kept, likewise.</param>
/// <param name="Held">The saved times, [times, lanes], for which a stopped lane holds its final state; null where there are none.</param>
/// <param name="Status">How each lane ended.</param>
internal readonly record struct SolveEnd(Tensor State, Tensor[]? Terms, bool[]? Held, IReadOnlyList<SolveStatus?> Status);

/// <summary>Follows a solve for the sake of its gradient, step by step.</summary>
internal interface IStepRecorder : IDisposable
{
    /// <summary>Whether the states that it is given are its own from then on; where not, the caller disposes them.</summary>
    bool TakesStates { get; }

    /// <summary>Whether stages are to keep the terms that vector-Jacobian products need again.</summary>
    bool WantsTerms { get; }

    /// <summary>Takes the next step, in the dispose scope of its attempt.</summary>
    void Add(AcceptedStep step);

    /// <summary>Takes the end.</summary>
    void Close(SolveEnd end);
}
