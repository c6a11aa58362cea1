using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>One accepted step, as the adjoint needs it.</summary>
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
{
    /// <summary>The formulas of a multistep method, lane by lane; null of other methods.</summary>
    public LaneFormula[]? Formulas { get; init; }
}

/// <summary>The accepted steps of a solve, in order. Owns its tensors.</summary>
/// <param name="lanes">How many lanes step on their own.</param>
/// <param name="stageBudget">Up to how many bytes of stage states and terms are kept.</param>
internal sealed class OdeTape(int lanes, long stageBudget = OdeTape.DefaultStageBudget) : IDisposable
{
    /// <summary>
    /// Stage states and the terms of the right-hand side there are kept up to this many bytes, beyond which they are computed again
    /// in the backward pass: at the cost of one evaluation of the right-hand side a stage.
    /// </summary>
    public const long DefaultStageBudget = 256L << 20;

    private readonly List<StepRecord> _steps = [];
    private long _stageBytes;

    /// <summary>How many lanes step on their own.</summary>
    public int Lanes => lanes;

    /// <summary>What delayed states are read from, by the same numbers of steps; null where there are none.</summary>
    public Past? Past { get; init; }

    /// <summary>The steps.</summary>
    public IReadOnlyList<StepRecord> Steps => _steps;

    /// <summary>The state after the last step, [samples, N].</summary>
    public Tensor? Final { get; private set; }

    /// <summary>The saved times, [times, lanes], for which a stopped lane holds its final state; null where there are none.</summary>
    public bool[]? Held { get; private set; }

    /// <summary>The terms of the right-hand side there, where it was evaluated.</summary>
    public Tensor[]? FinalTerms { get; private set; }

    /// <summary>Takes a step over, the state before it and its terms included: the caller must not dispose them.</summary>
    /// <param name="geometry">The step, zero for lanes that did not move.</param>
    /// <param name="step">The attempt that was judged.</param>
    /// <param name="mayKeep">Whether its inner states are sound for every lane.</param>
    /// <param name="rows">The saved times inside it.</param>
    /// <param name="savedAtEnd">The saved time that is its end, or -1.</param>
    /// <param name="events">The events that cut it.</param>
    /// <param name="startsAnew">Whether its first slope is not the end slope of the step before.</param>
    public void Add(
        StepGeometry geometry, StepAttempt step, bool mayKeep, SaveRows? rows, int savedAtEnd, EventRecord? events, bool startsAnew)
    {
        Own(events);
        var (states, terms) = (step.InnerStates, step.InnerTerms);
        // What follows from past values can only be computed on the way forward.
        var keepsStates = step.Formulas is not null ? Keep(states.AsSpan(1), long.MaxValue) : mayKeep && Keep(states.AsSpan(1), stageBudget);
        var keepsTerms = keepsStates && Keep([.. terms.SelectMany(ofStage => ofStage ?? [])], stageBudget);
        if (!keepsTerms) Drop(terms.FirstOrDefault());
        _steps.Add(new StepRecord(
            geometry, step.State, keepsStates ? states : null, keepsTerms ? terms : null, rows, savedAtEnd, events, startsAnew)
        {
            Formulas = step.Formulas,
        });
    }

    /// <summary>Closes the tape with the state after the last step and its terms.</summary>
    /// <param name="final">The state.</param>
    /// <param name="terms">The terms.</param>
    /// <param name="held">See <see cref="Held"/>.</param>
    public void Close(Tensor final, Tensor[]? terms, bool[]? held) => (Final, FinalTerms, Held) = (final, terms, held);

    /// <summary>The tape of some lanes only, in tensors of its own.</summary>
    public OdeTape Select(int[] survivors)
    {
        var part = new OdeTape(survivors.Length) { Past = Past?.Select(survivors) };
        using var index = tensor([.. survivors.Select(lane => (long)lane)], ScalarType.Int64, Final!.device);
        foreach (var step in _steps)
            part._steps.Add(new StepRecord(
                step.Geometry.Select(survivors),
                Own(step.State.index_select(0, index)),
                step.StageStates?.Select(state => state is null ? null : Own(state.index_select(0, index))).ToArray(),
                null,
                step.Rows?.Select(survivors),
                step.SavedAtEnd,
                Own(step.Events?.Select(survivors)),
                step.StartsAnew)
            {
                Formulas = step.Formulas is null ? null : [.. survivors.Select(lane => step.Formulas[lane])],
            });
        bool[]? held = Held is null ? null : [.. Held.Chunk(lanes).SelectMany(time => survivors.Select(lane => time[lane]))];
        part.Close(Own(Final.index_select(0, index)), null, held);
        return part;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var step in _steps)
        {
            step.State.Dispose();
            foreach (var stage in step.StageStates ?? []) stage?.Dispose();
            foreach (var terms in step.Terms ?? []) Drop(terms);
            foreach (var tensor in step.Events?.Tensors ?? []) tensor.Dispose();
        }

        _steps.Clear();
        Past?.Dispose();
        Final?.Dispose();
        Drop(FinalTerms);
    }

    /// <summary>Keeps tensors beyond the step's dispose scope, where the budget allows.</summary>
    private bool Keep(ReadOnlySpan<Tensor?> tensors, long budget)
    {
        var bytes = 0L;
        foreach (var tensor in tensors) bytes += tensor is null ? 0 : tensor.numel() * tensor.element_size();
        if (_stageBytes + bytes > budget) return false;
        _stageBytes += bytes;
        foreach (var tensor in tensors) tensor?.DetachFromDisposeScope();
        return true;
    }

    private static void Drop(Tensor[]? terms)
    {
        foreach (var term in terms ?? []) term.Dispose();
    }

    private static EventRecord? Own(EventRecord? events)
    {
        foreach (var tensor in events?.Tensors ?? []) tensor.DetachFromDisposeScope();
        return events;
    }

    private static Tensor Own(Tensor tensor) => tensor.DetachFromDisposeScope();
}
