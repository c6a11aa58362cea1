using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// Where the accepted steps of a solve lay and what became of their lanes, as numbers on the host: all that is needed to take the same
/// steps again, to the last bit, from any of their states. 17 bytes a step and lane where nothing is rejected or saved and no
/// event happens.
/// </summary>
/// <param name="nodes">Where in a step the method evaluates the right-hand side.</param>
/// <param name="lanes">How many lanes step on their own.</param>
/// <param name="dtype">Of the state.</param>
/// <param name="device">Of the state.</param>
internal sealed class StepLog(IReadOnlyList<double> nodes, int lanes, ScalarType dtype, Device device)
{
    private readonly List<double> _times = [], _steps = [];             // [steps · lanes]
    private readonly List<bool> _hasEndSlope = [];
    private readonly Dictionary<int, (bool[] Moves, bool IsSound)> _partial = [];   // the steps that not all lanes took
    private readonly Dictionary<int, SaveRows> _rows = [];
    private readonly Dictionary<int, StepBreaks> _breaks = [];
    private readonly Dictionary<int, EventMoments> _events = [];
    private readonly HashSet<int> _anew = [];
    private bool _savesEveryStep;

    /// <summary>How many steps there are.</summary>
    public int Count => _hasEndSlope.Count;

    /// <summary>Writes the next step down.</summary>
    public void Add(AcceptedStep step)
    {
        if (!step.IsSound || step.Moves.Contains(false)) _partial.Add(Count, ([.. step.Moves], step.IsSound));
        if (step.Rows is { } rows) _rows.Add(Count, rows);
        if (step.Geometry.Breaks is { } breaks) _breaks.Add(Count, breaks);
        if (step.Events is { } events) _events.Add(Count, events.Moments);
        if (step.StartsAnew) _anew.Add(Count);
        _savesEveryStep = step.SavedAtEnd >= 0;
        _times.AddRange(step.Geometry.Times);
        _steps.AddRange(step.Geometry.Steps);
        _hasEndSlope.Add(step.HasEndSlope);
    }

    /// <summary>Where a step was attempted, by its number.</summary>
    public StepGeometry Geometry(int step) =>
        new(
            nodes, [.. _times.GetRange(step * lanes, lanes)], [.. _steps.GetRange(step * lanes, lanes)], dtype, device,
            _breaks.GetValueOrDefault(step));

    /// <summary>The lanes that it moved; null where it moved all.</summary>
    public bool[]? Moves(int step) => _partial.TryGetValue(step, out var partial) ? partial.Moves : null;

    /// <summary>Whether its stages were finite in every lane.</summary>
    public bool IsSound(int step) => !_partial.TryGetValue(step, out var partial) || partial.IsSound;

    /// <summary>Whether the right-hand side was evaluated at its end.</summary>
    public bool HasEndSlope(int step) => _hasEndSlope[step];

    /// <summary>The saved times inside it; null where there are none.</summary>
    public SaveRows? Rows(int step) => _rows.GetValueOrDefault(step);

    /// <summary>The events that cut it; null where there are none.</summary>
    public EventMoments? Events(int step) => _events.GetValueOrDefault(step);

    /// <summary>Whether its first slope is not the end slope of the step before.</summary>
    public bool StartsAnew(int step) => _anew.Contains(step);

    /// <summary>The saved time that is its end, where every step is saved; else -1.</summary>
    public int SavedAtEnd(int step) => _savesEveryStep ? step + 1 : -1;
}
