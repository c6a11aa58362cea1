using DiffEqLang.Tableaux;

namespace DiffEqLang.Runtime;

/// <summary>The methods of this runtime, by name.</summary>
public static partial class Methods
{
    /// <summary>Euler's method, order 1.</summary>
    public static Method Euler(double dt) => new("euler") { Dt = dt };

    /// <summary>The explicit midpoint rule, order 2.</summary>
    public static Method Midpoint(double dt) => new("midpoint") { Dt = dt };

    /// <summary>Heun's method (for SDEs in Stratonovich's sense too), order 2.</summary>
    public static Method Heun(double dt) => new("heun") { Dt = dt };

    /// <summary>Ralston's method, order 2.</summary>
    public static Method Ralston(double dt) => new("ralston") { Dt = dt };

    /// <summary>The classical Runge-Kutta method, order 4.</summary>
    public static Method Rk4(double dt) => new("rk4") { Dt = dt };

    /// <summary>Kutta's 3/8 rule, order 4.</summary>
    public static Method Rk38(double dt) => new("rk38") { Dt = dt };

    /// <summary>Bogacki and Shampine's pair, order 3(2).</summary>
    public static Method Bosh3(double? rtol = null, double? atol = null, double? dt = null) => Adaptive("bosh3", rtol, atol, dt);

    /// <summary>Dormand and Prince's pair, order 5(4).</summary>
    public static Method Dopri5(double? rtol = null, double? atol = null, double? dt = null) => Adaptive("dopri5", rtol, atol, dt);

    /// <summary>Tsitouras' pair, order 5(4).</summary>
    public static Method Tsit5(double? rtol = null, double? atol = null, double? dt = null) => Adaptive("tsit5", rtol, atol, dt);

    /// <summary>Verner's most efficient pair of order 6(5): for tolerances of 1e-6 to 1e-10.</summary>
    public static Method Vern6(double? rtol = null, double? atol = null, double? dt = null) => Adaptive("vern6", rtol, atol, dt);

    /// <summary>Verner's most efficient pair of order 7(6): for tolerances of 1e-7 and below.</summary>
    public static Method Vern7(double? rtol = null, double? atol = null, double? dt = null) => Adaptive("vern7", rtol, atol, dt);

    /// <summary>Verner's most efficient pair of order 9(8): for the tightest tolerances.</summary>
    public static Method Vern9(double? rtol = null, double? atol = null, double? dt = null) => Adaptive("vern9", rtol, atol, dt);

    /// <summary>DOP853, order 8(5,3): for tight tolerances.</summary>
    public static Method Dopri8(double? rtol = null, double? atol = null, double? dt = null) => Adaptive("dopri8", rtol, atol, dt);

    /// <summary>The implicit Euler method, order 1, L-stable.</summary>
    public static Method ImplicitEuler(double? rtol = null, double? atol = null, double? dt = null) => Adaptive("implicit_euler", rtol, atol, dt);

    /// <summary>The implicit midpoint rule, order 2: symplectic and symmetric.</summary>
    public static Method ImplicitMidpoint(double dt) => new("implicit_midpoint") { Dt = dt };

    /// <summary>Gauss' method of two stages, order 4: symplectic and symmetric.</summary>
    public static Method Gauss4(double dt) => new("gauss4") { Dt = dt };

    /// <summary>Trapezoidal rule and backward differentiation formula in one step, order 2(3): for stiff equations at low accuracy.</summary>
    public static Method TrBdf2(double? rtol = null, double? atol = null, double? dt = null) => Adaptive("trbdf2", rtol, atol, dt);

    /// <summary>Kværnø's pair of order 3(2), for stiff equations.</summary>
    public static Method Kvaerno3(double? rtol = null, double? atol = null, double? dt = null) => Adaptive("kvaerno3", rtol, atol, dt);

    /// <summary>Kværnø's pair of order 4(3), for stiff equations.</summary>
    public static Method Kvaerno4(double? rtol = null, double? atol = null, double? dt = null) => Adaptive("kvaerno4", rtol, atol, dt);

    /// <summary>Kværnø's pair of order 5(4), for stiff equations.</summary>
    public static Method Kvaerno5(double? rtol = null, double? atol = null, double? dt = null) => Adaptive("kvaerno5", rtol, atol, dt);

    /// <summary>Radau IIA of order 5: for very stiff equations, and high accuracy.</summary>
    public static Method Radau(double? rtol = null, double? atol = null, double? dt = null) => Adaptive("radau", rtol, atol, dt);

    /// <summary>Shampine and Reichelt's Rosenbrock method (ode23s), order 2(3): for stiff equations at low accuracy.</summary>
    public static Method Rosenbrock23(double? rtol = null, double? atol = null, double? dt = null) => Adaptive("rosenbrock23", rtol, atol, dt);

    /// <summary>Hairer and Wanner's Rosenbrock method, order 4(3), for stiff equations.</summary>
    public static Method Rodas4(double? rtol = null, double? atol = null, double? dt = null) => Adaptive("rodas4", rtol, atol, dt);

    /// <summary>Steinebach's Rosenbrock method, order 5(4), for stiff equations.</summary>
    public static Method Rodas5P(double? rtol = null, double? atol = null, double? dt = null) => Adaptive("rodas5p", rtol, atol, dt);

    /// <summary>
    /// Backward differentiation formulas of order 1 to 5 and variable step, for stiff equations: past states in place of stages, so that a
    /// step solves one system, with a Jacobian and a factorization that last over steps.
    /// </summary>
    public static Method Bdf(double? rtol = null, double? atol = null, double? dt = null, int? order = null) =>
        Adaptive("bdf", rtol, atol, dt) with { Order = order };

