using DiffEqLang.Tableaux;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>The coefficients of an exponential method for steps of one size, in the state's type. Owns its tensors.</summary>
internal sealed class StepMatrices : IDisposable
{
    private readonly LinearPart _linear;

    /// <param name="method">The method.</param>
    /// <param name="linear">The linear part.</param>
    /// <param name="step">h.</param>
    /// <param name="dtype">Of the state.</param>
    public StepMatrices(ExponentialMethod method, LinearPart linear, double step, ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        (_linear, Step) = (linear, step);
        var functions = method.Orders.ToDictionary(
            pair => pair.Key, pair => PhiFunctions.Of(LinearCombination.Accumulate(null, pair.Key * step, linear.Matrix), pair.Value));
        Tensor Own(Tensor matrix) => matrix.to(dtype).clone().DetachFromDisposeScope();
        Tensor? Sum(PhiTerm[] terms)
        {
            Tensor? sum = null;
            foreach (var term in terms) sum = LinearCombination.Accumulate(sum, step * term.Weight, functions[term.Scale][term.Order]);
            return sum is null ? null : Own(sum);
        }

        Exponentials = [.. method.Nodes.Append(1).Select(c => c == 0 ? null : Own(functions[c][0]))];
        Weights = [.. method.A.Append(method.B).Select(row => row.Select(Sum).ToArray())];
    }

    /// <summary>h.</summary>
    public double Step { get; }

    /// <summary>e^(cᵢ z) of every stage, null where cᵢ = 0, and behind them e^z: [blocks, n, n] each.</summary>
    public IReadOnlyList<Tensor?> Exponentials { get; }

    /// <summary>h aᵢⱼ(z) of every stage, null where it is zero, and behind them h bⱼ(z).</summary>
    public IReadOnlyList<IReadOnlyList<Tensor?>> Weights { get; }

    /// <summary>Uᵢ, or y₁ behind the last of them: [samples, N].</summary>
    /// <param name="stage">i.</param>
    /// <param name="state">y.</param>
    /// <param name="slopes">f at the stages before.</param>
    public Tensor State(int stage, Tensor state, IReadOnlyList<Tensor> slopes)
    {
        var sum = Exponentials[stage] is { } exponential ? _linear.Times(exponential, state) : state.clone();
        for (var j = 0; j < Weights[stage].Count; j++)
            if (Weights[stage][j] is { } weight)
                sum.add_(_linear.Times(weight, slopes[j]), Scalars.One);
        return sum;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var exponential in Exponentials) exponential?.Dispose();
        foreach (var weight in Weights.SelectMany(row => row)) weight?.Dispose();
    }
}
