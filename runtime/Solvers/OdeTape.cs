using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>The accepted steps of a solve with their states, all of them.</summary>
/// <param name="lanes">How many lanes step on their own.</param>
/// <param name="stageBudget">Up to how many bytes of stage states and terms are kept.</param>
internal sealed class OdeTape(int lanes, long stageBudget = OdeTape.DefaultStageBudget) : StepTape(lanes)
{
    /// <summary>
    /// Stage states and the terms of the right-hand side there are kept up to this many bytes, beyond which they are computed again
    /// in the backward pass: at the cost of one evaluation of the right-hand side a stage.
    /// </summary>
    public const long DefaultStageBudget = 256L << 20;

    private readonly List<StepRecord> _steps = [];
    private long _stageBytes;

    /// <inheritdoc/>
    public override int Count => _steps.Count;

    /// <inheritdoc/>
    public override bool TakesStates => true;

    /// <inheritdoc/>
    public override bool WantsTerms => true;

    /// <inheritdoc/>
    public override StepRecord Step(int index) => _steps[index];

    /// <inheritdoc/>
    public override void Add(AcceptedStep step)
    {
        var (attempt, states, terms) = (step.Attempt, step.Attempt.InnerStates, step.Attempt.InnerTerms);
        // What follows from past values can only be computed on the way forward.
        var keepsStates = attempt.Formulas is not null
            ? Keep(states.AsSpan(1), long.MaxValue)
            : step.IsSound && Keep(states.AsSpan(1), stageBudget);
        var keepsTerms = keepsStates && Keep([.. terms.SelectMany(ofStage => ofStage ?? [])], stageBudget);
        if (!keepsTerms)
            foreach (var term in terms.FirstOrDefault() ?? []) term.Dispose();
        _steps.Add(new StepRecord(
            step.Geometry.OfMoved(step.Moves), attempt.State, keepsStates ? states : null, keepsTerms ? terms : null,
            step.Rows, step.SavedAtEnd, StepRecord.Own(step.Events), step.StartsAnew)
        {
            Tableau = (attempt as RungeKuttaStep)?.Tableau,
            Formulas = attempt.Formulas,
        });
    }

    /// <summary>That of some lanes; with their past, whose steps are looked up in any order, all of it at once.</summary>
    public override StepTape Of(int[] survivors)
    {
        if (Past is null) return base.Of(survivors);
        var part = new OdeTape(survivors.Length) { Past = Past.Select(survivors) };
        using var index = tensor([.. survivors.Select(lane => (long)lane)], ScalarType.Int64, Final!.device);
        part._steps.AddRange(_steps.Select(step => step.Select(survivors, index)));
        part.Close(EndOf(survivors, index));
        return part;
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

    /// <inheritdoc/>
    public override void Dispose()
    {
        foreach (var step in _steps) step.Dispose();
        _steps.Clear();
        base.Dispose();
    }
}
