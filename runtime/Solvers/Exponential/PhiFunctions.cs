using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// φ₀(z) = e^z, φₖ₊₁(z) = (φₖ(z) - 1/k!)/z of matrices, without the cancellation of that formula: they are the first row of blocks of the
/// exponential of [z I 0 ..; 0 0 I ..; ..; 0 ..].
/// </summary>
/// <remarks>
/// Sidje (1998), Expokit, ACM Trans. Math. Softw. 24, theorem 1; Al-Mohy and Higham (2011), Computing the action of the matrix exponential, with
/// an application to exponential integrators, SIAM J. Sci. Comput. 33, theorem 2.1.
/// </remarks>
internal static class PhiFunctions
{
    /// <summary>φ₀(z) to φₚ(z): [blocks, n, n] each.</summary>
    /// <param name="z">[blocks, n, n].</param>
    /// <param name="order">p.</param>
    public static Tensor[] Of(Tensor z, int order) => Blocks(linalg.matrix_exp(Augmented(z, order)), order);

    /// <summary>
    /// The adjoint of z from those of the functions: the derivative of the exponential at zᵀ along them, which stands in the exponential of
    /// [Mᵀ W; 0 Mᵀ]. Al-Mohy and Higham (2009), Computing the Fréchet derivative of the matrix exponential, SIAM J. Matrix Anal. Appl. 30.
    /// </summary>
    /// <param name="z">[blocks, n, n].</param>
    /// <param name="cotangents">Of φ₀ to φₚ: [blocks, n, n] each.</param>
    public static Tensor Vjp(Tensor z, Tensor[] cotangents)
    {
        var transposed = Augmented(z, cotangents.Length - 1).mT;
        var (blocks, n, m) = (z.size(0), z.size(1), transposed.size(1));
        var along = cat([cat(cotangents, -1), zeros([blocks, m - n, m], z.dtype, z.device)], 1);
        var both = cat([cat([transposed, along], -1), cat([zeros_like(transposed), transposed], -1)], 1);
        return linalg.matrix_exp(both).narrow(1, 0, n).narrow(2, m, n);
    }

    private static Tensor Augmented(Tensor z, int order)
    {
        var (blocks, n) = (z.size(0), z.size(1));
        var size = (order + 1) * n;
        var matrix = zeros([blocks, size, size], z.dtype, z.device);
        matrix.narrow(1, 0, n).narrow(2, 0, n).copy_(z);
        if (order > 0) matrix.diagonal(n, 1, 2).fill_(Scalars.One);
        return matrix;
    }

    private static Tensor[] Blocks(Tensor exponential, int order)
    {
        var n = exponential.size(1) / (order + 1);
        return [.. Enumerable.Range(0, order + 1).Select(k => exponential.narrow(1, 0, n).narrow(2, k * n, n))];
    }
}
