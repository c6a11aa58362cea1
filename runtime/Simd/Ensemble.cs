using System.Numerics;
using TorchSharp;

namespace DiffEqLang.Runtime.Simd;

/// <summary>Some consecutive samples of an ensemble, solved. Valid during the call that hands it over.</summary>
/// <typeparam name="T">float or double.</typeparam>
public readonly ref struct EnsembleChunk<T>
    where T : unmanaged
{
    /// <summary>The number of the first sample.</summary>
    public required int First { get; init; }

    /// <summary>How many samples there are.</summary>
    public required int Count { get; init; }

    /// <summary>The saved times.</summary>
    public required ReadOnlySpan<double> Times { get; init; }

    /// <summary>The packed states: [times, samples, N]; NaN where a sample did not get.</summary>
    public required ReadOnlySpan<T> Values { get; init; }

    /// <summary>The last good states: [samples, N].</summary>
    public required ReadOnlySpan<T> LastState { get; init; }

    /// <summary>The times of those.</summary>
    public required ReadOnlySpan<double> LastTime { get; init; }

    /// <summary>How each sample ended.</summary>
    public required ReadOnlySpan<SolveStatus> Status { get; init; }

    /// <summary>
    /// The events of each, in the order in which they happened; no sample where the model has none. Valid beyond the call.
    /// </summary>
    public required IReadOnlyList<IReadOnlyList<RecordedEvent>> Events { get; init; }

    /// <summary>The accepted steps of each.</summary>
    public required ReadOnlySpan<long> Accepted { get; init; }

    /// <summary>The rejected steps of each.</summary>
    public required ReadOnlySpan<long> Rejected { get; init; }
}

/// <summary>Takes over what is ready of an ensemble, in the order of the samples.</summary>
public delegate void EnsembleReceiver<T>(EnsembleChunk<T> chunk)
    where T : unmanaged;

/// <summary>What became of an ensemble.</summary>
/// <param name="Samples">How many samples were solved.</param>
/// <param name="Succeeded">How many of them reached the end.</param>
/// <param name="Accepted">All accepted steps.</param>
/// <param name="Rejected">All rejected steps.</param>
public sealed record EnsembleSummary(int Samples, int Succeeded, long Accepted, long Rejected);

