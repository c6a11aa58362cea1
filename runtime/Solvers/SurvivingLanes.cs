using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>The tape of some lanes only, in tensors of its own.</summary>
internal sealed class SurvivingLanes : StepTape
{
    private readonly StepTape _whole;
    private readonly int[] _lanes;
    private readonly Tensor _index;

    /// <param name="whole">The tape of all lanes, which stays the caller's.</param>
    /// <param name="lanes">Which ones, each of one sample.</param>
    public SurvivingLanes(StepTape whole, int[] lanes)
        : base(lanes.Length)
    {
        (_whole, _lanes) = (whole, lanes);
        _index = tensor([.. lanes.Select(lane => (long)lane)], ScalarType.Int64, whole.Final!.device).DetachFromDisposeScope();
        Close(whole.EndOf(lanes, _index));
    }

    /// <inheritdoc/>
    public override int Count => _whole.Count;

    /// <inheritdoc/>
    public override void Add(AcceptedStep step) => throw new InvalidOperationException("Lanes are selected when all steps have been taken.");

    /// <inheritdoc/>
    public override StepRecord Step(int index) => Lend(_whole.Step(index).Select(_lanes, _index));

    /// <inheritdoc/>
    public override void Dispose()
    {
        _index.Dispose();
        base.Dispose();
    }
}
