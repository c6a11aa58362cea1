using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>Factorizations as generated code needs them: a matrix without one spoils its own sample, not the batch.</summary>
public static class Factorizations
{
    /// <summary>The inverse; infinite or NaN where A is singular.</summary>
    /// <param name="matrix">A: [..., n, n].</param>
    /// <returns>[..., n, n]</returns>
    public static Tensor Inverse(Tensor matrix)
    {
        // TorchSharp 0.107's linalg.inv_ex does not give the inverse.
        var identity = eye(matrix.shape[^1], dtype: matrix.dtype, device: matrix.device);
        return linalg.solve_ex(matrix, identity.expand_as(matrix)).result;
    }

    /// <summary>The lower triangular L with L Lᵀ = A; NaN where A is not positive definite.</summary>
    /// <param name="matrix">A, symmetric: [..., n, n].</param>
    /// <returns>[..., n, n]</returns>
    public static Tensor Cholesky(Tensor matrix)
    {
        var (factor, failure) = linalg.cholesky_ex(matrix);
        return factor.masked_fill(failure.ne(Scalars.Of(0)).unsqueeze(-1).unsqueeze(-1), Scalars.NaN);
    }
}
