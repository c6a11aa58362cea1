using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>Solves bare equations on packed states: the entry that models and deqc share.</summary>
internal static class OdeSolve
{
    /// <summary>Solves from a packed state; differentiable in it, in the saved times and in the equations' parameters.</summary>
    /// <param name="equations">The right-hand side and its derivatives.</param>
    /// <param name="layout">The states' places in the packed vector.</param>
    /// <param name="initial">[..., N]: the leading axes are the batch.</param>
    /// <param name="options">Everything the caller and the model's solve block decide, the latter filled in.</param>
    public static Solution Run(OdeEquations equations, StateLayout layout, Tensor initial, SolveOptions options) =>
        Run(equations, layout, initial, options, SolveSpan.Of(options, options.Start, options.End));

    /// <summary>As above, over a span that was read before (a model has defaults for its ends).</summary>
    public static Solution Run(OdeEquations equations, StateLayout layout, Tensor initial, SolveOptions options, SolveSpan span)
    {
        GradientFault.ThrowIfAny();
        if (ReversibleScheme.Find(options.Method?.Name) is { } scheme)
            return Run(ReversibleProblem.Of(equations, scheme, span, options), layout, initial);
        var problem = OdeProblem.Of(equations, span, options);
        var batch = BatchOf(initial, layout);
        // One state without a batch is every sample's.
        if (batch.Length == 0 && span.Batch.Length > 0) (initial, batch) = (initial.expand([.. span.Batch, layout.Size]), span.Batch);
        CheckBatch(span, batch);
        var flat = initial.reshape(-1, layout.Size).contiguous();
        var wantsGradient = is_grad_enabled()
            && (initial.requires_grad || span.Source is { requires_grad: true } || equations.Parameters.Any(p => p.requires_grad));
        if (wantsGradient && equations.Events.Count > 0 && options.GradientOrDefault != GradientMode.Discrete)
            throw new NotSupportedException(
                $"The {options.GradientInWords} gradient does not go through events: take GradientMode.Discrete, which is exact there.");
        if (wantsGradient && problem.Delays.Count > 0 && span.Source is { requires_grad: true } && options.Start is null)
            throw new NotSupportedException("Equations with delays have no gradient by the time that they start at, which moves what their past is: give SolveOptions.Start, so that the saved times are others.");
        if (!wantsGradient) return Describe(problem, layout, batch, (int)flat.size(0), OdeIntegrator.Run(problem, flat.detach()), null);
        var times = span.Source is { requires_grad: true } source ? source : null;
        var gradient = new OdeGradient(problem, flat, withSlopes: times is not null);
        var (states, eventTimes) = gradient.Split(OdeSolveFunction.Tie(gradient, flat, times, equations.Parameters));
        var solution = Describe(problem, layout, batch, (int)flat.size(0), gradient.Run, states, eventTimes);
        solution.Sensitivities = gradient.Sensitivities is { } tangents ? new SolutionSensitivities(tangents, batch) : null;
        return solution;
    }

    /// <summary>Goes on with a solve, from its state; without gradients.</summary>
    /// <param name="equations">Those of the solve.</param>
    /// <param name="layout">The states' places in the packed vector.</param>
    /// <param name="from">The state.</param>
    /// <param name="options">Everything the caller and the model's solve block decide, the latter filled in.</param>
    /// <param name="defaultEnd">The time to end at where the options give none.</param>
    public static Solution Resume(OdeEquations equations, StateLayout layout, SolverState from, SolveOptions options, double? defaultEnd)
    {
        GradientFault.ThrowIfAny();
        using var noGradient = no_grad();
        var span = SolveSpan.Of(options, from.Time, defaultEnd);
        CheckBatch(span, from.Packed.shape[..^1]);
        var problem = OdeProblem.Of(equations, span.From(ResumePoint.StartsOf(from.Tensors)), options);
        from.Check(problem, layout);
        using var state = from.Packed.reshape(-1, layout.Size);
        var run = OdeIntegrator.Run(problem, state, from: from);
        return Describe(problem, layout, from.Packed.shape[..^1], (int)state.size(0), run, null);
    }

