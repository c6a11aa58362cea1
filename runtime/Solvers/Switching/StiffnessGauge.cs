using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// How stiff a step of each lane was: |h| times an estimate of the largest eigenvalue of ∂f/∂x, which an explicit method bears up to the
/// boundary of its stability.
/// </summary>
/// <remarks>Hairer and Wanner (1996), Solving Ordinary Differential Equations II, IV.2, "Stiffness detection"; Shampine (1977), Stiffness and nonstiff differential equation solvers.</remarks>
internal static class StiffnessGauge
{
    /// <summary>
    /// Of an explicit step: ‖k₁ - k₂‖/‖y₁ - y₂‖ of two stages at its end, the difference of whose states has passed through ∂f/∂x so often
    /// that it lies along the eigenvector.
    /// </summary>
    public static double[] OfStages(Stages stages, int first, int second, int lanes)
    {
        var slopes = Norms(stages.Slopes[first].sub(stages.Slopes[second]), lanes);
        var states = Norms(stages.States[first].sub(stages.States[second]), lanes);
        var scale = stages.Geometry.IsUniform ? Math.Abs(stages.Geometry.Scale) : 1;     // else the slopes have their steps already
        return [.. slopes.Zip(states, (slope, state) => state == 0 ? 0 : scale * slope / state)];
    }

    /// <summary>Of a step with the Jacobian at its start, [samples, N, N]: its norm of rows, which no eigenvalue exceeds.</summary>
    public static double[] OfJacobian(Tensor jacobian, StepGeometry geometry, int lanes)
    {
        var norms = HostVector.ToHost(jacobian.abs().sum(-1L).reshape(lanes, -1).amax([1L]).to(ScalarType.Float64));
        return [.. norms.Zip(geometry.Steps, (norm, step) => norm * Math.Abs(step))];
    }

    private static double[] Norms(Tensor vectors, int lanes)
    {
        var flat = vectors.reshape(lanes, -1);
        return [.. HostVector.ToHost(flat.mul(flat).sum(1L).to(ScalarType.Float64)).Select(Math.Sqrt)];
    }
}
