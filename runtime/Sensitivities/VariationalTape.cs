using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// Follows a solve and takes each of its accepted steps with the variational equations too: the same steps of states and tangents,
/// [samples, 2N], as the discrete adjoint goes back through them.
/// </summary>
internal sealed class VariationalTape : IStepRecorder
{
    private readonly RungeKuttaKernel _first;
    private readonly RungeKuttaKernel? _stiff;      // where the method changes
    private readonly CarriedValues _carried;
    private Tensor _state;
    private Tensor? _values;

    /// <param name="problem">The variational equations, and how the solve is done.</param>
    /// <param name="state">The initial state and its tangent: [samples, 2N].</param>
    /// <param name="lanes">How many lanes step on their own.</param>
    public VariationalTape(OdeProblem problem, Tensor state, int lanes)
    {
        _first = new RungeKuttaKernel(problem, lanes, state.dtype, keepsTerms: true);
        _stiff = problem.Stiff is null ? null : new RungeKuttaKernel(problem.ByStiffMethod, lanes, state.dtype, keepsTerms: true);
        Steps = new OdeTape(lanes);
        _state = Kept(state);
        _carried = new CarriedValues(problem.Span, state, lanes);
    }

    /// <inheritdoc/>
    public bool TakesStates => false;

    /// <inheritdoc/>
    public bool WantsTerms => false;

    /// <summary>The steps.</summary>
    public OdeTape Steps { get; }

    /// <summary>The saved states and their tangents, in no dispose scope: [times, samples, 2N].</summary>
    public Tensor Values => _values!;

    /// <inheritdoc/>
    public void Add(AcceptedStep step)
    {
        var kernel = _stiff is not null && ((RungeKuttaStep)step.Attempt).Tableau == _stiff.Tableau ? _stiff : _first;
        var geometry = step.Geometry.OfMoved(step.Moves);
        var slope = kernel.Drift(geometry, 0, _state, out var terms);
        var attempt = (RungeKuttaStep)kernel.Attempt(geometry, _state, slope, terms);
        if (kernel.Failed is not null)
            throw new InvalidOperationException($"The variational equations of the step at t = {geometry.Times[0]} could not be solved: take smaller steps or a tighter tolerance.");
        if (step.Rows is not null) attempt.Extend();
        _carried.Add(step.Rows, attempt, attempt.After);
        Steps.Add(step with { Attempt = attempt, IsSound = true });    // takes over the state before it
        _state = Kept(attempt.After);
    }

    /// <inheritdoc/>
    public void Close(SolveEnd end)
    {
        end.State.Dispose();
        _values = _carried.Close(_state, end.Status);
        Steps.Close(end with { State = _state, Terms = null });
    }

    private static Tensor Kept(Tensor tensor) => tensor.alias().DetachFromDisposeScope();

    /// <inheritdoc/>
    public void Dispose()
    {
        _first.Dispose();
        _stiff?.Dispose();
        _carried.Dispose();
        _values?.Dispose();
        Steps.Dispose();
    }
}
