using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime.Solvers.Stochastic;

/// <summary>Equations that change something of others.</summary>
internal abstract class DelegatingEquations(SdeEquations inner) : SdeEquations
{
    protected SdeEquations Inner => inner;

    public override IReadOnlyList<Tensor> Parameters => inner.Parameters;

    public override Tensor Drift(Tensor t, Tensor state) => inner.Drift(t, state);

    public override Tensor DriftVjp(Tensor t, Tensor state, Tensor w, ParameterGradients into) =>
        inner.DriftVjp(t, state, w, into);

    public override Tensor Diffusion(Tensor t, Tensor state, Tensor dW) => inner.Diffusion(t, state, dW);

    public override Tensor DiffusionVjp(Tensor t, Tensor state, Tensor dW, Tensor w, ParameterGradients into) =>
        inner.DiffusionVjp(t, state, dW, w, into);

    public override Tensor Milstein(Tensor t, Tensor state, Tensor dW) => inner.Milstein(t, state, dW);

    public override Tensor MilsteinVjp(Tensor t, Tensor state, Tensor dW, Tensor w, ParameterGradients into) =>
        inner.MilsteinVjp(t, state, dW, w, into);
}

/// <summary>The equations in the other calculus, with the same solutions: see <see cref="StochasticProblem.CorrectionsTo"/>.</summary>
internal sealed class ConvertedEquations : DelegatingEquations
{
    private readonly Scalar _sign;

    private ConvertedEquations(SdeEquations equations, double sign)
        : base(equations) => _sign = sign;

    /// <summary>The equations in the calculus wanted; the two agree where the diffusion does not depend on the state.</summary>
    public static SdeEquations In(Calculus wanted, SdeEquations equations, StochasticProblem problem) =>
        problem.IsAdditive ? new AdditiveEquations(equations)
        : problem.CorrectionsTo(wanted) is not 0 and var corrections ? new ConvertedEquations(equations, corrections)
        : equations;

    public override Tensor Drift(Tensor t, Tensor state) =>
        Inner.Drift(t, state).add(Inner.ItoCorrection(t, state), _sign);

    public override Tensor DriftVjp(Tensor t, Tensor state, Tensor w, ParameterGradients into) =>
        Inner.DriftVjp(t, state, w, into).add(Inner.ItoCorrectionVjp(t, state, w * _sign, into));
}

/// <summary>Additive noise: the derivatives of the diffusion are zero, so generated code need not give them.</summary>
internal sealed class AdditiveEquations(SdeEquations equations) : DelegatingEquations(equations)
{
    public override Tensor Milstein(Tensor t, Tensor state, Tensor dW) => state.new_zeros(1);

    public override Tensor MilsteinVjp(Tensor t, Tensor state, Tensor dW, Tensor w, ParameterGradients into) =>
        state.new_zeros(1);
}
