using System.Reflection;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime.Solvers.Stochastic;

/// <summary>
/// A one-step method for stochastic differential equations with fixed steps. A sealed class derived from this is found
/// by its <see cref="Name"/>; nothing else needs to know of it.
/// </summary>
internal abstract class StochasticMethod
{
    private static readonly Lazy<IReadOnlyList<StochasticMethod>> Found = new(() =>
        [.. typeof(StochasticMethod).Assembly.GetTypes()
            .Where(type => type.IsSubclassOf(typeof(StochasticMethod)) && !type.IsAbstract)
            .Select(type => (StochasticMethod)Activator.CreateInstance(type, nonPublic: true)!)
            .OrderBy(method => method.Name, StringComparer.Ordinal)]);

    /// <summary>Every method, by name.</summary>
    public static IReadOnlyList<StochasticMethod> All => Found.Value;

    /// <summary>As written in <c>method = ...</c>.</summary>
    public abstract string Name { get; }

    /// <summary>The sense in which it reads drift and noise; equations in the other sense are converted.</summary>
    public abstract Calculus Calculus { get; }

    /// <summary>Whether it converges for noise of a structure.</summary>
    public abstract bool Takes(NoiseStructure noise);

    /// <summary>The order of its pathwise error in h.</summary>
    public abstract double StrongOrder(NoiseStructure noise);

    /// <summary>The state after a step: [B, N] -> [B, N], a new tensor.</summary>
    public abstract Tensor Advance(SdeEquations equations, in StochasticStep step, Tensor state);

    /// <summary>
    /// wᵀ ∂(state after)/∂(state before): [B, N], a new tensor; adds wᵀ ∂(state after)/∂θ to <paramref name="into"/>.
    /// </summary>
    public abstract Tensor AdvanceVjp(
        SdeEquations equations, in StochasticStep step, Tensor state, Tensor w, ParameterGradients into);
}
