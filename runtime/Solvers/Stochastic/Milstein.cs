namespace DiffEqLang.Runtime.Solvers.Stochastic;

/// <summary>
/// x' = x + f h + g dW + ½ Σ Lⁱgʲ dWᵢ dWⱼ, for commutative noise, in Stratonovich's sense. G. N. Milstein (1974),
/// Approximate integration of stochastic differential equations, Theor. Prob. Appl. 19; Kloeden and Platen (1992), 10.3.
/// </summary>
/// <remarks>
/// Converted from Itô the drift loses ½ Σ Lʲgʲ, which leaves ½ Σ Lⁱgʲ (dWᵢ dWⱼ − δᵢⱼ h): Itô's form of the same method.
/// </remarks>
internal sealed class Milstein : StochasticMethod
{
    public override string Name => "milstein";

    public override Calculus Calculus => Calculus.Stratonovich;

    public override IReadOnlyList<double> NoiseWeights { get; } = [1];

    public override bool HasDoubleIntegrals => true;

    public override bool Takes(NoiseStructure noise) => noise is not NoiseStructure.General;

    public override double StrongOrder(NoiseStructure noise) => 1;
}
