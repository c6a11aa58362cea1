using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// One solve with what its backward pass needs: what was recorded or the saved states, and the inputs that want gradients.
/// Lives as long as the autograd node; releases a tape after the first backward pass and solves again for another.
/// </summary>
internal sealed class OdeGradient : ISolveGradient
{
    private readonly OdeProblem _problem;
    private readonly Tensor _initial;       // [samples, N]
    private readonly GradientMode _mode;
    private readonly bool _wantsInitial;
    private readonly GradientFault _fault = GradientFault.OfThread;
    private readonly Tensor? _saved;        // the saved states, for the continuous adjoint
    private IStepRecorder? _recorder;

    /// <param name="problem">What was solved.</param>
    /// <param name="initial">From which state, [samples, N].</param>
    /// <param name="withSlopes">Whether gradients flow to the saved times.</param>
    public OdeGradient(OdeProblem problem, Tensor initial, bool withSlopes)
    {
        (_problem, _mode) = (problem, problem.Options.GradientOrDefault);
        _wantsInitial = initial.requires_grad || withSlopes;    // an early first time moves the whole solve
        (_initial, Source) = (initial.detach().DetachFromDisposeScope(), initial.alias().DetachFromDisposeScope());
        _recorder = NewRecorder();
        Run = OdeIntegrator.Run(problem, _initial, _recorder, withSlopes);
        // Not the values themselves: they become the node's output, and a node that holds its output is never freed.
        if (_mode is GradientMode.Backsolve or GradientMode.Interpolated) _saved = Run.Values.detach().DetachFromDisposeScope();
    }

    /// <summary>The forward solve.</summary>
    public OdeRun Run { get; }

    /// <summary>The initial state with what it was made of, which gradients of gradients flow to.</summary>
    public Tensor Source { get; }

    /// <summary>The tensors that the equations call parameters.</summary>
    public IReadOnlyList<Tensor> Parameters => _problem.Equations.Parameters;

    /// <summary>Why the gradients cannot be differentiated again; null where they can.</summary>
    public string? ObstacleToSecond => SecondDerivatives.Obstacle(_problem, flowsToTimes: Run.Slopes is not null);

    /// <summary>The derivatives of the saved states, where they were carried along.</summary>
    public ForwardSensitivities? Sensitivities => _recorder as ForwardSensitivities;

