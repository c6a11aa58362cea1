using DiffEqLang.Tableaux;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// One part of a right-hand side as equations of their own, so that Newton's iteration, its matrices and the adjoints of stages know nothing
/// of the other.
/// </summary>
internal abstract class PartialEquations(OdeEquations whole) : OdeEquations
{
    /// <summary>The equations whose part is asked for.</summary>
    protected OdeEquations Whole => whole;

    /// <inheritdoc/>
    public override IReadOnlyList<Tensor> Parameters => whole.Parameters;

    /// <summary>The equations of a part; those of the whole right-hand side are themselves.</summary>
    public static OdeEquations Of(OdeEquations whole, DriftPart part) => part switch
    {
        DriftPart.Explicit => new ExplicitEquations(whole),
        DriftPart.Implicit => new ImplicitEquations(whole),
        _ => whole,
    };

    private sealed class ExplicitEquations(OdeEquations whole) : PartialEquations(whole)
    {
        public override Tensor Drift(Tensor t, Tensor state) => Whole.ExplicitDrift(t, state);

        public override Tensor DriftVjp(Tensor t, Tensor state, Tensor w, ParameterGradients into) => Whole.ExplicitDriftVjp(t, state, w, into);
    }

    private sealed class ImplicitEquations(OdeEquations whole) : PartialEquations(whole)
    {
        public override SparsityPattern? JacobianPattern => Whole.ImplicitJacobianPattern;

        public override Tensor Drift(Tensor t, Tensor state) => Whole.ImplicitDrift(t, state);

        public override Tensor DriftVjp(Tensor t, Tensor state, Tensor w, ParameterGradients into) => Whole.ImplicitDriftVjp(t, state, w, into);
    }
}
