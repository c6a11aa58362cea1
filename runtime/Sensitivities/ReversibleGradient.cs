using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// The exact gradient of a reversible scheme: every step is undone, and its adjoint taken at the states found again. Two vectors are all
/// that is kept of the solve, however many steps it has.
/// </summary>
internal sealed class ReversibleGradient : ISolveGradient
{
    private readonly ReversibleProblem _problem;
    private readonly GradientFault _fault = GradientFault.OfThread;
    private readonly ReversibleState _end;

    /// <param name="problem">What is solved.</param>
    /// <param name="initial">From which state, [samples, N].</param>
    public ReversibleGradient(ReversibleProblem problem, Tensor initial)
    {
        _problem = problem;
        (Run, _end) = ReversibleRun.Solve(problem, initial.detach());
    }

    /// <summary>The forward solve.</summary>
    public OdeRun Run { get; }

    /// <inheritdoc/>
    public Tensor Values => Run.Values;

    /// <inheritdoc/>
    public (Tensor? Initial, Tensor? Times, Tensor?[] Parameters) Backward(Tensor cotangents)
    {
        using var scope = NewDisposeScope();
        var parameters = _problem.Equations.Parameters;
        var into = new ParameterGradients(parameters, i => parameters[i].requires_grad);
        Tensor? initial = null;
        var isFound = _fault.Runs(
            () => initial = Reverse(cotangents, into), () => "steps are undone, and none of them is kept; take a Runge-Kutta method.");
        into.Release();
        using var noGradient = no_grad();
        if (!isFound) into = new ParameterGradients(parameters, i => parameters[i].requires_grad);
        // Copies: autograd takes no tensors made in inference mode.
        return (
            (isFound ? initial!.clone() : zeros(Run.ValuesShape[1..], cotangents.dtype, cotangents.device)).DetachFromDisposeScope(),
            null,
            [.. Enumerable.Range(0, parameters.Count).Select(i => into[i]?.DetachFromDisposeScope())]);
    }

    /// <summary>Back through the samples that reached the end; the others take no part, as in <see cref="OdeGradient"/>.</summary>
    private Tensor Reverse(Tensor cotangents, ParameterGradients into)
    {
        long[] survivors = [.. Enumerable.Range(0, Run.Status.Length).Where(i => Run.Status[i] == SolveStatus.Success).Select(i => (long)i)];
        if (survivors.Length == Run.Status.Length) return Reverse(_end, cotangents, into);
        var initial = zeros_like(cotangents.select(0, 0));
        if (survivors.Length == 0) return initial;
        var index = tensor(survivors, ScalarType.Int64, cotangents.device);
        var part = Reverse(_end.Map(tensor => tensor.index_select(0, index)), cotangents.index_select(1, index), into);
        return initial.index_copy_(0, index, part);
    }

    private Tensor Reverse(ReversibleState end, Tensor cotangents, ParameterGradients into)
    {
        var (at, adjoint, saved) = (end, end.Map(tensor => zeros_like(tensor)), _problem.Times.Length);
        foreach (var interval in _problem.Intervals.Reverse())
        {
            AddSaved(interval.To);
            for (var i = interval.Count - 1; i >= 0; i--)
            {
                using var ofStep = NewDisposeScope();
                var (before, ofBefore) = _problem.Scheme.Reverse(_problem.Equations, interval.Time(i), interval.Size, at, adjoint, into);
                if (!ReferenceEquals(at, end)) at.Dispose();
                adjoint.Dispose();
                (at, adjoint) = (before.Map(Outer), ofBefore.Map(Outer));
            }
        }

        AddSaved(_problem.Span.Start);
        return _problem.Scheme.ReverseBegin(_problem.Equations, _problem.Span.Start, at, adjoint, into);

        void AddSaved(double time)
        {
            for (; saved > 0 && _problem.Times[saved - 1] == time; saved--)
                adjoint.State.add_(cotangents.select(0, saved - 1), Scalars.One);
        }
    }

    private static Tensor Outer(Tensor tensor) => tensor.MoveToOuterDisposeScope();
}
