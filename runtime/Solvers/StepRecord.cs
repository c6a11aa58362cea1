using DiffEqLang.Tableaux;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>One accepted step, as the adjoint needs it. Owns its tensors, which are in no dispose scope.</summary>
/// <param name="Geometry">Where it lay; step zero for lanes that did not move.</param>
/// <param name="State">The state before it, [samples, N].</param>
/// <param name="StageStates">
/// The states that its stages were evaluated at, where they are kept; else they are computed again from the state. The end
/// stage's is missing: it is the next step's state.
/// </param>
/// <param name="Terms">
/// The terms of the right-hand side at those states, where they are kept; else the vector-Jacobian product computes them again.
/// The end stage's are the next step's first.
/// </param>
/// <param name="Rows">The saved times inside it.</param>
/// <param name="SavedAtEnd">The saved time that is its end, where every step is saved; else -1.</param>
/// <param name="Events">The events that cut it; null where there are none.</param>
/// <param name="StartsAnew">Whether its first slope is not the end slope of the step before.</param>
internal sealed record StepRecord(
    StepGeometry Geometry, Tensor State, Tensor?[]? StageStates, Tensor[]?[]? Terms, SaveRows? Rows, int SavedAtEnd, EventRecord? Events,
    bool StartsAnew)
    : IDisposable
{
    /// <summary>The method that took it, where that changes; else null.</summary>
    public RungeKuttaTableau? Tableau { get; init; }

    /// <summary>The formulas of a multistep method, lane by lane; null of other methods.</summary>
    public LaneFormula[]? Formulas { get; init; }

    /// <summary>The step of some lanes only, in tensors of its own; terms are left out.</summary>
    /// <param name="lanes">The lanes, each of one sample.</param>
    /// <param name="index">The same as a tensor.</param>
    public StepRecord Select(int[] lanes, Tensor index) => new(
        Geometry.Select(lanes),
        Own(State.index_select(0, index)),
        StageStates?.Select(state => state is null ? null : Own(state.index_select(0, index))).ToArray(),
        null,
        Rows?.Select(lanes),
        SavedAtEnd,
        Own(Events?.Select(lanes)),
        StartsAnew)
    {
        Tableau = Tableau,
        Formulas = Formulas is null ? null : [.. lanes.Select(lane => Formulas[lane])],
    };

    /// <summary>The events' tensors, beyond the present dispose scope.</summary>
    public static EventRecord? Own(EventRecord? events)
    {
        foreach (var tensor in events?.Tensors ?? []) tensor.DetachFromDisposeScope();
        return events;
    }

    private static Tensor Own(Tensor tensor) => tensor.DetachFromDisposeScope();

    /// <inheritdoc/>
    public void Dispose()
    {
        State.Dispose();
        foreach (var stage in StageStates ?? []) stage?.Dispose();
        foreach (var term in Terms?.SelectMany(ofStage => ofStage ?? []) ?? []) term.Dispose();
        foreach (var tensor in Events?.Tensors ?? []) tensor.Dispose();
    }
}
