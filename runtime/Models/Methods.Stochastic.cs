using DiffEqLang.Runtime.Solvers.Stochastic;

namespace DiffEqLang.Runtime;

public static partial class Methods
{
    /// <summary>The Euler-Maruyama method: Itô, strong order 0.5 (1 for additive noise), weak order 1.</summary>
    public static Method EulerMaruyama(double? dt = null) => new("euler_maruyama") { Dt = dt };

    /// <summary>The Euler-Heun method: Stratonovich, strong order 1 for commutative noise, else 0.5.</summary>
    public static Method EulerHeun(double? dt = null) => new("euler_heun") { Dt = dt };

    /// <summary>Milstein's method: either calculus, commutative noise, strong order 1.</summary>
    public static Method Milstein(double? dt = null) => new("milstein") { Dt = dt };

    /// <summary>The names of the methods for stochastic differential equations.</summary>
    public static IReadOnlyList<string> SdeNames { get; } = [.. StochasticMethod.All.Select(method => method.Name)];
}
