using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// The algebraic part of M x' = f(t, x), where M is diagonal, one for differential entries and zero for algebraic ones: constraints
/// 0 = g(t, x) stand in f in the places of the unknowns y that they determine. ∂g/∂y must be regular: index 1.
/// </summary>
/// <remarks>
/// Hairer and Wanner (1996), Solving Ordinary Differential Equations II, VI.1. All that concerns the constraints alone solves with one
/// matrix, K = M - (I - M) ∂f/∂x: the identity in differential rows, -∂g/∂x in the others.
/// </remarks>
internal sealed class AlgebraicConstraints : IDisposable
{
    private readonly OdeEquations _equations;
    private readonly EntryMask _algebraic;

    private AlgebraicConstraints(OdeEquations equations, IReadOnlyList<(long Offset, long Length)> algebraic) =>
        (_equations, _algebraic) = (equations, new EntryMask(algebraic));

    /// <summary>Those of the equations; null where they have none.</summary>
    public static AlgebraicConstraints? Of(OdeEquations equations) =>
        equations.Algebraic is { } algebraic ? new AlgebraicConstraints(equations, algebraic) : null;

    /// <summary>The diagonal of M: [N].</summary>
    public Tensor Mass(Tensor like) => _algebraic.OnesOutside(like);

    /// <summary>M v: [..., N], zero in algebraic entries.</summary>
    public Tensor TimesMass(Tensor vector) => _algebraic.Outside(vector);

    /// <summary>g(t, x) in algebraic entries, zero in the others: [samples, N].</summary>
    public Tensor Residual(Tensor time, Tensor state) => _algebraic.Inside(_equations.Drift(time, state).expand_as(state));

    /// <summary>K: [samples, N, N].</summary>
    public Tensor Matrix(Tensor time, Tensor state) => Matrix(_equations.DriftJacobian(time, state));

    /// <summary>The solution of K v = r, or of Kᵀ v = r where <paramref name="transposed"/>: [samples, N]; not finite where K is singular.</summary>
    public static Tensor Solve(Tensor matrix, Tensor right, bool transposed = false) =>
        linalg.solve_ex(transposed ? matrix.transpose(-2, -1) : matrix, right.unsqueeze(-1)).result.squeeze(-1);

    /// <summary>
    /// dx/dt: the right-hand side in differential entries, and in algebraic ones -(∂g/∂y)⁻¹ (∂g/∂x x' + ∂g/∂t), which is what the
    /// constraints, differentiated along the solution, ask for: [samples, N].
    /// </summary>
    /// <param name="drift">f(t, x), of which the algebraic entries are not read.</param>
    /// <param name="jacobian">∂f/∂x.</param>
    /// <param name="timeDerivative">∂f/∂t.</param>
    public Tensor Derivative(Tensor drift, Tensor jacobian, Tensor timeDerivative) =>
        Solve(Matrix(jacobian), TimesMass(drift).add_(_algebraic.Inside(timeDerivative), Scalars.One));

    /// <summary>dx/dt at a place.</summary>
    public Tensor DerivativeAt(Tensor time, Tensor state, Tensor drift) =>
        Derivative(drift.expand_as(state), _equations.DriftJacobian(time, state), _equations.DriftTimeDerivative(time, state));

    /// <summary>dx/dt in algebraic entries, zero in the others: [samples, N].</summary>
    public Tensor AlgebraicDerivative(Tensor time, Tensor state) =>
        _algebraic.Inside(DerivativeAt(time, state, _equations.Drift(time, state)));

    /// <summary>
    /// The vector-Jacobian product of dx/dt, in two parts: what it adds to the adjoint of f(t, x), zero in algebraic entries, and what
    /// the derivatives of f add to the adjoint of x directly; adds the latter's part for the parameters to <paramref name="into"/>.
    /// </summary>
    public (Tensor Drift, Tensor State) DerivativeVjp(Tensor time, Tensor state, Tensor w, ParameterGradients into)
    {
        var matrix = Matrix(time, state);
        var (adjoint, rate) = (Solve(matrix, w, transposed: true), DerivativeAt(time, state, _equations.Drift(time, state)));
        var ofConstraints = _algebraic.Inside(adjoint);
        var ofJacobian = _equations.JacobianVjp(time, state, rate, ofConstraints, into);
        return (TimesMass(adjoint), ofJacobian.add(_equations.TimeDerivativeVjp(time, state, ofConstraints, into), Scalars.One).expand_as(state));
    }

    /// <summary>
    /// The vector-Jacobian product of the map from differential entries to the state that fulfils the constraints, by the implicit function
    /// theorem: zero in algebraic entries, which are but a guess. Adds the parameters' part to <paramref name="into"/>.
    /// </summary>
    public Tensor ConsistentVjp(Tensor time, Tensor state, Tensor w, ParameterGradients into)
    {
        var adjoint = Solve(Matrix(time, state), w, transposed: true);
        _equations.DriftVjp(time, state, _algebraic.Inside(adjoint), into);
        return TimesMass(adjoint);
    }

    private Tensor Matrix(Tensor jacobian)
    {
        var matrix = jacobian.mul(_algebraic.OnesInside(jacobian).unsqueeze(-1)).neg_();
        matrix.diagonal(0, -2, -1).add_(Mass(jacobian), Scalars.One);
        return matrix;
    }

    /// <inheritdoc/>
    public void Dispose() => _algebraic.Dispose();
}
