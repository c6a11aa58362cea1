using DiffEqLang.Tableaux;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// The adjoints of implicit stages: those of their slopes, k̄ᵢ = h Σⱼ aⱼᵢ z̄ⱼ + what other stages add, depend on those of their states,
/// z̄ⱼ = (∂f/∂x)ᵀ k̄ⱼ, in the same group. One linear system with the transposed Jacobians at the stages, by the implicit function theorem:
/// the gradient is that of the stages' equations, however Newton's iteration found them.
/// </summary>
internal static class ImplicitAdjoint
{
    /// <summary>The adjoints k̄ of a group's slopes, [samples, N] each.</summary>
    /// <param name="kernel">What evaluated the stages.</param>
    /// <param name="group">The stages.</param>
    /// <param name="geometry">The step.</param>
    /// <param name="states">Where they were evaluated.</param>
    /// <param name="slopes">What stages of other groups, saved states and the next step add to their slopes' adjoints; null: nothing.</param>
    /// <param name="end">The adjoint of the state after the step, where the group's last stage is evaluated there; else null.</param>
    public static Tensor[] Solve(
        RungeKuttaKernel kernel, StageGroup group, StepGeometry geometry, Tensor[] states, Tensor?[] slopes, Tensor? end)
    {
        var block = group.Block(kernel.Tableau.A);
        var given = stack([.. slopes.Select(slope => slope ?? zeros_like(states[0]))], 1);
        if (end is not null) AddEnd(given, geometry, block, kernel.Tableau.EndStage - group.First, end);
        if (kernel.SolveSparseTransposed(geometry, group, states[0], given.select(1, 0)) is { } ofSparse) return [ofSparse];
        var jacobians = stack([.. states.Select((state, i) => kernel.EquationsOf(group.First + i).DriftJacobian(geometry.TimeOf(group.First + i), state))], 1);
        var matrix = StageMatrix.Transposed(geometry, block, jacobians, kernel.Constraints?.Mass(states[0]));
        var solved = linalg.solve_ex(matrix, given.reshape(given.size(0), -1, 1)).result.view(given.shape);
        return [.. Enumerable.Range(0, group.Count).Select(i => solved.select(1, i))];
    }

    /// <summary>h aₑᵢ λ, for the stage e at the end.</summary>
    private static void AddEnd(Tensor given, StepGeometry geometry, double[,] block, int stage, Tensor end)
    {
        for (var i = 0; i < block.GetLength(1); i++)
        {
            using Scalar weight = block[stage, i] * geometry.Scale;
            given.select(1, i).add_(geometry.Scaled(end), weight);
        }
    }
}
