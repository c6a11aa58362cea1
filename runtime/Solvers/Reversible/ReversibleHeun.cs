using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// The reversible Heun method, order 2, with z beside the state: z₁ = 2x - z + h f(t, z), x₁ = x + h/2 (f(t, z) + f(t + h, z₁)). One
/// evaluation a step, since f(t + h, z₁) is the next one's first.
/// </summary>
/// <remarks>
/// Kidger, Foster, Li and Lyons (2021), Efficient and accurate gradients for neural SDEs, NeurIPS, algorithms 1 and 2. The adjoint of the
/// slope at z is handed on to the step before, which evaluates there too: one vector-Jacobian product a step.
/// </remarks>
internal sealed class ReversibleHeun() : ReversibleScheme("reversible_heun")
{
    /// <inheritdoc/>
    public override ReversibleState Begin(OdeEquations equations, double time, Tensor state) =>
        new(state, state.alias(), Drift(equations, time, state));

    /// <inheritdoc/>
    public override ReversibleState Step(OdeEquations equations, double time, double h, ReversibleState from)
    {
        var companion = Sum(Sum(from.Companion.neg(), 2, from.State), h, from.Slope!);
        var slope = Drift(equations, time + h, companion);
        return new ReversibleState(Sum(Sum(from.State, h / 2, from.Slope!), h / 2, slope), companion, slope);
    }

    /// <inheritdoc/>
    public override (ReversibleState Before, ReversibleState Adjoint) Reverse(
        OdeEquations equations, double time, double h, ReversibleState after, ReversibleState adjoint, ParameterGradients into)
    {
        var ofSlope = Sum(adjoint.Slope!, h / 2, adjoint.State);
        var throughSlope = equations.DriftVjp(TimeOf(time + h, after.State), after.Companion, ofSlope, into);
        var ofCompanion = Sum(adjoint.Companion, 1, throughSlope);
        using Scalar half = h / 2;
        return (
            Step(equations, time + h, -h, after),
            new ReversibleState(Sum(adjoint.State, 2, ofCompanion), ofCompanion.neg(), Sum(adjoint.State.mul(half), h, ofCompanion)));
    }

    /// <inheritdoc/>
    public override Tensor ReverseBegin(
        OdeEquations equations, double time, ReversibleState first, ReversibleState adjoint, ParameterGradients into) =>
        Sum(Sum(adjoint.State, 1, adjoint.Companion), 1, equations.DriftVjp(TimeOf(time, first.State), first.State, adjoint.Slope!, into));
}
