using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// One solve with what its backward pass needs: the tape or the saved states, and the inputs that want gradients.
/// Lives as long as the autograd node; releases the tape after the first backward pass and solves again for another.
/// </summary>
internal sealed class OdeGradient : ISolveGradient
{
    private readonly OdeProblem _problem;
    private readonly Tensor _initial;       // [samples, N]
    private readonly GradientMode _mode;
    private readonly GradientFault _fault = GradientFault.OfThread;
    private readonly Tensor? _saved;        // the saved states, for the continuous adjoint
    private OdeTape? _tape;

    /// <param name="problem">What was solved.</param>
    /// <param name="initial">From which state, [samples, N].</param>
    /// <param name="run">With which result.</param>
    /// <param name="mode">How gradients are computed.</param>
    public OdeGradient(OdeProblem problem, Tensor initial, OdeRun run, GradientMode mode)
    {
        (_problem, Run, _mode, _tape) = (problem, run, mode, run.Tape);
        _initial = initial.detach().DetachFromDisposeScope();
        // Not the values themselves: they become the node's output, and a node that holds its output is never freed.
        if (mode == GradientMode.Backsolve) _saved = run.Values.detach().DetachFromDisposeScope();
    }

    /// <summary>The forward solve.</summary>
    public OdeRun Run { get; }

    /// <inheritdoc/>
    /// <remarks>[times, samples, N]; where events have happened all in one vector, with their times behind: see <see cref="Split"/>.</remarks>
    public Tensor Values => HasEvents ? cat([Run.Values.reshape(-1), Run.EventTimes!.reshape(-1)]) : Run.Values;

    /// <summary>Whether events have happened.</summary>
    public bool HasEvents => Run.EventTimes is { } times && times.numel() > 0;

    /// <summary>The saved states and the events' times, of the node's output or of what flows back to it.</summary>
    public (Tensor States, Tensor? Times) Split(Tensor values)
    {
        if (!HasEvents) return (values, null);
        var (shape, ofTimes) = (Run.ValuesShape, Run.EventTimes!);
        var count = shape.Aggregate(1L, (product, size) => product * size);
        return (values.narrow(0, 0, count).view(shape), values.narrow(0, count, ofTimes.numel()).view(ofTimes.shape));
    }

    /// <inheritdoc/>
    public (Tensor? Initial, Tensor? Times, Tensor?[] Parameters) Backward(Tensor cotangents)
    {
        var parameters = _problem.Equations.Parameters;
        var isOfHigherOrder = is_grad_enabled();
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var into = new ParameterGradients(parameters, i => parameters[i].requires_grad);
        Tensor? initial = null, times = null;
        try
        {
            if (isOfHigherOrder)
                throw new NotSupportedException("Gradients of gradients through a solve are not available: call backward without create_graph.");
            var (ofStates, ofEvents) = Split(cotangents);
            using (inference_mode()) (initial, times) = Compute(ofStates, ofEvents, into);
        }
        catch (Exception exception)    // whatever it is, it must not reach libtorch
        {
            _fault.Keep(exception);
            into = new ParameterGradients(parameters, i => parameters[i].requires_grad);
        }

        into.Release();
        // Copies: autograd takes no tensors made in inference mode.
        using var made = initial;
        return (
            (made?.clone() ?? zeros_like(_initial)).DetachFromDisposeScope(),
            _problem.Span.Source is null ? null : (times?.clone() ?? zeros([Run.Times.Length], ScalarType.Float64)).DetachFromDisposeScope(),
            [.. Enumerable.Range(0, parameters.Count).Select(i => into[i]?.DetachFromDisposeScope())]);
    }

    private (Tensor Initial, Tensor? Times) Compute(Tensor cotangents, Tensor? eventTimes, ParameterGradients into)
    {
        var survivors = Survivors();
        Tensor initial;
        if (survivors.Length == Run.Status.Length)
            initial = Adjoint(cotangents, eventTimes, null, into);
        else if (survivors.Length == 0)
            initial = zeros_like(_initial);
        else
            initial = AdjointOf(survivors, cotangents, eventTimes, into);
        return (initial, Run.Slopes is null ? null : OfTimes(_problem, Run, cotangents, initial));
    }

    /// <summary>
    /// The lanes that reached the end. The others take no part in the backward pass: zero is what their gradients are, and not even
    /// a NaN times zero reaches the parameters.
    /// </summary>
    private int[] Survivors() =>
        [.. Enumerable.Range(0, Run.Status.Length).Where(i => Run.Status[i] is SolveStatus.Success or SolveStatus.Stopped)];

    private Tensor AdjointOf(int[] survivors, Tensor cotangents, Tensor? eventTimes, ParameterGradients into)
    {
        var index = tensor([.. survivors.Select(i => (long)i)], ScalarType.Int64, _initial.device);
        using var part = Adjoint(cotangents.index_select(1, index), eventTimes?.index_select(0, index), survivors, into);
        return zeros_like(_initial).index_copy_(0, index, part);
    }

    private Tensor Adjoint(Tensor cotangents, Tensor? eventTimes, int[]? survivors, ParameterGradients into)
    {
        if (_mode == GradientMode.Backsolve) return Backsolve(cotangents, survivors, into);
        var tape = Interlocked.Exchange(ref _tape, null) ?? OdeIntegrator.Run(_problem, _initial, withTape: true).Tape!;
        using (tape)
        {
            if (survivors is null) return Reverse(tape, cotangents, eventTimes, into);
            using var part = tape.Select(survivors);
            return Reverse(part, cotangents, eventTimes, into);
        }
    }

    private Tensor Reverse(OdeTape tape, Tensor cotangents, Tensor? eventTimes, ParameterGradients into) => _problem.Multistep is null
        ? DiscreteAdjoint.Run(_problem, tape, cotangents, into, eventTimes)
        : MultistepAdjoint.Run(_problem, tape, cotangents, into, eventTimes);

    private Tensor Backsolve(Tensor cotangents, int[]? survivors, ParameterGradients into)
    {
        var (initial, saved, step) = (_initial, _saved!, Run.NextStep.Min());
        if (survivors is not null)
        {
            var index = tensor([.. survivors.Select(i => (long)i)], ScalarType.Int64, _initial.device);
            (initial, saved, step) = (initial.index_select(0, index), saved.index_select(1, index), survivors.Min(i => Run.NextStep[i]));
        }

        var (gradient, warning) = BacksolveAdjoint.Run(_problem, initial, Run.Times, saved, step, cotangents, into);
        if (warning is not null) _problem.Options.Tell(warning);
        return gradient;
    }

    /// <summary>
    /// d loss / d saved time: the cotangent along the derivative of the dense output. A first saved time that is the start moves the
    /// whole solve: -λ(t₀)ᵀ f(t₀, y₀) besides (Chen et al. 2018, Neural ordinary differential equations, appendix B).
    /// </summary>
    internal static Tensor OfTimes(RungeKuttaProblem problem, OdeRun run, Tensor cotangents, Tensor initial)
    {
        var slopes = run.Slopes!;
        var times = slopes.mul(cotangents).nan_to_num().sum([1, 2]);
        if (problem.Options.Start is null && run.Times[0] == problem.Span.Start)
            times.select(0, 0).add_(slopes.select(0, 0).mul(initial).nan_to_num().sum(), Scalars.MinusOne);
        return times;
    }
}
