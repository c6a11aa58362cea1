using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// Equations that carry integrals ∫ q(t, x) dt along, on which nothing else depends: each evaluation gives q beside f, and each
/// accepted step adds h Σ bᵢ qᵢ. Being no part of the state, the integrals take no part in stages and errors.
/// </summary>
/// <remarks>
/// "Quadrature variables" of Hindmarsh et al. (2005), SUNDIALS, ACM TOMS 31. That their errors need no control in an adjoint:
/// Kidger, Chen and Lyons (2021), "Hey, that's not an ODE": Faster ODE adjoints via seminorms, ICML.
/// </remarks>
internal abstract class QuadratureEquations : OdeEquations
{
    /// <summary>f(t, x) at a stage, [samples, N] -> [samples, N]; keeps q(t, x) under the stage's number until it is evaluated again.</summary>
    public abstract Tensor Drift(int stage, Tensor t, Tensor state);

    /// <inheritdoc/>
    public sealed override Tensor Drift(Tensor t, Tensor state) => Drift(0, t, state);

    /// <summary>Adds an accepted step to the integrals.</summary>
    /// <param name="weights">b, over the stages before the end stage.</param>
    /// <param name="step">h.</param>
    public abstract void Integrate(ReadOnlySpan<double> weights, double step);

    /// <summary>Goes on to the next step, whose first stage is the end stage of the last: its q is that one's.</summary>
    public abstract void Shift(int endStage);
}