/// <summary>
/// Solves of one model from many initial values or parameters, on SIMD registers: millions of them, since only a part is in memory at
/// a time. Nothing of it touches torch but the reading of the parameters.
/// </summary>
/// <typeparam name="T">The model's precision: float or double.</typeparam>
public sealed class Ensemble<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>How many samples are in memory at a time: a few chunks for each of many threads.</summary>
    private const int Window = 16 * 1024;

    private readonly OdeModel _model;
    private readonly Dictionary<string, ReadOnlyMemory<T>> _parameters = [];
    private readonly int _size;

    /// <param name="model">The model; its SIMD code must be written in this precision.</param>
    public Ensemble(OdeModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        (_model, _size) = (model, (int)model.Layout.Size);
        Samples = 1;
    }

    /// <summary>How many samples there are; set by what differs between them.</summary>
    public int Samples { get; private set; }

    /// <summary>The packed initial states: [samples, N], or [N] where all start alike; the model's <c>init</c> lines where not set.</summary>
    public ReadOnlyMemory<T> Initial { get; private set; }

    /// <summary>Sets the initial states.</summary>
    /// <param name="initial">[samples, N], or [N] where all start alike: the states one after another, each row-major.</param>
    /// <exception cref="ArgumentException">The length fits neither N nor the number of samples.</exception>
    public Ensemble<T> From(ReadOnlyMemory<T> initial)
    {
        var isShared = initial.Length == _size;
        if (!isShared) Fit("The initial states", initial.Length, _size);
        Initial = initial;
        return this;
    }

    /// <summary>Gives every sample a value of a parameter or constant of its own, inside its bounds where it has any.</summary>
    /// <param name="name">As in the .deq file; it must be small enough for registers.</param>
    /// <param name="values">[samples, size].</param>
    /// <exception cref="ArgumentException">The name is unknown to the SIMD code, or the length does not fit.</exception>
    public Ensemble<T> Vary(string name, ReadOnlyMemory<T> values)
    {
        var binding = _model.BindForEnsemble<T>();
        var found = binding.Registers.FirstOrDefault(register => register.Name == name);
        if (found.Value is null)
            throw new ArgumentException(
                $"{_model.GetName()} has no parameter or constant '{name}' that can vary between samples; there are {string.Join(", ", binding.Registers.Select(r => r.Name))}.", nameof(name));
        Fit(name, values.Length, (int)found.Value.numel());
        _parameters[name] = values;
        return this;
    }

    /// <summary>Solves all samples.</summary>
    /// <param name="options">As for <see cref="DifferentialModel.Solve"/>; progress is told by samples.</param>
    /// <param name="receive">Takes over what is ready.</param>
    public EnsembleSummary Solve(SolveOptions? options, EnsembleReceiver<T> receive)
    {
        ArgumentNullException.ThrowIfNull(receive);
        var binding = _model.BindForEnsemble<T>();
        var problem = _model.ProblemOf(options);
        binding.Engines = _model.Engines;
        var engine = binding.TakeEngine(problem with { Options = problem.Options with { Progress = null } });
        try
        {
            var summary = Solve(binding, problem, engine, receive);
            binding.Engines.Return(engine);
            return summary;
        }
        catch
        {
            engine.Dispose();
            throw;
        }
    }

    private EnsembleSummary Solve(SimdBinding<T> binding, RungeKuttaProblem problem, LaneEngine<T> engine, EnsembleReceiver<T> receive)
    {
        var shared = binding.RegisterNumbers();
        var initial = Initial.IsEmpty ? _model.PackedInit<T>() : Initial;
        var (succeeded, accepted, rejected) = (0, 0L, 0L);
        EnsemblePart<T>? part = null;
        for (var first = 0; first < Samples; first += Window)
        {
            var count = Math.Min(Window, Samples - first);
            if (part?.Solve.Samples != count) part = new EnsemblePart<T>(problem, count, _size, shared);
            part.SetInitial(initial.Span, first);
            if (_parameters.Count > 0) part.SetParameters(binding.Registers, _parameters, first);
            engine.Forward(part.Solve, withTape: false);
            part.KeepAlive();
            var chunk = part.Chunk(first);
            receive(chunk);
            for (var i = 0; i < count; i++)
            {
                succeeded += chunk.Status[i] is SolveStatus.Success or SolveStatus.Stopped ? 1 : 0;
                (accepted, rejected) = (accepted + chunk.Accepted[i], rejected + chunk.Rejected[i]);
            }

            problem.Options.Progress?.Report(new SolveProgress(problem.Span.End, (first + count) / (double)Samples, accepted + rejected));
        }

        return new EnsembleSummary(Samples, succeeded, accepted, rejected);
    }

    /// <summary>Solves all samples into an array.</summary>
    /// <param name="options">As for <see cref="DifferentialModel.Solve"/>.</param>
    /// <param name="values">Receives the packed states at the saved times: [times, samples, N].</param>
    /// <param name="status">Receives how each sample ended; may be empty.</param>
    /// <exception cref="ArgumentException">An array is too short.</exception>
    public EnsembleSummary Solve(SolveOptions? options, Memory<T> values, Memory<SolveStatus> status = default)
    {
        return Solve(options, chunk =>
        {
            var row = chunk.Count * _size;
            for (var time = 0; time < chunk.Times.Length; time++)
                chunk.Values.Slice(time * row, row).CopyTo(values.Span[((time * Samples + chunk.First) * _size)..]);
            if (!status.IsEmpty) chunk.Status.CopyTo(status.Span[chunk.First..]);
        });
    }

    private void Fit(string what, int length, int size)
    {
        if (length == 0 || length % size != 0 || (Samples > 1 && length / size != Samples))
            throw new ArgumentException(
                $"{what} must be {(Samples > 1 ? $"{Samples} samples" : "samples")} of {size} numbers; {length} numbers were given.");
        Samples = length / size;
    }
}