    private IStepRecorder? NewRecorder() => (_mode, _problem.Options.Checkpoints) switch
    {
        (GradientMode.Discrete, null) => new OdeTape(_problem.LanesOf(_initial)),
        (GradientMode.Discrete, { } most) => new CheckpointedTape(_problem, _problem.LanesOf(_initial), _initial, most),
        (GradientMode.Interpolated, _) => new InterpolatedStates(_problem, _initial),
        (GradientMode.Forward, _) => new ForwardSensitivities(_problem, _initial, _wantsInitial),
        _ => null,
    };

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
        using var scope = NewDisposeScope();
        var into = NewGradients();
        Tensor? initial = null, times = null;
        var isFound = _fault.Runs(
            () =>
            {
                var (ofStates, ofEvents) = Split(cotangents);
                (initial, times) = Compute(ofStates, ofEvents, into);
            },
            () => ObstacleToSecond!);
        into.Release();
        using var noGradient = no_grad();
        if (!isFound) (into, initial, times) = (NewGradients(), null, null);
        // Copies: autograd takes no tensors made in inference mode.
        using var made = initial;
        return (
            (made?.clone() ?? zeros_like(_initial)).DetachFromDisposeScope(),
            Run.Slopes is null ? null : (times?.clone() ?? zeros(_problem.Span.Source!.shape, ScalarType.Float64)).DetachFromDisposeScope(),
            Own(into));
    }

    /// <summary>
    /// The backward pass of <see cref="Backward"/>, given what flows back to the gradients that it gave: that of the cotangents
    /// [times, samples, N], of the initial state [samples, N] and of the parameters. Never throws, like that.
    /// </summary>
    /// <param name="cotangents">Those that the gradients were computed from.</param>
    /// <param name="ofInitial">What flows back to the initial state's; null where nothing does.</param>
    /// <param name="ofParameters">What flows back to the parameters'.</param>
    public (Tensor Cotangents, Tensor Initial, Tensor?[] Parameters) BackwardAgain(
        Tensor cotangents, Tensor? ofInitial, IReadOnlyList<Tensor?> ofParameters)
    {
        using var scope = NewDisposeScope();
        var into = NewGradients();
        Tensor? tangents = null, initial = null;
        var isFound = _fault.Runs(
            () =>
            {
                Tensor[] direction = [.. ofParameters.Zip(Parameters, (along, parameter) => along ?? zeros_like(parameter))];
                (tangents, initial) = SecondDerivatives.Run(_problem, _initial, cotangents, ofInitial ?? zeros_like(_initial), direction, into);
            },
            () => "third derivatives are not computed.");
        into.Release();
        using var noGradient = no_grad();
        if (!isFound) (into, tangents, initial) = (NewGradients(), null, null);
        using var madeTangents = tangents;
        using var made = initial;
        return (
            (madeTangents?.clone() ?? zeros_like(cotangents)).DetachFromDisposeScope(),
            (made?.clone() ?? zeros_like(_initial)).DetachFromDisposeScope(),
            Own(into));
    }

    private ParameterGradients NewGradients() => new(Parameters, i => Parameters[i].requires_grad);

    private Tensor?[] Own(ParameterGradients gradients) =>
        [.. Enumerable.Range(0, Parameters.Count).Select(i => gradients[i]?.DetachFromDisposeScope())];

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
        var index = IndexOf(survivors)!;
        using var part = Adjoint(cotangents.index_select(1, index), eventTimes?.index_select(0, index), survivors, into);
        return zeros_like(_initial).index_copy_(0, index, part);
    }

    private Tensor Adjoint(Tensor cotangents, Tensor? eventTimes, int[]? survivors, ParameterGradients into)
    {
        if (_saved is not null) return Continuous(cotangents, survivors, into);
        if (Sensitivities is { } tangents) return tangents.Pull(cotangents, IndexOf(survivors), into);
        using var tape = (StepTape)(Interlocked.Exchange(ref _recorder, null) ?? SolvedAgain());
        if (survivors is null) return DiscreteAdjoint.Run(_problem, tape, cotangents, into, eventTimes);
        using var part = tape.Of(survivors);
        return DiscreteAdjoint.Run(_problem with { Span = _problem.Span.Select(survivors) }, part, cotangents, into, eventTimes);
    }

    private IStepRecorder SolvedAgain()
    {
        var recorder = NewRecorder()!;
        var run = OdeIntegrator.Run(_problem, _initial, recorder);
        run.Values.Dispose();
        run.LastState.Dispose();
        return recorder;
    }

    private Tensor? IndexOf(int[]? lanes) =>
        lanes is null ? null : tensor([.. lanes.Select(i => (long)i)], ScalarType.Int64, _initial.device);

    private Tensor Continuous(Tensor cotangents, int[]? survivors, ParameterGradients into)
    {
        var (problem, initial, saved, step) = (_problem, _initial, _saved!, Run.NextStep.Min());
        if (survivors is not null)
        {
            var index = IndexOf(survivors)!;
            problem = problem with { Span = problem.Span.Select(survivors) };
            (initial, saved, step) = (initial.index_select(0, index), saved.index_select(1, index), survivors.Min(i => Run.NextStep[i]));
        }

        AdjointEquations backwards = _recorder is InterpolatedStates states
            ? new InterpolatedEquations(_problem, states, survivors, into, initial)
            : new BacksolveEquations(_problem, into, initial);
        var (gradient, warning) = ContinuousAdjoint.Run(problem, backwards, initial, Run.Times, saved, step, cotangents, into);
        if (warning is not null) _problem.Options.Tell(warning);
        return gradient;
    }

    /// <summary>
    /// d loss / d saved time: the cotangent along the derivative of the dense output. A first saved time that is the start moves the
    /// whole solve: -λ(t₀)ᵀ f(t₀, y₀) besides (Chen et al. 2018, Neural ordinary differential equations, appendix B).
    /// </summary>
    internal static Tensor OfTimes(RungeKuttaProblem problem, OdeRun run, Tensor cotangents, Tensor initial)
    {
        var (slopes, samples) = (run.Slopes!, problem.Span.Lanes is null ? new long[] { -2, -1 } : [-1]);
        var times = slopes.mul(cotangents).nan_to_num().sum(samples);
        if (problem.Options.Start is null)
            times.select(0, 0).add_(slopes.select(0, 0).mul(initial).nan_to_num().sum(samples), Scalars.MinusOne);
        return times.view(problem.Span.Source!.shape);
    }
}
