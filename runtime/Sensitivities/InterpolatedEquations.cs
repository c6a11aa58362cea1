using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// The adjoint's equations along the dense output of the forward solve: nothing is solved backwards but what is stable backwards where the
/// forward equations are stable forwards.
/// </summary>
/// <param name="problem">The forward solve.</param>
/// <param name="states">Its dense output.</param>
/// <param name="lanes">Which of its lanes, each of one sample; all where null.</param>
/// <param name="wanted">Says which parameters' gradients are carried along.</param>
/// <param name="like">A state of the forward solve, [samples, N].</param>
internal sealed class InterpolatedEquations(OdeProblem problem, InterpolatedStates states, int[]? lanes, ParameterGradients wanted, Tensor like)
    : AdjointEquations(problem.Equations, problem.Tableau, wanted, like)
{
    /// <inheritdoc/>
    public override Tensor Pack(Tensor state, Tensor adjoint) => adjoint;

    /// <inheritdoc/>
    public override Tensor Adjoint(Tensor vector) => vector.alias();

    /// <inheritdoc/>
    public override Tensor Drift(int stage, Tensor t, Tensor state)
    {
        var time = Interval!.TimeAt(t);
        return AdjointSlope(stage, time, states.At(HostVector.ToHost(time), lanes), state, null);
    }
}
