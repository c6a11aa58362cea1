using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>How gradients of a solution are computed.</summary>
public enum GradientMode
{
    /// <summary>The exact gradient of the numerical scheme; step sizes count as fixed. Memory grows with the steps.</summary>
    Discrete,

    /// <summary>The continuous adjoint, the state solved backwards beside it. Memory does not grow; accuracy is the solver's.</summary>
    Backsolve,

    /// <summary>
    /// The continuous adjoint along the dense output of the forward solve: as stable as that, and accurate to its tolerances. Memory
    /// grows with the steps.
    /// </summary>
    Interpolated,

    /// <summary>
    /// The variational equations, solved beside the state: exact for the numerical scheme, and the derivatives of all saved states come
    /// with it (<see cref="Solution.Sensitivity"/>). The cost of a step grows with the number of parameters; memory with that of saved times.
    /// </summary>
    Forward,

    /// <summary>
    /// Steps undone one by one, by methods that can (<see cref="Methods.ReversibleNames"/>): exact for the numerical scheme up to rounding,
    /// in memory that does not grow with the steps.
    /// </summary>
    Reversible,
}

/// <summary>Whether the samples of a batch share their steps.</summary>
public enum StepCoupling
{
    /// <summary>Each sample keeps its own time, step and status: its result does not depend on its batch mates.</summary>
    PerSample,

    /// <summary>One step for all, chosen by the error over the whole batch. Fewer operations a step.</summary>
    Batch,
}

/// <summary>What the caller decides about one solve; everything left out is the model's solve block, then the default.</summary>
public sealed record SolveOptions
{
    /// <summary>The time to start from.</summary>
    public double? Start { get; init; }

    /// <summary>The time to end at; may lie before <see cref="Start"/>.</summary>
    public double? End { get; init; }

    /// <summary>What of the solution is kept; the end alone where null.</summary>
    public SaveAt? Save { get; init; }

    /// <summary>The numerical method.</summary>
    public Method? Method { get; init; }

    /// <summary>How gradients are computed.</summary>
    public GradientMode? Gradient { get; init; }

    /// <summary>
    /// How many states the discrete gradient keeps beside the initial one, at most, however many steps there are; all where null. With n of
    /// them, steps up to (n + t over t) in number are taken up to t times, the first time included; the gradient is the same to the last bit.
    /// </summary>
    public int? Checkpoints { get; init; }

    /// <summary>The gradient that is computed where none is asked for.</summary>
    internal GradientMode GradientOrDefault => Gradient ?? GradientMode.Discrete;

    /// <summary>Whether gradients come from all states of the solve: those alone go through delays and constraints, and run on registers.</summary>
    internal bool KeepsAllStates => GradientOrDefault == GradientMode.Discrete && Checkpoints is null;

    /// <summary>The gradient as it is written in a solve block.</summary>
    internal string GradientInWords =>
        GradientOrDefault.ToString().ToLowerInvariant() + (Checkpoints is { } most ? $"(checkpoints = {most})" : "");

    /// <summary>Whether all is kept that the solve goes on from later: <see cref="Solution.SolverState"/>. On torch alone.</summary>
    public bool Resumable { get; init; }

    /// <summary>Whether the samples of a batch share their steps.</summary>
    public StepCoupling Coupling { get; init; } = StepCoupling.PerSample;

    /// <summary>The most steps, accepted or not, that a sample may take.</summary>
    public int MaxSteps { get; init; } = 100_000;

    /// <summary>What code runs; the model's choice where null, and <see cref="SolveTarget.Auto"/> where it has none.</summary>
    public SolveTarget? Target { get; init; }

    /// <summary>On how many threads the SIMD target works, which changes no result; torch's number where null.</summary>
    public int? Threads { get; init; }

    /// <summary>Chooses the Brownian path: the same seed gives the same path on every device and in every batch split.</summary>
    public ulong Seed { get; init; }

    /// <summary>
    /// The number of the batch's first sample, where a larger batch is solved in parts: sample i sees the Brownian path
    /// of sample FirstSample + i.
    /// </summary>
    public long FirstSample { get; init; }

    /// <summary>Whether Brownian paths come in mirrored pairs, 2k + 1 the negative of 2k, to reduce variance.</summary>
    public bool Antithetic { get; init; }