    /// <summary>
    /// Adams' methods of order 1 to 12 and variable step: past slopes in place of stages, so that a step takes two evaluations of the
    /// right-hand side, whatever its order: for one that is dear, and tight tolerances.
    /// </summary>
    public static Method Adams(double? rtol = null, double? atol = null, double? dt = null, int? order = null) =>
        Adaptive("adams", rtol, atol, dt) with { Order = order };

    /// <summary>The symplectic Euler method, order 1: for equations that fall into positions and momenta.</summary>
    public static Method SymplecticEuler(double dt) => new("symplectic_euler") { Dt = dt };

    /// <summary>Leapfrog, or velocity Verlet, order 2, symplectic and symmetric: for equations that fall into positions and momenta.</summary>
    public static Method Leapfrog(double dt) => new("leapfrog") { Dt = dt };

    /// <summary>Yoshida's composition, order 4, symplectic and symmetric: for equations that fall into positions and momenta.</summary>
    public static Method Yoshida4(double dt) => new("yoshida4") { Dt = dt };

    /// <summary>McLachlan's composition, order 4, symplectic and symmetric: for equations that fall into positions and momenta.</summary>
    public static Method McLachlan(double dt) => new("mclachlan") { Dt = dt };

    /// <summary>Euler's method, order 1, implicit in the part of the equations that is split off as stiff, explicit in the rest.</summary>
    public static Method ImexEuler(double dt) => new("imex_euler") { Dt = dt };

    /// <summary>Kennedy and Carpenter's additive pair, order 3(2), implicit in the part of the equations that is split off as stiff.</summary>
    public static Method KenCarp3(double? rtol = null, double? atol = null, double? dt = null) => Adaptive("kencarp3", rtol, atol, dt);

    /// <summary>Kennedy and Carpenter's additive pair, order 4(3), implicit in the part of the equations that is split off as stiff.</summary>
    public static Method KenCarp4(double? rtol = null, double? atol = null, double? dt = null) => Adaptive("kencarp4", rtol, atol, dt);

    /// <summary>Kennedy and Carpenter's additive pair, order 5(4), implicit in the part of the equations that is split off as stiff.</summary>
    public static Method KenCarp5(double? rtol = null, double? atol = null, double? dt = null) => Adaptive("kencarp5", rtol, atol, dt);

    /// <summary>The exponential Euler method, order 1: exact in the linear part that is split off, however stiff.</summary>
    public static Method Etd1(double dt) => new("etd1") { Dt = dt };

    /// <summary>Cox and Matthews' exponential method, order 4: exact in the linear part that is split off, however stiff.</summary>
    public static Method EtdRk4(double dt) => new("etdrk4") { Dt = dt };

    /// <summary>The reversible Heun method, order 2: gradients in memory that does not grow with the steps.</summary>
    public static Method ReversibleHeun(double dt) => new("reversible_heun") { Dt = dt };

    /// <summary>The asynchronous leapfrog (MALI), order 2: gradients in memory that does not grow with the steps.</summary>
    public static Method AsynchronousLeapfrog(double dt) => new("asynchronous_leapfrog") { Dt = dt };

    /// <summary>A method of one's own: see <see cref="RungeKuttaTableau.FromJson(string)"/>.</summary>
    public static Method Rk(RungeKuttaTableau tableau, double? rtol = null, double? atol = null, double? dt = null) =>
        Adaptive(tableau.Name, rtol, atol, dt) with { Tableau = tableau };

    /// <summary>
    /// Tsitouras' pair where the equations are not stiff, Steinebach's Rosenbrock method where they are, of every sample on its own;
    /// <see cref="Solution.MethodChanges"/> says which, and from when on.
    /// </summary>
    public static Method Auto(double? rtol = null, double? atol = null, double? dt = null) => Adaptive(AutoName, rtol, atol, dt);

    /// <summary>The name of <see cref="Auto"/>.</summary>
    public const string AutoName = "auto";

    /// <summary>The names of the methods for ordinary differential equations of any kind.</summary>
    public static IReadOnlyList<string> OdeNames { get; } =
        [.. Catalogue.All.Select(tableau => tableau.Name), .. Catalogue.Multistep.Select(method => method.Name)];

    /// <summary>The one-step methods among them that solve no equations in a step.</summary>
    public static IReadOnlyList<string> ExplicitNames { get; } =
        [.. Catalogue.All.Where(tableau => !tableau.IsImplicit).Select(tableau => tableau.Name)];

    /// <summary>The multistep methods among them, of variable order.</summary>
    public static IReadOnlyList<string> MultistepNames { get; } = [.. Catalogue.Multistep.Select(method => method.Name)];

    /// <summary>Those for equations that fall into positions and momenta.</summary>
    public static IReadOnlyList<string> SymplecticNames { get; } = [.. Catalogue.Symplectic.Select(tableau => tableau.Name)];

    /// <summary>Those for equations of two parts, of which one is stiff.</summary>
    public static IReadOnlyList<string> SplitNames { get; } = [.. Catalogue.Split.Select(tableau => tableau.Name)];

    /// <summary>The exponential methods, for equations with a linear part that is stiff.</summary>
    public static IReadOnlyList<string> ExponentialNames { get; } = [.. Catalogue.Exponential.Select(method => method.Name)];

    /// <summary>Those whose steps can be undone, for <see cref="GradientMode.Reversible"/>.</summary>
    public static IReadOnlyList<string> ReversibleNames { get; } = [.. ReversibleScheme.All.Select(scheme => scheme.Name)];

    private static Method Adaptive(string name, double? rtol, double? atol, double? dt) =>
        new(name) { Rtol = rtol, Atol = atol, Dt = dt };
}
