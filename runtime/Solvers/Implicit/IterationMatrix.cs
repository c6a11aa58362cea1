using DiffEqLang.Runtime.Sparse;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// The matrices M - h A ⊗ J of one step's implicit stages, inverted: J is the Jacobian at the step's start, A the coefficients of a group of
/// stages. Derivatives are kept while the step goes on from the same state, so that an attempt after a rejected one has them already.
/// </summary>
/// <param name="equations">The equations that are solved.</param>
/// <param name="constraints">Their algebraic part, which makes M other than the identity; null where there is none.</param>
internal sealed class IterationMatrix(OdeEquations equations, AlgebraicConstraints? constraints) : IDisposable
{
    private readonly List<(double[,] Block, Tensor Inverse)> _inverses = [];
    private StepGeometry? _geometry;
    private Tensor? _state;
    private Tensor? _jacobian;          // [samples, N, N]
    private Tensor? _timeDerivative;    // [samples, N]
    private SparseMatrices? _sparse;    // those of one stage, where there are such
    private Tensor? _sparseState;       // where their Jacobian was taken
    private double _sparseFactor;       // the coefficient that they are factorized for; 0: none in this attempt
    private bool _isDense = constraints is not null;

    /// <summary>How often the Jacobian was computed.</summary>
    public long Jacobians { get; private set; }

    /// <summary>How many matrices were factorized, each for the whole batch.</summary>
    public long Factorizations { get; private set; }

    /// <summary>Makes ready for an attempt from a state, [samples, N].</summary>
    public void Open(StepGeometry geometry, Tensor state)
    {
        (_geometry, _sparseFactor) = (geometry, 0);
        _inverses.Clear();
        if (ReferenceEquals(state, _state)) return;
        Dispose();
        (_state, _jacobian, _timeDerivative) = (state, null, null);
    }

    /// <summary>The Jacobian at the step's start, where it was computed as a full matrix: [samples, N, N].</summary>
    public Tensor? JacobianAtStart => _jacobian;

    /// <summary>∂f/∂t at the step's start: [samples, N].</summary>
    public Tensor TimeDerivative() =>
        _timeDerivative ??= equations.DriftTimeDerivative(_geometry!.TimeOf(0), _state!).DetachFromDisposeScope();

    /// <summary>Multiplies m vectors of each sample, [samples, ..., N], by (M - h block ⊗ J)⁻¹.</summary>
    public Func<Tensor, Tensor> SolverOf(double[,] block)
    {
        if (block.Length == 1 && SparseOf(block[0, 0]) is { } sparse) return vectors => sparse.Solve(vectors);
        var inverse = Inverse(block);
        return vectors => Times(inverse, vectors);
    }

    /// <summary>(M - hγJ)⁻ᵀ v: [samples, N].</summary>
    public Tensor FilterTransposed(double γ, Tensor vector) =>
        SparseOf(γ)?.SolveTransposed(vector) ?? Times(Inverse(new[,] { { γ } }).transpose(1, 2), vector);

    /// <summary>(M - h block ⊗ J)⁻¹: [samples, m N, m N], in the dispose scope of the attempt.</summary>
    private Tensor Inverse(double[,] block)
    {
        foreach (var (known, inverse) in _inverses)
            if (known.Cast<double>().SequenceEqual(block.Cast<double>()))
                return inverse;
        Factorizations++;
        var made = Runtime.Factorizations.Inverse(StageMatrix.Of(_geometry!, block, Jacobian(), constraints?.Mass(_state!)));
        _inverses.Add((block, made));
        return made;
    }

    /// <summary>dx/dt at the step's start, from f(t, x) there: [samples, N].</summary>
    public Tensor Derivative(Tensor drift) =>
        constraints is null ? drift : constraints.Derivative(drift, Jacobian(), TimeDerivative());

    /// <summary>(M - hγJ)⁻¹ v: [samples, N].</summary>
    public Tensor Filter(double γ, Tensor vector) => SolverOf(new[,] { { γ } })(vector);

    /// <summary>[samples, m N, m N] times [samples, ..., N], of m vectors each.</summary>
    public static Tensor Times(Tensor matrix, Tensor vectors) =>
        matrix.bmm(vectors.reshape(vectors.size(0), -1, 1)).view(vectors.shape);

    /// <summary>The sparse matrices I - hγJ of one stage, factorized; null where they are not sparse.</summary>
    private SparseMatrices? SparseOf(double γ)
    {
        if (_isDense) return null;
        double[] g = [.. _geometry!.Steps.Select(step => γ * step)];
        _sparse ??= NewtonMatrices.For(equations, _state!.size(-1), g.Length) as SparseMatrices;
        _isDense = _sparse is null;
        if (_sparse is null || _sparseFactor == γ) return _sparse;
        int[] all = [.. Enumerable.Range(0, g.Length)];
        if (!ReferenceEquals(_sparseState, _state))
        {
            _sparse.Evaluate(all, _geometry.TimeOf(0), _state!);
            (_sparseState, Jacobians) = (_state, Jacobians + 1);
        }

        _sparse.Factorize(all, g);
        (_sparseFactor, Factorizations) = (γ, Factorizations + 1);
        return _sparse;
    }

    private Tensor Jacobian()
    {
        if (_jacobian is not null) return _jacobian;
        Jacobians++;
        return _jacobian = equations.DriftJacobian(_geometry!.TimeOf(0), _state!).DetachFromDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _jacobian?.Dispose();
        _timeDerivative?.Dispose();
    }
}
