using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>The accepted steps of a solve with their states, all of them.</summary>
/// <param name="lanes">How many lanes step on their own.</param>
/// <param name="endStage">The number of the stage at a step's end, whose state is not kept: it is the next step's first.</param>
/// <param name="stageBudget">Up to how many bytes of stage states and terms are kept.</param>
internal sealed class OdeTape(int lanes, int endStage, long stageBudget = OdeTape.DefaultStageBudget) : StepTape(lanes)
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
        var stages = step.Stages;
        Tensor?[] states = [.. stages.States.Select((stage, i) => i == endStage ? null : stage)];
        Tensor[]?[] terms = [.. stages.Terms.Select((ofStage, i) => i == endStage ? null : ofStage)];
        var keepsStates = step.IsSound && Keep(states.AsSpan(1));
        var keepsTerms = keepsStates && Keep([.. terms.SelectMany(ofStage => ofStage ?? [])]);
        if (!keepsTerms)
            foreach (var term in terms[0] ?? []) term.Dispose();
        _steps.Add(new StepRecord(
            step.Geometry.OfMoved(step.Moves), stages.States[0], keepsStates ? states : null, keepsTerms ? terms : null,
            step.Rows, step.SavedAtEnd, StepRecord.Own(step.Events)));
    }

    /// <summary>Keeps tensors beyond the step's dispose scope, where the budget allows.</summary>
    private bool Keep(ReadOnlySpan<Tensor?> tensors)
    {
        var bytes = 0L;
        foreach (var tensor in tensors) bytes += tensor is null ? 0 : tensor.numel() * tensor.element_size();
        if (_stageBytes + bytes > stageBudget) return false;
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