    /// <summary>The solution, with the state that the solve goes on from where that was kept.</summary>
    private static Solution Describe(
        OdeProblem problem, StateLayout layout, long[] batch, int samples, OdeRun run, Tensor? tied, Tensor? eventTimes = null)
    {
        var solution = Describe(layout, batch, samples, run, tied, eventTimes, problem.Span.Lanes is not null);
        if (run.Memory is { } kept) solution.Kept = SolverState.Of(problem, layout, batch, run.LastTime, kept);
        return solution;
    }

    /// <summary>The same by a reversible scheme.</summary>
    private static Solution Run(ReversibleProblem problem, StateLayout layout, Tensor initial)
    {
        var (batch, parameters) = (BatchOf(initial, layout), problem.Equations.Parameters);
        var flat = initial.reshape(-1, layout.Size).contiguous();
        if (!is_grad_enabled() || !(initial.requires_grad || parameters.Any(p => p.requires_grad)))
        {
            var (run, end) = ReversibleRun.Solve(problem, flat.detach());
            end.Dispose();
            return Describe(layout, batch, (int)flat.size(0), run, null);
        }

        var gradient = new ReversibleGradient(problem, flat);
        return Describe(layout, batch, (int)flat.size(0), gradient.Run, OdeSolveFunction.Tie(gradient, flat, null, parameters));
    }

    /// <summary>The solution that a run amounts to; its values are tied to autograd's graph where such are given.</summary>
    internal static Solution Describe(
        StateLayout layout, long[] batch, int samples, OdeRun run, Tensor? tied, Tensor? eventTimes = null, bool hasOwnTimes = false)
    {
        using var lastState = run.LastState;
        using var values = run.Values;    // what is returned holds the data
        var solution = new Solution(
            layout,
            tensor([.. run.Times], hasOwnTimes ? [run.ValuesShape[0], .. batch] : [run.Times.Length], ScalarType.Float64),
            tied is not null && batch.Length == 1 ? tied : (tied ?? values).view([run.ValuesShape[0], .. batch, layout.Size]),
            OfSamples(run.Status, samples),
            run.Statistics with { Accepted = OfSamples(run.Statistics.Accepted, samples), Rejected = OfSamples(run.Statistics.Rejected, samples) })
        {
            LastTime = OfSamples(run.LastTime, samples),
            LastState = lastState.reshape([.. batch, layout.Size]),
            MethodChanges = run.MethodChanges is { } changes ? OfSamples(changes, samples) : [],
        };
        return run.Events is null ? solution : new Solution(solution, run.Events, WithBatch(eventTimes ?? run.EventTimes!, batch));
    }

    /// <exception cref="ArgumentException">Samples have times of their own, and they are those of another batch.</exception>
    private static void CheckBatch(SolveSpan span, long[] batch)
    {
        if (span.Lanes is null || batch.SequenceEqual(span.Batch)) return;
        var isTransposed = batch.Length == 1 && span.Batch.Length == 1 && batch[0] == span.Count;
        throw new ArgumentException(
            $"Times of every sample's own have the axes of the batch behind that of the times, [{span.Count}, {string.Join(", ", batch)}]; these are [{span.Count}, {string.Join(", ", span.Batch)}]{(isTransposed ? ", and would fit transposed" : "")}.");
    }

    /// <summary>[samples, n] -> [..., n].</summary>
    private static Tensor WithBatch(Tensor flat, long[] batch) => flat.reshape([.. batch, flat.size(1)]);

    /// <summary>What is known of lanes, by sample: a coupled batch is one lane.</summary>
    private static IReadOnlyList<T> OfSamples<T>(IReadOnlyList<T> lanes, int samples) =>
        lanes.Count == samples ? lanes : [.. Enumerable.Repeat(lanes[0], samples)];

    /// <summary>The leading axes of a packed state.</summary>
    internal static long[] BatchOf(Tensor initial, StateLayout layout)
    {
        var shape = initial.shape;
        if (shape.Length == 0 || shape[^1] != layout.Size)
            throw new ArgumentException($"The packed initial state must end in {layout.Size} entries; it has shape [{string.Join(", ", shape)}].");
        if (!initial.is_floating_point())
            throw new ArgumentException($"The initial state must be of a floating-point type, not {initial.dtype}.");
        return shape[..^1];
    }
}
