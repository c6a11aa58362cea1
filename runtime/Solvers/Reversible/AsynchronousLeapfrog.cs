using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// The asynchronous leapfrog, order 2, with the slope v beside the state: k = f(t + h/2, x + h/2 v), x ← x + h k, v ← 2k - v.
/// </summary>
/// <remarks>
/// Mutze (2013), An asynchronous leap-frog method, arXiv:1311.6602; Zhuang, Dvornek, Tatikonda and Duncan (2021), MALI: a memory efficient
/// and reverse accurate integrator for neural ODEs, ICLR, algorithms 2 and 3.
/// </remarks>
internal sealed class AsynchronousLeapfrog() : ReversibleScheme("asynchronous_leapfrog")
{
    /// <inheritdoc/>
    public override ReversibleState Begin(OdeEquations equations, double time, Tensor state) =>
        new(state, Drift(equations, time, state), null);

    /// <inheritdoc/>
    public override ReversibleState Step(OdeEquations equations, double time, double h, ReversibleState from)
    {
        var k = Drift(equations, time + h / 2, Sum(from.State, h / 2, from.Companion));
        return new ReversibleState(Sum(from.State, h, k), Sum(from.Companion.neg(), 2, k), null);
    }

    /// <inheritdoc/>
    public override (ReversibleState Before, ReversibleState Adjoint) Reverse(
        OdeEquations equations, double time, double h, ReversibleState after, ReversibleState adjoint, ParameterGradients into)
    {
        var (middle, t) = (Sum(after.State, -h / 2, after.Companion), TimeOf(time + h / 2, after.State));
        var k = equations.Drift(t, middle, out var terms).expand_as(middle);
        var before = new ReversibleState(Sum(after.State, -h, k), Sum(after.Companion.neg(), 2, k), null);
        using Scalar step = h;
        var ofSlope = Sum(adjoint.State.mul(step), 2, adjoint.Companion);
        var ofMiddle = equations.DriftVjp(t, middle, ofSlope, into, terms);
        return (before, new ReversibleState(Sum(adjoint.State, 1, ofMiddle), Sum(adjoint.Companion.neg(), h / 2, ofMiddle), null));
    }

    /// <inheritdoc/>
    public override Tensor ReverseBegin(
        OdeEquations equations, double time, ReversibleState first, ReversibleState adjoint, ParameterGradients into) =>
        Sum(adjoint.State, 1, equations.DriftVjp(TimeOf(time, first.State), first.State, adjoint.Companion, into));
}
