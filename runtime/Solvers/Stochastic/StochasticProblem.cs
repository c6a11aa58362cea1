using System.Globalization;
using DiffEqLang.Runtime.Noise;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime.Solvers.Stochastic;

/// <summary>What a solve of any stochastic equations is about, checked: all of it but the equations themselves.</summary>
/// <param name="Method">The method.</param>
/// <param name="Calculus">The sense that the equations are written in.</param>
/// <param name="Noise">The structure of the diffusion.</param>
/// <param name="NoiseSize">The number of Wiener processes of one sample.</param>
/// <param name="CorrelationFactor">L with L Lᵀ the increments' correlation, [M, M]; null: independent.</param>
/// <param name="Span">From where to where, and what is kept.</param>
/// <param name="Grid">The steps.</param>
/// <param name="Options">What else the caller decides.</param>
internal sealed record StochasticProblem(
    StochasticMethod Method,
    Calculus Calculus,
    NoiseStructure Noise,
    long NoiseSize,
    Tensor? CorrelationFactor,
    SolveSpan Span,
    StepGrid Grid,
    SolveOptions Options)
{
    /// <summary>The steps of a solve that names no dt.</summary>
    private const int DefaultSteps = 1000;

    /// <summary>The times kept.</summary>
    public double[] Times => Span.Times ?? Grid.Times;

    /// <summary>The numbers of steps after which the state is kept, ascending.</summary>
    public int[] SavedSteps => [.. Times.Select(Grid.StepsUntil)];

    /// <summary>The problem of a model's equations.</summary>
    /// <exception cref="ArgumentException">The method does not fit the equations, or an option makes no sense.</exception>
    public static StochasticProblem Of(
        Calculus calculus, NoiseStructure noise, long noiseSize, Tensor? correlationFactor, SolveSpan span, SolveOptions options)
    {
        var method = MethodOf(calculus, noise, options);
        if (span.Source is { requires_grad: true })
            throw new ArgumentException("Paths of an SDE have no derivative in time, so that no gradient flows to the saved times; pass them as numbers or detached.");
        if (options.Checkpoints is not null || options.GradientOrDefault is not (GradientMode.Discrete or GradientMode.Backsolve))
            throw new ArgumentException($"The {options.GradientInWords} gradient is made for ordinary differential equations: take gradient = discrete, or backsolve where memory is short.");
        if (options.Resumable)
            throw new NotSupportedException("A solve of a stochastic equation does not go on later (SolveOptions.Resumable); the same seed gives the same path again.");
        if (options.MaxSteps < 1) throw new ArgumentException($"MaxSteps must be positive, not {options.MaxSteps}.");
        var dt = options.Method?.Dt ?? (span.End - span.Start) / DefaultSteps;
        if (!(dt > 0 && double.IsFinite(dt)))
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"The step dt must be positive and finite, not {dt}."));
        var grid = new StepGrid(span.Start, span.End, dt, span.Times ?? []);
        return new StochasticProblem(method, calculus, noise, noiseSize, correlationFactor?.detach(), span, grid, options);
    }

    /// <summary>
    /// How often ½ Σⱼ Lʲgʲ is added to the drift to read the equations in a wanted sense: f_Stratonovich = f_Itô − ½ Σⱼ Lʲgʲ. Kloeden and
    /// Platen (1992), 4.9. The two senses agree where the diffusion does not depend on the state.
    /// </summary>
    public int CorrectionsTo(Calculus wanted) =>
        IsAdditive || wanted == Calculus ? 0 : wanted == Calculus.Stratonovich ? -1 : 1;

    /// <summary>Whether the diffusion does not depend on the state: its derivatives are zero, and code need not give them.</summary>
    public bool IsAdditive => Noise is NoiseStructure.None or NoiseStructure.Additive;

    private static StochasticMethod MethodOf(Calculus calculus, NoiseStructure noise, SolveOptions options)
    {
        var name = options.Method?.Name ?? (calculus == Calculus.Ito ? "euler_maruyama" : "euler_heun");
        var method = StochasticMethod.All.FirstOrDefault(known => known.Name == name)
            ?? throw new ArgumentException(
                $"There is no method '{name}' for stochastic differential equations.{Spelling.Suggest(name, Methods.SdeNames)}");
        var others = StochasticMethod.All.Where(other => other.Takes(noise)).Select(other => other.Name);
        return method.Takes(noise)
            ? method
            : throw new ArgumentException(
                $"Method {name} does not converge for {noise.ToString().ToLowerInvariant()} noise, which these equations have; take {string.Join(" or ", others)}.");
    }
}
