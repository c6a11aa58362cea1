using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>What a solve found: states at the saved times, and how it went, sample by sample.</summary>
/// <remarks>
/// A sample that did not reach a saved time has NaN there, and no gradient flows through it; the other samples of the batch are
/// as they would be without it. A sample that an event has stopped rests in its last state: that is what it has at later times.
/// </remarks>
public class Solution
{
    private readonly StateLayout _layout;
    private readonly Lazy<IReadOnlyList<IReadOnlyList<EventOccurrence>>>? _events;
    private Tensor? _eventTimes;

    internal Solution(StateLayout layout, Tensor times, Tensor packed, IReadOnlyList<SolveStatus> status, Statistics statistics)
    {
        (_layout, Times, Packed, Status, Statistics) = (layout, times, packed, status, statistics);
        LastState = packed;
    }

    /// <summary>The same solution; for derived classes that name its states.</summary>
    protected Solution(Solution other)
    {
        ArgumentNullException.ThrowIfNull(other);
        (_layout, Times, Packed, Status, Statistics) = (other._layout, other.Times, other.Packed, other.Status, other.Statistics);
        (LastTime, LastState, OutputOf) = (other.LastTime, other.LastState, other.OutputOf);
        (HasEvents, _events, _eventTimes) = (other.HasEvents, other._events, other._eventTimes);
        (Sensitivities, OriginOf, MethodChanges, Kept) = (other.Sensitivities, other.OriginOf, other.MethodChanges, other.Kept);
    }

    /// <summary>The same solution, of a model that has events.</summary>
    internal Solution(Solution other, Lazy<IReadOnlyList<IReadOnlyList<EventOccurrence>>> events, Tensor eventTimes)
        : this(other) => (HasEvents, _events, _eventTimes) = (true, events, eventTimes);

    /// <summary>The saved times, float64, on the CPU: [T], or [T, ...] with the axes of the batch where every sample has its own.</summary>
    public Tensor Times { get; }

    /// <summary>The packed states at the saved times: [T, ..., N]. Gradients flow from it.</summary>
    public Tensor Packed { get; }

    /// <summary>How each sample of the (flattened) batch ended.</summary>
    public IReadOnlyList<SolveStatus> Status { get; }

    /// <summary>What the solve cost.</summary>
    public Statistics Statistics { get; }

    /// <summary>The last time that each sample reached with a good state; the end where it succeeded.</summary>
    public IReadOnlyList<double> LastTime { get; internal init; } = [];

    /// <summary>The packed states at <see cref="LastTime"/>: [..., N]. No gradient flows from it.</summary>
    public Tensor LastState { get; internal init; }

    /// <summary>
    /// By which method each sample of the (flattened) batch was solved, from when on, where the solve chooses it (<see cref="Methods.Auto"/>); else empty.
    /// </summary>
    public IReadOnlyList<IReadOnlyList<MethodChange>> MethodChanges { get; internal init; } = [];

    /// <summary>What the solve goes on from, by <see cref="OdeModel.Resume"/>, to later times or after a restart of the program.</summary>
    /// <exception cref="InvalidOperationException">It was not kept.</exception>
    public SolverState SolverState =>
        Kept ?? throw new InvalidOperationException("The state of the solver was not kept: solve with SolveOptions.Resumable.");

    /// <summary>The same; null where it was not kept.</summary>
    internal SolverState? Kept { get; set; }

    /// <summary>Whether the model has events, whether or not one has happened.</summary>
    public bool HasEvents { get; }

    /// <summary>The events of each sample of the (flattened) batch, in the order in which they happened. Made where it is asked for.</summary>
    public IReadOnlyList<IReadOnlyList<EventOccurrence>> Events =>
        _events?.Value ?? [.. Status.Select(_ => (IReadOnlyList<EventOccurrence>)[])];

    /// <summary>
    /// The times of these in the type of the states, [..., most events of a sample]; NaN where a sample had fewer. Gradients flow from
    /// it: the time of an event moves with the state and the parameters.
    /// </summary>
    public Tensor EventTimes => _eventTimes ??= empty([.. Packed.shape[1..^1], 0], Packed.dtype, Packed.device);

    /// <summary>
    /// The derivatives of the saved states by a parameter: [T, ..., N, shape of the parameter]; by the value, not by the unconstrained number
    /// that a bounded parameter is registered as. An <c>init</c> may depend on it; an initial value that was passed to the solve does not. To
    /// be asked for before parameters change. NaN where a sample did not get. No gradient flows from it.
    /// </summary>
    /// <exception cref="InvalidOperationException">The solve was not one of <see cref="GradientMode.Forward"/> with gradients enabled.</exception>
    /// <exception cref="ArgumentException">There is no parameter of that name.</exception>
    public Tensor Sensitivity(string parameter)
    {
        var sensitivities = OfForwardMode();
        if (OriginOf is null) throw new InvalidOperationException("These equations name no parameters.");
        using var scope = NewDisposeScope();
        using var withGradient = enable_grad();
        return sensitivities.Of(OriginOf(parameter)).MoveToOuterDisposeScope();
    }

