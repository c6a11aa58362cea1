using DiffEqLang.Runtime.Sparse;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// The matrices I - g J of a batch's lanes, of one stage or step: Jacobians and factors, each of which some lanes may take anew while the others
/// keep theirs.
/// </summary>
internal abstract class NewtonMatrices : IDisposable
{
    private const long LeastSize = 48;
    private const int LeastSparsity = 8;    // rows of a matrix for each entry of one

    /// <summary>Those that suit the equations: sparse ones where the state is long and few of its entries act on each other.</summary>
    /// <param name="equations">The equations.</param>
    /// <param name="size">N.</param>
    /// <param name="lanes">How many lanes there are.</param>
    public static NewtonMatrices For(OdeEquations equations, long size, int lanes) =>
        size >= LeastSize && equations.JacobianPattern is { } pattern && pattern.Count * LeastSparsity <= size * size
            ? new SparseMatrices(equations, pattern, lanes)
            : new DenseMatrices(equations, lanes);

    /// <summary>The Jacobians as full matrices, [samples, N, N], where they are such; null where they are not, or none has been taken.</summary>
    public virtual Tensor? Jacobian
    {
        get => null;
        set => throw new NotSupportedException("Sparse Jacobians are not put back.");
    }

    /// <summary>Takes new Jacobians.</summary>
    /// <param name="which">Of which lanes.</param>
    /// <param name="time">Where: [] or [lanes].</param>
    /// <param name="state">[samples, N].</param>
    public abstract void Evaluate(int[] which, Tensor time, Tensor state);

    /// <summary>Factorizes I - gJ.</summary>
    /// <param name="which">Of which lanes.</param>
    /// <param name="g">Of every lane.</param>
    public abstract void Factorize(int[] which, double[] g);

    /// <summary>(I - gJ)⁻¹ v: [samples, N]; not finite where there is none.</summary>
    public abstract Tensor Solve(Tensor vector);

    /// <summary>(I - gJ)⁻ᵀ v: [samples, N]; not finite where there is none.</summary>
    public abstract Tensor SolveTransposed(Tensor vector);

    /// <inheritdoc/>
    public abstract void Dispose();
}