    /// <summary>Ends the solve early, with status <see cref="SolveStatus.Cancelled"/>.</summary>
    public CancellationToken CancellationToken { get; init; }

    /// <summary>Told of the progress now and then.</summary>
    public IProgress<SolveProgress>? Progress { get; init; }

    /// <summary>
    /// Told of what makes a result doubtful, by the solve or by the backward pass through it, on its thread. Where null, the first
    /// warning of each kind in a process goes to standard error.
    /// </summary>
    public Action<SolveWarning>? Warned { get; init; }

    /// <summary>Passes a warning on.</summary>
    internal void Tell(SolveWarning warning)
    {
        if (Warned is not null) Warned(warning);
        else warning.WriteOnce(Console.Error);
    }
}

/// <summary>How far a solve has come.</summary>
/// <param name="Time">The time reached, of the slowest sample.</param>
/// <param name="Fraction">Of the span of time, 0 to 1.</param>
/// <param name="Steps">Steps taken so far, accepted and rejected.</param>
public readonly record struct SolveProgress(double Time, double Fraction, long Steps);

/// <summary>Which times of a solution are kept.</summary>
public abstract record SaveAt
{
    private SaveAt() { }

    /// <summary>The end of the solve alone.</summary>
    public static SaveAt End { get; } = new AtEnd();

    /// <summary>The start and every accepted step (of all samples where they step apart: batch-coupled solves only).</summary>
    public static SaveAt Steps { get; } = new AtSteps();

    /// <summary>Exactly these times, in the direction of the solve; the first and the last bound it.</summary>
    public static SaveAt Times(params ReadOnlySpan<double> times) => new AtTimes(times.ToArray(), [], null);

    /// <summary>
    /// These times, to which gradients flow: [T], or [T, ...] with the axes of the batch behind, so that every sample has times of its own, which
    /// bound its solve, and goes its own way in time. In the order of <see cref="Solution.Times"/>. An initial state without a batch is every
    /// sample's. On torch, by steps that samples do not share.
    /// </summary>
    public static SaveAt Times(Tensor times)
    {
        using var values = times.detach().to(ScalarType.Float64).cpu().contiguous();
        return new AtTimes(values.data<double>().ToArray(), times.dim() > 1 ? times.shape[1..] : [], times);
    }

    /// <summary>
    /// This many evenly spaced times from a start to an end, to which gradients flow: the start moves the whole solve, the end alone
    /// where it stops. Scalars, or of the batch's shape, [...]: every sample then has a start and an end of its own, as in <see cref="Times(Tensor)"/>.
    /// </summary>
    public static SaveAt Between(Tensor start, Tensor end, int count = 2)
    {
        if (count < 2) throw new ArgumentException("SaveAt.Between needs at least two times.", nameof(count));
        if (start.dim() > 0 && end.dim() > 0 && !start.shape.SequenceEqual(end.shape))
            throw new ArgumentException($"SaveAt.Between needs a start and an end of one shape, or one of them for all samples, not [{string.Join(", ", start.shape)}] and [{string.Join(", ", end.shape)}].");
        using var places = linspace(0, 1, count, ScalarType.Float64);
        using var column = places.reshape([count, .. Enumerable.Repeat(1L, (int)Math.Max(start.dim(), end.dim()))]);
        return Times(start.to(ScalarType.Float64).cpu().lerp(end.to(ScalarType.Float64).cpu(), column));
    }

    /// <summary>This many evenly spaced times, both ends included.</summary>
    public static SaveAt Grid(int count) => new AtGrid(count);

    internal sealed record AtEnd : SaveAt;

    internal sealed record AtSteps : SaveAt;

    /// <param name="Values">The times, [T], or [T, ...] with the axes of the batch, row by row.</param>
    /// <param name="Batch">The axes of the batch, where every sample has times of its own; else none.</param>
    /// <param name="Source">The tensor that they came from.</param>
    internal sealed record AtTimes(double[] Values, long[] Batch, Tensor? Source) : SaveAt
    {
        public bool Equals(AtTimes? other) =>
            other is not null && ReferenceEquals(Source, other.Source) && Values.AsSpan().SequenceEqual(other.Values);

        public override int GetHashCode() => Values.Length;
    }

    internal sealed record AtGrid(int Count) : SaveAt;
}
