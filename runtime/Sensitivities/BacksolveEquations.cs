using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// The adjoint's equations with the state solved backwards beside them, one below the other: [2 · samples, N]. Solving the state backwards
/// is unstable where the forward equations contract strongly: where it arrives is compared with what the forward solve had there.
/// </summary>
/// <param name="problem">The forward solve.</param>
/// <param name="wanted">Says which parameters' gradients are carried along.</param>
/// <param name="like">A state of the forward solve, [samples, N].</param>
internal sealed class BacksolveEquations(OdeProblem problem, ParameterGradients wanted, Tensor like)
    : AdjointEquations(problem.Equations, problem.Tableau, wanted, like)
{
    private readonly long _samples = like.size(0);
    private readonly BacksolveArrivals _arrivals = new();

    /// <inheritdoc/>
    public override Tensor Pack(Tensor state, Tensor adjoint) => cat([state, adjoint], 0);

    /// <inheritdoc/>
    public override Tensor Adjoint(Tensor vector) => vector.narrow(0, _samples, _samples);

    /// <inheritdoc/>
    public override void Arrive(double[] times, Tensor vector, Tensor known) => _arrivals.Add(times, State(vector), known);

    /// <inheritdoc/>
    public override SolveWarning? Judge(OdeProblem problem) => _arrivals.Judge(problem);

    /// <inheritdoc/>
    public override Tensor Drift(int stage, Tensor t, Tensor state)
    {
        var (time, forward) = (Interval!.TimeAt(t), State(state));
        var slope = Forward.Drift(time, forward, out var terms);
        if (slope.numel() != forward.numel()) slope = slope.expand_as(forward);
        return Pack(Interval.ByPlace(slope), AdjointSlope(stage, time, forward, Adjoint(state), terms));
    }

    private Tensor State(Tensor vector) => vector.narrow(0, 0, _samples);
}
