using DiffEqLang.Runtime.Noise;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime.Solvers.Stochastic;

/// <summary>
/// A method applied to equations along Brownian paths on a grid: everything that takes a state from one time of the grid to
/// the next, forwards now or again for a gradient. Steps come in the chunks that the increments are drawn in.
/// </summary>
/// <param name="Equations">In the method's own calculus.</param>
/// <param name="Method">The scheme.</param>
/// <param name="Grid">The steps.</param>
/// <param name="Increments">What drives them.</param>
internal sealed record StochasticScheme(
    SdeEquations Equations, StochasticMethod Method, StepGrid Grid, BrownianIncrements Increments)
{
    private readonly Scalar _wholeStep = Grid.Step;

    /// <summary>The steps of one chunk; to be disposed of.</summary>
    public StochasticChunk Chunk(int chunk, Tensor like)
    {
        var (first, end) = (Increments.FirstStep(chunk), Increments.FirstStep(chunk + 1));
        using var scope = NewDisposeScope();
        var increments = Increments.Chunk(chunk).unbind(0);
        var times = tensor(Grid.Times.AsSpan(first, end - first + 1).ToArray(), ScalarType.Float64)
            .to(like.dtype).to(like.device).unbind(0);
        var lengths = new Scalar[end - first];
        for (var i = 0; i < lengths.Length; i++)
            lengths[i] = Grid.IsWhole(first + i) ? _wholeStep : Grid.Length(first + i);
        foreach (var piece in increments) piece.DetachFromDisposeScope();
        foreach (var piece in times) piece.DetachFromDisposeScope();
        return new StochasticChunk(first, times, lengths, increments);
    }
}

/// <summary>Consecutive steps with their times and increments on the device.</summary>
internal sealed class StochasticChunk(int first, Tensor[] times, Scalar[] lengths, Tensor[] increments) : IDisposable
{
    /// <summary>The number of the first step.</summary>
    public int First => first;

    /// <summary>The number of the step after the last.</summary>
    public int End => first + increments.Length;

    /// <summary>A step by its number in the grid.</summary>
    public StochasticStep this[int step] =>
        new(times[step - first], times[step - first + 1], lengths[step - first], increments[step - first]);

    public void Dispose()
    {
        foreach (var time in times) time.Dispose();
        foreach (var increment in increments) increment.Dispose();
    }
}
