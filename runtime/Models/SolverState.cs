using System.Globalization;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// Where a solve ended, and all that it goes on from: states, steps, what step control remembers, past values of multistep methods, the
/// method at work in <c>auto</c>, the sides of events. A solve that goes on from it takes the steps of one that had not ended, to the last
/// bit; of several samples with events up to rounding. Made by <see cref="SolveOptions.Resumable"/>; parameters are the model's own
/// (<see cref="DifferentialModel.Save"/>).
/// </summary>
public sealed class SolverState : IDisposable
{
    private const string FormatKey = "format", Format = "diffeqlang solver state 1";
    private const string StatesKey = "states", MethodKey = "method", TimeKey = "time", EventsKey = "events";

    private readonly IReadOnlyDictionary<string, string> _description;

    private SolverState(IReadOnlyDictionary<string, Tensor> tensors, IReadOnlyDictionary<string, string> description) =>
        (Tensors, _description) = (tensors, description);

    /// <summary>The time that every sample has reached; later saved times that a sample has reached before hold NaN for it.</summary>
    public double Time => double.Parse(_description[TimeKey], CultureInfo.InvariantCulture);

    /// <summary>What <see cref="ResumePoint"/> kept.</summary>
    internal IReadOnlyDictionary<string, Tensor> Tensors { get; }

    /// <summary>The packed states that the solve goes on from, which lie before <see cref="Time"/> where its end has cut a step: [..., N].</summary>
    internal Tensor Packed => Tensors[ResumePoint.State];

    /// <summary>The state of a solve.</summary>
    /// <param name="problem">What was solved.</param>
    /// <param name="layout">The names of its states.</param>
    /// <param name="batch">The leading axes of its initial state.</param>
    /// <param name="lastTime">The time that each lane reached.</param>
    /// <param name="kept">What was kept of it.</param>
    internal static SolverState Of(
        OdeProblem problem, StateLayout layout, long[] batch, double[] lastTime, IReadOnlyDictionary<string, Tensor> kept)
    {
        var tensors = kept.ToDictionary();
        foreach (var name in (string[])[ResumePoint.State, ResumePoint.Slope])
        {
            using var flat = tensors[name];
            tensors[name] = flat.reshape([.. batch, layout.Size]).DetachFromDisposeScope();
        }

        var slowest = problem.Span.Direction > 0 ? lastTime.Min() : lastTime.Max();
        return new SolverState(tensors, new Dictionary<string, string>
        {
            [FormatKey] = Format,
            [StatesKey] = TextOf(layout),
            [MethodKey] = TextOf(problem),
            [EventsKey] = TextOfEvents(problem),
            [TimeKey] = Text(slowest),
        });
    }

    /// <summary>Writes it to a safetensors file, which appears whole or not at all.</summary>
    public void Save(string path) => Safetensors.Write(path, Tensors, _description);

    /// <summary>Reads it back.</summary>
    /// <exception cref="InvalidDataException">The file is damaged, or holds something else.</exception>
    public static SolverState Load(string path)
    {
        var content = Safetensors.Read(path);
        if (content.Metadata.GetValueOrDefault(FormatKey) == Format)
            return new SolverState(content.Tensors.ToDictionary(entry => entry.Key, entry => entry.Value.DetachFromDisposeScope()), content.Metadata);
        foreach (var tensor in content.Tensors.Values) tensor.Dispose();
        throw new InvalidDataException($"{path} holds no state of a solve: its format is '{content.Metadata.GetValueOrDefault(FormatKey)}', not '{Format}'.");
    }

    /// <exception cref="ArgumentException">It is the state of other equations or of another method, or the solve would not lead on.</exception>
    internal void Check(OdeProblem problem, StateLayout layout)
    {
        Compare("states", StatesKey, TextOf(layout));
        Compare("the method", MethodKey, TextOf(problem));
        Compare("events", EventsKey, TextOfEvents(problem));
        CheckTimes(problem.Span);
    }

    /// <summary>Whether some sample has its end ahead, and none has it behind.</summary>
    private void CheckTimes(SolveSpan span)
    {
        var (starts, reached) = (ResumePoint.StartsOf(Tensors), ResumePoint.ReachedBy(Tensors));
        var direction = starts.Zip(reached, (start, time) => Math.Sign(time - start)).FirstOrDefault(sign => sign != 0, span.Direction);
        double[] left = [.. reached.Select((time, lane) => (span.Of(lane).End - time) * direction)];
        if (left.All(ofLane => ofLane <= 0)) Refuse(0);
        if (Array.FindIndex(left, ofLane => ofLane < 0) is var behind and >= 0) Refuse(behind);

        void Refuse(int lane) => throw new ArgumentException(
            $"The solve has come to t = {reached[lane]}, and would go on to {span.Of(lane).End}{(reached.Length > 1 ? $" (sample {lane})" : "")}: give an End that lies ahead (SolveOptions.End).");
    }

    private void Compare(string what, string key, string asked)
    {
        var own = _description.GetValueOrDefault(key);
        if (own != asked)
            throw new ArgumentException($"The state is of a solve with {what} {own}, and this one has {asked}: a solve goes on with the model and the method that it began with.");
    }

    private static string TextOf(StateLayout layout) =>
        string.Join(", ", layout.Slots.Select(slot => slot.Shape.Length == 0 ? slot.Name : $"{slot.Name}[{string.Join(", ", slot.Shape)}]"));

    // Tolerances may change on the way; the size of fixed steps, which are counted, and the order that past values allow may not.
    private static string TextOf(OdeProblem problem)
    {
        var (method, options) = (problem.Method, new List<string>());
        if (!problem.IsAdaptive) options.Add($"dt = {Text(method.Dt!.Value)}");
        if (problem.Multistep is { } multistep) options.Add($"order = {method.Order ?? multistep.MostOrder}");
        if (problem.Options.Coupling == StepCoupling.Batch) options.Add("steps shared by the batch");
        return options.Count == 0 ? method.Name : $"{method.Name}({string.Join(", ", options)})";
    }

    private static string TextOfEvents(OdeProblem problem) =>
        problem.Equations.Events.Count == 0 ? "none" : string.Join(", ", problem.Equations.Events.Select(e => e.Name));

    private static string Text(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in Tensors.Values) tensor.Dispose();
    }
}
