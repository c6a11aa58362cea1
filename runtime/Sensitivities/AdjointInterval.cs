using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// From one saved time back to the one before it: of all samples, or of each where they have their own. These are solved together along
/// s from 0 to 1, with t = from + s (to - from) of each sample and its derivatives multiplied by (to - from), so that they share their steps.
/// </summary>
/// <param name="from">Where it is gone back from: one time, or one for each sample.</param>
/// <param name="to">Where to, likewise.</param>
internal sealed class AdjointInterval(double[] from, double[] to) : IDisposable
{
    private (Tensor Start, Tensor Length)? _tensors;

    /// <summary>The interval that ends, as it is solved, before a saved time.</summary>
    /// <param name="span">Of the solve.</param>
    /// <param name="times">Its saved times, where all samples share them.</param>
    /// <param name="i">Which of them it is that the interval comes from.</param>
    public static AdjointInterval Before(SolveSpan span, double[] times, int i) => span.Lanes is { } lanes
        ? new([.. lanes.Select(lane => lane.Times![i])], [.. lanes.Select(lane => i > 0 ? lane.Times![i - 1] : lane.Start)])
        : new([times[i]], [i > 0 ? times[i - 1] : span.Start]);

    /// <summary>Where it is gone back from: one time, or one for each sample.</summary>
    public double[] From => from;

    /// <summary>Where to, likewise.</summary>
    public double[] To => to;

    /// <summary>Whether all samples have the same, whose s is the time itself.</summary>
    public bool IsShared { get; } = from.Length == 1;

    /// <summary>The length of the longest.</summary>
    public double Longest => from.Zip(to, (later, earlier) => Math.Abs(earlier - later)).Max();

    /// <summary>How much time one of s is, at most.</summary>
    public double Unit => IsShared ? 1 : Longest;

    /// <summary>What is solved over.</summary>
    public SolveSpan Span => IsShared ? new SolveSpan(from[0], to[0], [], null) : new SolveSpan(0, 1, [], null);

    /// <summary>The time of each sample at s: [], or [samples].</summary>
    public Tensor TimeAt(Tensor s)
    {
        if (IsShared) return s;
        var (start, length) = Tensors(s);
        return start.addcmul(length, s, Scalars.One);
    }

    /// <summary>What a derivative by time, [samples, N], is by s.</summary>
    public Tensor ByPlace(Tensor derivative) => IsShared ? derivative : derivative.mul(Tensors(derivative).Length.unsqueeze(1));

    private (Tensor Start, Tensor Length) Tensors(Tensor like) => _tensors ??= (
        HostVector.Like(from, like).DetachFromDisposeScope(),
        HostVector.Like([.. from.Zip(to, (later, earlier) => earlier - later)], like).DetachFromDisposeScope());

    /// <inheritdoc/>
    public void Dispose()
    {
        _tensors?.Start.Dispose();
        _tensors?.Length.Dispose();
    }
}
