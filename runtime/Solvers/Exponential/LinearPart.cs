using DiffEqLang.Tableaux;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// The matrix A of a linear part A x, and products with functions of it: one block [1, N, N], or where it is diagonal a block for each
/// entry, [N, 1, 1], so that everything takes N numbers in place of N².
/// </summary>
internal sealed class LinearPart : IDisposable
{
    private readonly OdeEquations _equations;
    private readonly bool _isDiagonal;
    private readonly Tensor _time;

    /// <param name="equations">The equations, whose implicit part is linear.</param>
    /// <param name="state">Says how long and of what type the state is: [samples, N].</param>
    /// <param name="start">The time at which a lane begins; A does not depend on it.</param>
    public LinearPart(OdeEquations equations, Tensor state, double start)
    {
        using var scope = NewDisposeScope();
        (_equations, _isDiagonal) = (equations, equations.ImplicitStructure == LinearStructure.Diagonal);
        _time = HostVector.ToDevice([start], [], state.dtype, state.device).DetachFromDisposeScope();
        var size = state.size(1);
        var matrix = _isDiagonal
            ? equations.ImplicitDrift(_time, ones([1, size], state.dtype, state.device)).expand(1, size).reshape(size, 1, 1)
            : PartialEquations.Of(equations, DriftPart.Implicit).DriftJacobian(_time, zeros([1, size], state.dtype, state.device)).expand(1, size, size);
        Matrix = matrix.to(ScalarType.Float64).clone().DetachFromDisposeScope();
    }

    /// <summary>A: [blocks, n, n], in float64 whatever the state is in.</summary>
    public Tensor Matrix { get; }

    /// <summary>M x for every sample: [samples, N].</summary>
    /// <param name="function">M, a function of A: [blocks, n, n].</param>
    /// <param name="vectors">[samples, N].</param>
    public Tensor Times(Tensor function, Tensor vectors) =>
        _isDiagonal ? vectors.mul(function.view(-1)) : vectors.matmul(function.select(0, 0).t());

    /// <summary>Mᵀ w for every sample: [samples, N].</summary>
    public Tensor TransposedTimes(Tensor function, Tensor vectors) =>
        _isDiagonal ? vectors.mul(function.view(-1)) : vectors.matmul(function.select(0, 0));

    /// <summary>The adjoint of M, from that of M x: Σ over samples of w xᵀ, within the blocks; [blocks, n, n].</summary>
    public Tensor Outer(Tensor w, Tensor x) =>
        _isDiagonal ? w.mul(x).sum([0L]).view(-1, 1, 1) : w.t().matmul(x).unsqueeze(0);

    /// <summary>Adds the gradient of the parameters that A is made of, from the adjoint of A: the products with all unit vectors, weighted by its columns.</summary>
    /// <param name="adjoint">[blocks, n, n].</param>
    /// <param name="into">The parameters' gradients.</param>
    public void Pull(Tensor adjoint, ParameterGradients into)
    {
        adjoint = adjoint.to(_time.dtype);
        var (states, weights) = _isDiagonal
            ? (ones_like(adjoint).view(1, -1), adjoint.view(1, -1))
            : (eye(adjoint.size(1), dtype: adjoint.dtype, device: adjoint.device), adjoint.select(0, 0).t().contiguous());
        _equations.ImplicitDriftVjp(_time, states, weights, into);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Matrix.Dispose();
        _time.Dispose();
    }
}
