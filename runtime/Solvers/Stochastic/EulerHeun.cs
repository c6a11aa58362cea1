namespace DiffEqLang.Runtime.Solvers.Stochastic;

/// <summary>
/// x̄ = x + g(t, x) dW, then x' = x + f(t, x) h + ½ (g(t, x) + g(t + h, x̄)) dW. W. Rümelin (1982), Numerical treatment of
/// stochastic differential equations, SIAM J. Numer. Anal. 19; Kloeden and Platen (1992), 11.1 and 15.1.
/// </summary>
internal sealed class EulerHeun : StochasticMethod
{
    public override string Name => "euler_heun";

    public override Calculus Calculus => Calculus.Stratonovich;

    public override IReadOnlyList<double> NoiseWeights { get; } = [0.5, 0.5];

    public override bool Takes(NoiseStructure noise) => true;

    public override double StrongOrder(NoiseStructure noise) => noise is NoiseStructure.General ? 0.5 : 1;
}
