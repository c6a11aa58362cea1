using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>The matrices of coupled stages: of m stages of N states each, stage by stage.</summary>
internal static class StageMatrix
{
    /// <summary>M - h block ⊗ J: [samples, m N, m N], the same Jacobian [samples, N, N] at every stage.</summary>
    /// <param name="geometry">The step.</param>
    /// <param name="block">The stages' coefficients.</param>
    /// <param name="jacobian">J.</param>
    /// <param name="mass">The diagonal of M, [N]; null for the identity.</param>
    public static Tensor Of(StepGeometry geometry, double[,] block, Tensor jacobian, Tensor? mass)
    {
        var (samples, n, m) = (jacobian.size(0), jacobian.size(-1), block.GetLength(0));
        var product = m == 1
            ? jacobian.mul(Scalars.Of(-block[0, 0]))
            : Coefficients(block, jacobian).neg().view(1, m, 1, m, 1).mul(jacobian.reshape(samples, 1, n, 1, n)).reshape(samples, m * n, m * n);
        return PlusMass(geometry, Times(geometry, product), mass);
    }

    /// <summary>M - h (block ⊗ ·)ᵀ with each stage's own Jacobian, [samples, m, N, N]: what the stages' adjoints solve, [samples, m N, m N].</summary>
    public static Tensor Transposed(StepGeometry geometry, double[,] block, Tensor jacobians, Tensor? mass)
    {
        var (samples, m, n) = (jacobians.size(0), jacobians.size(1), jacobians.size(-1));
        // Row (i, q), column (j, p): -aⱼᵢ ∂f_p/∂x_q at stage j.
        var product = Coefficients(block, jacobians).neg().t().reshape(1, m, 1, m, 1)
            .mul(jacobians.permute(0, 3, 1, 2).unsqueeze(1)).reshape(samples, m * n, m * n);
        return PlusMass(geometry, Times(geometry, product), mass);
    }

    private static Tensor Coefficients(double[,] block, Tensor like) =>
        HostVector.ToDevice([.. block.Cast<double>()], [block.GetLength(0), block.GetLength(1)], like.dtype, like.device);

    private static Tensor Times(StepGeometry geometry, Tensor product)
    {
        if (!geometry.IsUniform) return product.mul_(HostVector.ToDevice(geometry.Steps, [geometry.Steps.Length, 1, 1], product.dtype, product.device));
        using Scalar step = geometry.Steps[0];
        return product.mul_(step);
    }

    private static Tensor PlusMass(StepGeometry geometry, Tensor product, Tensor? mass)
    {
        var diagonal = product.diagonal(0, 1, 2);
        if (mass is null) diagonal.add_(Scalars.One, Scalars.One);
        else diagonal.add_(OfMoving(geometry, mass).repeat(1, diagonal.size(1) / mass.size(0)), Scalars.One);
        return product;
    }

    /// <summary>The mass, [samples, N] or [1, N]; one everywhere in a lane that rests, whose matrix would be singular.</summary>
    private static Tensor OfMoving(StepGeometry geometry, Tensor mass)
    {
        double[] steps = geometry.IsUniform ? [geometry.Steps[0]] : geometry.Steps;
        double[] rests = [.. steps.Select(step => step == 0 ? 1.0 : 0)];
        return mass.maximum(HostVector.ToDevice(rests, [rests.Length, 1], mass.dtype, mass.device));
    }
}
