using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace DiffEqLang.Runtime.Simd;

/// <summary>One accepted step of a register: some of its lanes moved, the others took a step of size 0.</summary>
/// <param name="State">Where the state before it lies.</param>
/// <param name="Kept">Where the states and terms of its stages lie; of length 0 where they are to be computed again.</param>
/// <param name="Saves">Whether a lane saved something inside it.</param>
/// <param name="IsDense">Whether the stages that only the dense output needs were evaluated.</param>
internal readonly record struct TapedStep<TLanes>(RegisterArena<TLanes>.Place State, RegisterArena<TLanes>.Place Kept, bool Saves, bool IsDense)
    where TLanes : struct;

/// <summary>A sample that began in a lane.</summary>
/// <param name="Step">Before which step.</param>
/// <param name="Lane">In which lane.</param>
/// <param name="Sample">The sample.</param>
/// <param name="Before">The sample that the lane had before; -1 where none.</param>
internal readonly record struct TapedStart(int Step, int Lane, int Sample, int Before);

/// <summary>The accepted steps of one register, in order, for its adjoint.</summary>
/// <param name="lanes">How many lanes the register has.</param>
/// <param name="stateSize">N.</param>
/// <param name="keptSize">How many registers the states and terms of one step's stages take; 0 where they are not to be kept.</param>
/// <param name="budget">Up to how many bytes of those are kept.</param>
internal sealed class StepTape<TLanes>(int lanes, int stateSize, int keptSize, long budget)
    where TLanes : struct
{
    private readonly RegisterArena<TLanes> _states = new();
    private readonly RegisterArena<TLanes> _kept = new();
    private readonly List<Vector<double>> _clock = [];    // a step's times, then its sizes
    private readonly List<int> _saved = [];               // a step's first saved times by lane, then those after its last
    private readonly int _vectors = lanes / Vector<double>.Count;

    /// <summary>The steps.</summary>
    public List<TapedStep<TLanes>> Steps { get; } = [];

    /// <summary>The samples, in the order in which they began.</summary>
    public List<TapedStart> Starts { get; } = [];

    /// <summary>The bytes of the states, stages and terms that there is room for.</summary>
    public long Bytes => (_states.Length + _kept.Length) * Unsafe.SizeOf<TLanes>();

    /// <summary>Whether the stages of the next step can be kept.</summary>
    public bool KeepsStages => keptSize > 0 && (_kept.Total + keptSize) * Unsafe.SizeOf<TLanes>() <= budget;

    /// <summary>Room for the states and terms of the next step's stages.</summary>
    public Span<TLanes> Draft => _kept[_kept.Peek(keptSize)];

    /// <summary>The state before a step.</summary>
    public ReadOnlySpan<TLanes> State(int step) => _states[Steps[step].State];

    /// <summary>The states and terms of its stages.</summary>
    public ReadOnlySpan<TLanes> Kept(int step) => _kept[Steps[step].Kept];

    /// <summary>The time of each lane before it.</summary>
    public ReadOnlySpan<Vector<double>> Time(int step) => CollectionsMarshal.AsSpan(_clock).Slice(2 * step * _vectors, _vectors);

    /// <summary>The signed step of each lane; 0 for those that did not move.</summary>
    public ReadOnlySpan<Vector<double>> Size(int step) => CollectionsMarshal.AsSpan(_clock).Slice((2 * step + 1) * _vectors, _vectors);

    /// <summary>The first saved time inside it, by lane.</summary>
    public ReadOnlySpan<int> FirstSaved(int step) => CollectionsMarshal.AsSpan(_saved).Slice(2 * step * lanes, lanes);

    /// <summary>The saved time after the last inside it, by lane.</summary>
    public ReadOnlySpan<int> AfterSaved(int step) => CollectionsMarshal.AsSpan(_saved).Slice((2 * step + 1) * lanes, lanes);

    /// <summary>Takes a step down.</summary>
    /// <param name="state">The state before it.</param>
    /// <param name="clock">Its times, sizes, and the lanes that it moves.</param>
    /// <param name="keepsDraft">Whether its stages lie in <see cref="Draft"/> and are right for every lane.</param>
    /// <param name="firstSaved">By lane.</param>
    /// <param name="afterSaved">By lane.</param>
    /// <param name="isDense">Whether all stages were evaluated.</param>
    public void Add(
        ReadOnlySpan<TLanes> state, RegisterClock clock, bool keepsDraft, ReadOnlySpan<int> firstSaved, ReadOnlySpan<int> afterSaved, bool isDense)
    {
        var place = _states.Take(stateSize);
        state.CopyTo(_states[place]);
        foreach (var time in clock.Time) _clock.Add(time);
        for (var v = 0; v < _vectors; v++) _clock.Add(clock.Step[v] * clock.Moved[v]);
        _saved.AddRange(firstSaved);
        _saved.AddRange(afterSaved);
        var kept = keepsDraft ? _kept.Take(keptSize) : default;
        Steps.Add(new TapedStep<TLanes>(place, kept, !firstSaved.SequenceEqual(afterSaved), isDense));
    }

    /// <summary>Forgets all, but keeps the memory.</summary>
    public void Clear()
    {
        _states.Clear();
        _kept.Clear();
        _clock.Clear();
        _saved.Clear();
        Steps.Clear();
        Starts.Clear();
    }
}
