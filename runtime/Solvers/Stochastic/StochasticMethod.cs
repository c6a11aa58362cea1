using System.Reflection;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime.Solvers.Stochastic;

/// <summary>
/// A one-step method for stochastic differential equations with fixed steps, as a table that tensors (here) and SIMD registers
/// (<see cref="Simd.StochasticStepper{TRegister, TLanes, T}"/>) both read. A sealed class derived from this is found by its
/// <see cref="Name"/>; nothing else needs to know of it.
/// </summary>
/// <remarks>
/// A step is x' = x + f(t, x) h + Σᵢ bᵢ Nᵢ + m: of the noises N₀ = g(t, x) dW and Nᵢ = g(t + h, x + Nᵢ₋₁) dW with the weights b, and
/// of Milstein's double integrals m where the method has them.
/// </remarks>
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

    /// <summary>b, the weights of the noises; they sum to one.</summary>
    public abstract IReadOnlyList<double> NoiseWeights { get; }

    /// <summary>Whether a step has the double integrals ½ Σ Lⁱgʲ dWᵢ dWⱼ.</summary>
    public virtual bool HasDoubleIntegrals => false;

    /// <summary>Whether it converges for noise of a structure.</summary>
    public abstract bool Takes(NoiseStructure noise);

    /// <summary>The order of its pathwise error in h.</summary>
    public abstract double StrongOrder(NoiseStructure noise);

    /// <summary>The state after a step: [B, N] -> [B, N], a new tensor.</summary>
    public Tensor Advance(SdeEquations equations, in StochasticStep step, Tensor state)
    {
        var after = state.add(equations.Drift(step.Start, state), step.Length);
        var at = state;
        for (var i = 0; i < NoiseWeights.Count; i++)
        {
            var noise = Noise(equations, step, i, at);
            after.add_(noise, Scalars.Of(NoiseWeights[i]));
            if (i + 1 < NoiseWeights.Count) at = state.add(noise, Scalars.One);
        }

        if (HasDoubleIntegrals) after.add_(equations.Milstein(step.Start, state, step.Increment), Scalars.One);
        return after;
    }

    /// <summary>
    /// wᵀ ∂(state after)/∂(state before): [B, N], a new tensor; adds wᵀ ∂(state after)/∂θ to <paramref name="into"/>.
    /// </summary>
    public Tensor AdvanceVjp(
        SdeEquations equations, in StochasticStep step, Tensor state, Tensor w, ParameterGradients into)
    {
        var adjoint = w.add(equations.DriftVjp(step.Start, state, w * step.Length, into), Scalars.One);
        var last = NoiseWeights.Count - 1;
        var states = new Tensor[last + 1];
        states[0] = state;
        for (var i = 0; i < last; i++) states[i + 1] = state.add(Noise(equations, step, i, states[i]), Scalars.One);
        var ofNoise = NoiseWeights[last] == 1 ? w : w * Scalars.Of(NoiseWeights[last]);
        for (var i = last; i >= 0; i--)
        {
            var pulled = equations.DiffusionVjp(i == 0 ? step.Start : step.End, states[i], step.Increment, ofNoise, into);
            adjoint.add_(pulled, Scalars.One);
            if (i > 0) ofNoise = pulled.add(w, Scalars.Of(NoiseWeights[i - 1]));
        }

        if (HasDoubleIntegrals)
            adjoint.add_(equations.MilsteinVjp(step.Start, state, step.Increment, w, into), Scalars.One);
        return adjoint;
    }

    /// <summary>Nᵢ, at its own state.</summary>
    private static Tensor Noise(SdeEquations equations, in StochasticStep step, int i, Tensor state) =>
        equations.Diffusion(i == 0 ? step.Start : step.End, state, step.Increment);
}
