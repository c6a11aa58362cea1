using DiffEqLang.Tableaux;
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

    /// <summary>How often the Jacobian was computed.</summary>
    public long Jacobians { get; private set; }

    /// <summary>How many matrices were factorized, each for the whole batch.</summary>
    public long Factorizations { get; private set; }

    /// <summary>Makes ready for an attempt from a state, [samples, N].</summary>
    public void Open(StepGeometry geometry, Tensor state)
    {
        _geometry = geometry;
        _inverses.Clear();
        if (ReferenceEquals(state, _state)) return;
        Dispose();
        (_state, _jacobian, _timeDerivative) = (state, null, null);
    }

    /// <summary>∂f/∂t at the step's start: [samples, N].</summary>
    public Tensor TimeDerivative() =>
        _timeDerivative ??= equations.DriftTimeDerivative(_geometry!.TimeOf(0), _state!).DetachFromDisposeScope();

    /// <summary>(M - h block ⊗ J)⁻¹: [samples, m N, m N], in the dispose scope of the attempt.</summary>
    public Tensor Inverse(double[,] block)
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
    public Tensor Filter(double γ, Tensor vector) => Times(Inverse(new[,] { { γ } }), vector);

    /// <summary>[samples, m N, m N] times [samples, ..., N], of m vectors each.</summary>
    public static Tensor Times(Tensor matrix, Tensor vectors) =>
        matrix.bmm(vectors.reshape(vectors.size(0), -1, 1)).view(vectors.shape);

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