    /// <summary>The derivatives of the saved states by the packed initial state of the same sample: [T, ..., N, N].</summary>
    /// <exception cref="InvalidOperationException">
    /// The solve was not one of <see cref="GradientMode.Forward"/> with gradients enabled, or its initial state does not require them.
    /// </exception>
    public Tensor InitialSensitivity => OfForwardMode().OfInitial;

    private SolutionSensitivities OfForwardMode() => Sensitivities ?? throw new InvalidOperationException(
        "Sensitivities are carried along by GradientMode.Forward, with gradients enabled and where a parameter or the initial state requires them.");

    /// <summary>What was carried along by <see cref="GradientMode.Forward"/>; null elsewhere.</summary>
    internal SolutionSensitivities? Sensitivities { get; set; }

    /// <summary>What the solve was made of, as a function of a parameter by its name; null for bare equations.</summary>
    internal Func<string, SensitivityOrigin>? OriginOf { get; set; }

    /// <summary>Evaluates an output of the model by name, from times and packed states; null for bare equations.</summary>
    internal Func<string, Tensor, Tensor, Tensor>? OutputOf { get; set; }

    /// <summary>A state at the saved times, by its place: [T, ..., shape].</summary>
    public Tensor State(int slot) => _layout.Unpack(Packed, slot);

    /// <summary>A state at the saved times, by its name: [T, ..., shape].</summary>
    /// <exception cref="ArgumentException">There is no state of that name.</exception>
    public Tensor State(string name)
    {
        for (var slot = 0; slot < _layout.Slots.Count; slot++)
            if (_layout.Slots[slot].Name == name)
                return State(slot);
        throw new ArgumentException($"There is no state {name}; the states are {string.Join(", ", _layout.Slots.Select(s => s.Name))}.");
    }

    /// <summary>An output of the model at the saved times: [T, ..., shape].</summary>
    /// <exception cref="InvalidOperationException">The equations have no outputs.</exception>
    public Tensor Output(string name)
    {
        if (OutputOf is null) throw new InvalidOperationException("These equations declare no outputs.");
        long[] shape = [.. Times.shape, .. Enumerable.Repeat(1L, (int)(Packed.dim() - 1 - Times.dim()))];
        return OutputOf(name, Times.to(Packed.dtype, Packed.device).reshape(shape), Packed);
    }

    /// <summary>Whether every sample reached the end.</summary>
    public bool Succeeded => Status.All(status => status is SolveStatus.Success or SolveStatus.Stopped);

    /// <summary>What happened to the samples that did not, and what may help; empty where all succeeded.</summary>
    public string Message => string.Join(" ", Status
        .Select((status, sample) => (status, sample))
        .GroupBy(s => s.status)
        .Select(group => Explain(group.Key, [.. group.Select(s => s.sample)]))
        .Where(sentence => sentence.Length > 0));

    /// <summary>Answers for the solution.</summary>
    /// <exception cref="SolveException">A sample did not reach the end.</exception>
    public void EnsureSuccess()
    {
        if (!Succeeded) throw new SolveException(Message, this);
    }

    private string Explain(SolveStatus status, IReadOnlyList<int> samples)
    {
        var time = samples[0] < LastTime.Count ? $" at t = {LastTime[samples[0]]:g6}" : "";
        var who = Status.Count == 1 ? "The solve" : samples.Count == 1 ? $"Sample {samples[0]}" : $"{samples.Count} samples (sample {samples[0]} first)";
        return status switch
        {
            SolveStatus.Success or SolveStatus.Stopped => "",
            SolveStatus.MaxSteps => $"{who} used up its steps{time}: raise MaxSteps, loosen rtol and atol, or take an implicit method if the equations are stiff.",
            SolveStatus.StepTooSmall => $"{who} needs steps lost in rounding{time}: loosen rtol and atol, use float64, or look for a singularity or a delay next to zero there.",
            SolveStatus.NonFinite => $"{who} met NaN or infinity{time}: the solution may blow up there, or the equations leave their domain; take smaller steps or check the initial values.",
            SolveStatus.EndlessEvents => $"{who} met events that follow each other ever faster{time}: end the solve there with `stop` once what drives them is small, or let the event change the state so that it comes to rest.",
            SolveStatus.NewtonDiverged => $"{who} found no solution of the implicit equations{time}: take a smaller first step.",
            SolveStatus.ConstraintsUnsolved => $"{who} found no values of the algebraic unknowns that fulfil the constraints{time}: give a guess nearer to them (`init`), or look for unknowns on which no constraint depends there (a singular mass matrix).",
            SolveStatus.Cancelled => $"{who} was cancelled{time}.",
            _ => throw new InvalidOperationException($"Unknown status {status}."),
        };
    }
}

/// <summary>A solve did not reach its end.</summary>
public sealed class SolveException : Exception
{
    internal SolveException(string message, Solution solution)
        : base(message) => Solution = solution;

    /// <summary>What was reached.</summary>
    public Solution Solution { get; }
}
