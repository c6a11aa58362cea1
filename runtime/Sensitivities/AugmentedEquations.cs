using DiffEqLang.Tableaux;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// The equations of <see cref="BacksolveAdjoint"/>: states and adjoints one below the other, [2 · samples, N]; the parameters'
/// gradients are integrals beside them.
/// </summary>
internal sealed class AugmentedEquations : QuadratureEquations
{
    private readonly OdeEquations _equations;
    private readonly long _samples;
    private readonly Integrand[] _integrands;       // of every stage
    private readonly Tensor _integrals;             // the parameters' gradients so far, one after another

    /// <param name="equations">Of the forward solve.</param>
    /// <param name="tableau">Of the method that solves the augmented ones.</param>
    /// <param name="wanted">Says which parameters' gradients are carried along.</param>
    /// <param name="like">A state of the forward solve, [samples, N].</param>
    public AugmentedEquations(OdeEquations equations, RungeKuttaTableau tableau, ParameterGradients wanted, Tensor like)
    {
        (_equations, _samples) = (equations, like.size(0));
        _integrals = zeros([wanted.Size], like.dtype, like.device);
        var (end, none) = (tableau.EndStage, new Integrand(null, new ParameterGradients(equations.Parameters, _ => false)));
        _integrands = [.. Enumerable.Range(0, end + 1).Select(i => i < end && tableau.A[end][i] == 0 ? none : Integrand.Of(wanted, _integrals))];
    }

    /// <inheritdoc/>
    public override IReadOnlyList<Tensor> Parameters => [];

    /// <summary>States and adjoints [samples, N] as one vector.</summary>
    public static Tensor Pack(Tensor state, Tensor adjoint) => cat([state, adjoint], 0);

    /// <summary>The states of such a vector, a view: [samples, N].</summary>
    public Tensor State(Tensor augmented) => augmented.narrow(0, 0, _samples);

    /// <summary>The adjoints of such a vector, a view: [samples, N].</summary>
    public Tensor Adjoint(Tensor augmented) => augmented.narrow(0, _samples, _samples);

    /// <summary>Adds the integrals to the gradients of the parameters.</summary>
    public void AddIntegrals(ParameterGradients into) => into.AddFlat(_integrals);

    /// <inheritdoc/>
    public override Tensor Drift(int stage, Tensor t, Tensor state)
    {
        var integrand = _integrands[stage];
        integrand.Flat?.zero_();
        var forward = State(state);
        var slope = _equations.Drift(t, forward, out var terms);
        if (slope.numel() != forward.numel()) slope = slope.expand_as(forward);
        // Both derivatives, of the adjoint and of the parameters' gradients, are those of -λ.
        return Pack(slope, _equations.DriftVjp(t, forward, Adjoint(state).neg(), integrand.ByParameter, terms));
    }

    /// <inheritdoc/>
    public override Tensor DriftVjp(Tensor t, Tensor state, Tensor w, ParameterGradients into) =>
        throw new NotSupportedException("Gradients of gradients through a solve are not available.");

    /// <inheritdoc/>
    public override void Integrate(ReadOnlySpan<double> weights, double step)
    {
        for (var i = 0; i < weights.Length; i++)
            if (weights[i] != 0)
                LinearCombination.Accumulate(_integrals, weights[i] * step, _integrands[i].Flat!);
    }

    /// <inheritdoc/>
    public override void Shift(int endStage) =>
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
