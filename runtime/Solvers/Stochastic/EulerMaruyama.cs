namespace DiffEqLang.Runtime.Solvers.Stochastic;

/// <summary>
/// x' = x + f h + g dW. G. Maruyama (1955), Continuous Markov processes and stochastic equations, Rend. Circ. Mat. Palermo
/// 4; Kloeden and Platen (1992), 10.2.
/// </summary>
internal sealed class EulerMaruyama : StochasticMethod
{
    public override string Name => "euler_maruyama";

    public override Calculus Calculus => Calculus.Ito;

    public override IReadOnlyList<double> NoiseWeights { get; } = [1];

    public override bool Takes(NoiseStructure noise) => true;

    public override double StrongOrder(NoiseStructure noise) =>
        noise is NoiseStructure.None or NoiseStructure.Additive ? 1 : 0.5;
}
