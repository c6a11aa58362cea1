using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>The accepted steps of a solve, in which the discrete adjoint goes back. Owns its tensors.</summary>
/// <param name="lanes">How many lanes step on their own.</param>
internal abstract class StepTape(int lanes) : IStepRecorder
{
    private StepRecord? _lent, _lentBefore;

    /// <summary>How many lanes step on their own.</summary>
    public int Lanes => lanes;

    /// <summary>How many steps there are.</summary>
    public abstract int Count { get; }

    /// <inheritdoc/>
    public virtual bool TakesStates => false;

    /// <inheritdoc/>
    public virtual bool WantsTerms => false;

    /// <summary>What delayed states are read from, by the same numbers of steps, whose owner the tape is; null where there are none.</summary>
    public Past? Past { get; set; }

    /// <summary>The state after the last step, [samples, N].</summary>
    public Tensor? Final { get; private set; }

    /// <summary>The saved times, [times, lanes], for which a stopped lane holds its final state; null where there are none.</summary>
    public bool[]? Held { get; private set; }

    /// <summary>The terms of the right-hand side at the final state, where they are kept.</summary>
    public Tensor[]? FinalTerms { get; private set; }

    /// <inheritdoc/>
    public abstract void Add(AcceptedStep step);

    /// <summary>
    /// A step, by its number: asked for from the last to the first. What is handed out lives until the step before the one before it
    /// is asked for.
    /// </summary>
    public abstract StepRecord Step(int index);

    /// <inheritdoc/>
    public void Close(SolveEnd end) => (Final, FinalTerms, Held) = (end.State, end.Terms, end.Held);

    /// <summary>The tape of some lanes only, each of one sample.</summary>
    public virtual StepTape Of(int[] survivors) => new SurvivingLanes(this, survivors);

    /// <summary>Where some lanes end.</summary>
    internal SolveEnd EndOf(int[] survivors, Tensor index)
    {
        bool[]? held = Held is null ? null : [.. Held.Chunk(Lanes).SelectMany(time => survivors.Select(lane => time[lane]))];
        return new SolveEnd(Final!.index_select(0, index).DetachFromDisposeScope(), null, held, []);
    }

    /// <summary>Hands out a record that was made for the caller, and releases the one before the last.</summary>
    private protected StepRecord Lend(StepRecord record)
    {
        _lentBefore?.Dispose();
        (_lentBefore, _lent) = (_lent, record);
        return record;
    }

    /// <inheritdoc/>
    public virtual void Dispose()
    {
        _lentBefore?.Dispose();
        _lent?.Dispose();
        Past?.Dispose();
        Final?.Dispose();
        foreach (var term in FinalTerms ?? []) term.Dispose();
    }
}
