using DiffEqLang.Tableaux;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// The equations that <see cref="ContinuousAdjoint"/> solves backwards, dλ/dt = -(∂f/∂x)ᵀλ; the parameters' gradients, dg/dt = -(∂f/∂θ)ᵀλ,
/// are integrals beside them.
/// </summary>
internal abstract class AdjointEquations : QuadratureEquations
{
    private readonly OdeEquations _equations;
    private readonly Integrand[] _integrands;       // of every stage
    private readonly Tensor _integrals;             // the parameters' gradients so far, one after another

    /// <param name="equations">Of the forward solve.</param>
    /// <param name="tableau">Of the method that solves these.</param>
    /// <param name="wanted">Says which parameters' gradients are carried along.</param>
    /// <param name="like">A state of the forward solve, [samples, N].</param>
    protected AdjointEquations(OdeEquations equations, RungeKuttaTableau tableau, ParameterGradients wanted, Tensor like)
    {
        _equations = equations;
        _integrals = zeros([wanted.Size], like.dtype, like.device);
        var (end, none) = (tableau.EndStage, new Integrand(null, new ParameterGradients(equations.Parameters, _ => false)));
        _integrands = [.. Enumerable.Range(0, end + 1).Select(i => i < end && tableau.A[end][i] == 0 ? none : Integrand.Of(wanted, _integrals))];
    }

    /// <summary>Over what they are solved next.</summary>
    public AdjointInterval? Interval { get; set; }

    /// <summary>Those of the forward solve.</summary>
    protected OdeEquations Forward => _equations;

    /// <inheritdoc/>
    public override IReadOnlyList<Tensor> Parameters => [];

    /// <summary>The vector that is solved backwards from a saved time, of the states there and their adjoints: [samples, N] each.</summary>
    public abstract Tensor Pack(Tensor state, Tensor adjoint);

    /// <summary>The adjoints of such a vector, a view: [samples, N].</summary>
    public abstract Tensor Adjoint(Tensor vector);

    /// <summary>
    /// Takes note of where the vector has arrived, at a time of all samples or one of each, beside the states that the forward solve had there,
    /// [samples, N].
    /// </summary>
    public virtual void Arrive(double[] times, Tensor vector, Tensor known) { }

    /// <summary>What makes the gradient doubtful; null where nothing does.</summary>
    public virtual SolveWarning? Judge(OdeProblem problem) => null;

    /// <summary>Adds the integrals to the gradients of the parameters.</summary>
    public void AddIntegrals(ParameterGradients into) => into.AddFlat(_integrals);

    /// <summary>-(∂f/∂x)ᵀλ at a stage, [samples, N], by place; keeps -(∂f/∂θ)ᵀλ under its number.</summary>
    protected Tensor AdjointSlope(int stage, Tensor t, Tensor state, Tensor adjoint, Tensor[]? terms)
    {
        var integrand = _integrands[stage];
        integrand.Flat?.zero_();
        // Both derivatives, of the adjoint and of the parameters' gradients, are those of -λ.
        return _equations.DriftVjp(t, state, Interval!.ByPlace(adjoint.neg()), integrand.ByParameter, terms);
    }

    /// <inheritdoc/>
    public sealed override Tensor DriftVjp(Tensor t, Tensor state, Tensor w, ParameterGradients into) =>
        throw new NotSupportedException("Gradients of gradients through a solve are not available.");

    /// <inheritdoc/>
    public sealed override void Integrate(ReadOnlySpan<double> weights, double step)
    {
        for (var i = 0; i < weights.Length; i++)
            if (weights[i] != 0)
                LinearCombination.Accumulate(_integrals, weights[i] * step, _integrands[i].Flat!);
    }

    /// <inheritdoc/>
    public sealed override void Shift(int endStage) =>
        (_integrands[0], _integrands[endStage]) = (_integrands[endStage], _integrands[0]);

    /// <summary>-λᵀ ∂f/∂θ at one stage: one after another, and the same memory by parameter; neither where the stage's weight is zero.</summary>
    private sealed record Integrand(Tensor? Flat, ParameterGradients ByParameter)
    {
        public static Integrand Of(ParameterGradients wanted, Tensor like)
        {
            var flat = zeros_like(like);
            return new Integrand(flat, new ParameterGradients(wanted, flat));
        }
    }
}
