using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// What the right-hand side, and what else a step reads of it, becomes along directions Z of the state and all parameters at once: each is one
/// vector-Jacobian product of all N unit vectors, multiplied by the directions.
/// </summary>
/// <param name="states">N.</param>
/// <param name="initial">How many directions, the first, are those of the initial state, and so not of a parameter.</param>
/// <param name="directions">D.</param>
internal sealed class Variations(long states, long initial, long directions)
{
    /// <summary>∂f/∂x Z + ∂f/∂θ: [samples, N, D].</summary>
    /// <param name="equations">Of f.</param>
    /// <param name="time">[] or [samples].</param>
    /// <param name="state">[samples, N].</param>
    /// <param name="tangents">Z: [samples, N · D].</param>
    /// <param name="jacobian">Receives ∂f/∂x: [samples, N, N].</param>
    public Tensor OfSlope(OdeEquations equations, Tensor time, Tensor state, Tensor tangents, out Tensor jacobian) =>
        Along(equations, state, tangents, out jacobian, (units, into) => equations.DriftVjp(OfUnits(time, state), OfUnits(state), units, into));

    /// <summary>∂(J v)/∂x Z + ∂(J v)/∂θ with J the Jacobian: [samples, N, D].</summary>
    /// <param name="equations">Of J.</param>
    /// <param name="time">[] or [samples].</param>
    /// <param name="state">Where J is taken: [samples, N].</param>
    /// <param name="v">[samples, N].</param>
    /// <param name="tangents">Z: [samples, N · D].</param>
    public Tensor OfJacobian(OdeEquations equations, Tensor time, Tensor state, Tensor v, Tensor tangents) => Along(
        equations, state, tangents, out _,
        (units, into) => equations.JacobianVjp(OfUnits(time, state), OfUnits(state), OfUnits(v), units, into));

    /// <summary>∂²f/∂t∂x Z + ∂²f/∂t∂θ: [samples, N, D].</summary>
    /// <param name="equations">Of f.</param>
    /// <param name="time">[] or [samples].</param>
    /// <param name="state">[samples, N].</param>
    /// <param name="tangents">Z: [samples, N · D].</param>
    public Tensor OfTimeDerivative(OdeEquations equations, Tensor time, Tensor state, Tensor tangents) => Along(
        equations, state, tangents, out _, (units, into) => equations.TimeDerivativeVjp(OfUnits(time, state), OfUnits(state), units, into));

    private Tensor Along(
        OdeEquations equations, Tensor state, Tensor tangents, out Tensor ofState, Func<Tensor, ParameterGradients, Tensor> products)
    {
        var samples = state.size(0);
        var into = new ParameterGradients(equations.Parameters, i => equations.Parameters[i].requires_grad, [states, samples]);
        var rows = products(OfUnits(eye(states, dtype: state.dtype, device: state.device), samples), into);
        ofState = rows.expand(states, samples, states).transpose(0, 1);
        var slope = ofState.bmm(tangents.view(tangents.size(0), states, directions));
        Tensor[] ofParameters = [.. Enumerable.Range(0, equations.Parameters.Count)
            .Where(into.Wants).Select(i => into[i]!.reshape(states, samples, -1))];
        if (ofParameters.Length > 0)
            slope.narrow(2, initial, directions - initial).add_(cat(ofParameters, -1).transpose(0, 1), Scalars.One);
        return slope;
    }

    private static Tensor OfUnits(Tensor units, long samples) => units.unsqueeze(1).expand(units.size(0), samples, units.size(1));

    private Tensor OfUnits(Tensor vectors) => vectors.expand(states, vectors.size(0), states);

    private Tensor OfUnits(Tensor time, Tensor state) => time.expand(states, state.size(0));
}
