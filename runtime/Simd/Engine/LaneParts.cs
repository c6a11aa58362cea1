using DiffEqLang.Tableaux;

namespace DiffEqLang.Runtime.Simd;

/// <summary>Which numbers of the state the stages of a method move.</summary>
/// <param name="tableau">The method.</param>
/// <param name="size">N, the numbers of a state.</param>
/// <param name="velocities">As <see cref="LaneKernel{TRegister}.Velocities"/>: given where the method moves parts of the state.</param>
internal sealed class LaneParts(RungeKuttaTableau tableau, int size, ReadOnlySpan<int> velocities)
{
    private readonly int[] _all = [.. Enumerable.Range(0, size)];
    private readonly int[] _velocities = [.. velocities];
    private readonly int[] _positions = [.. Those(velocities, isPosition: true)];
    private readonly int[] _momenta = [.. Those(velocities, isPosition: false)];

    /// <summary>Whether a stage's slope is the velocities at its state, and takes no evaluation.</summary>
    public bool IsVelocity(int stage) => stage > 0 && tableau.Parts[stage] == StatePart.Positions;

    /// <summary>The numbers of the state that a stage moves.</summary>
    public int[] Of(int stage) => Of(tableau.Parts[stage]);

    /// <summary>The sums of a stage's row of A: on the numbers that its slope depends on. The others are left as they are.</summary>
    public LaneSum<TLanes>[] Row<TLanes>(int stage)
        where TLanes : struct, ILanes<TLanes> => tableau.Parts[stage] switch
        {
            StatePart.Positions => [Sum<TLanes>(StatePart.Momenta, tableau.A[stage])],
            StatePart.Momenta => [Sum<TLanes>(StatePart.Positions, tableau.A[stage])],
            _ => Sums<TLanes>(tableau.A[stage]),
        };

    /// <summary>Weights over stages as sums over those that move each part of the state.</summary>
    public LaneSum<TLanes>[] Sums<TLanes>(double[] weights)
        where TLanes : struct, ILanes<TLanes> => tableau.IsPartitioned
        ? [Sum<TLanes>(StatePart.Positions, weights), Sum<TLanes>(StatePart.Momenta, weights)]
        : [Sum<TLanes>(StatePart.Whole, weights)];

    /// <summary>The slope of the positions at a state: the velocities there.</summary>
    public void Slope<TLanes>(ReadOnlySpan<TLanes> state, Span<TLanes> slope)
    {
        foreach (var c in _positions) slope[c] = state[_velocities[c]];
    }

    /// <summary>The adjoint of the state from that of this slope.</summary>
    public void SlopeVjp<TLanes>(ReadOnlySpan<TLanes> slope, Span<TLanes> state)
    {
        state.Clear();
        foreach (var c in _positions) state[_velocities[c]] = slope[c];
    }

    /// <summary>Leaves of the adjoint of a slope what the stage moves.</summary>
    public void Restrict<TLanes>(int stage, Span<TLanes> slope)
    {
        if (tableau.Parts[stage] == StatePart.Whole) return;
        foreach (var c in tableau.Parts[stage] == StatePart.Positions ? _momenta : _positions) slope[c] = default!;
    }

    private int[] Of(StatePart part) => part switch
    {
        StatePart.Positions => _positions,
        StatePart.Momenta => _momenta,
        _ => _all,
    };

    private LaneSum<TLanes> Sum<TLanes>(StatePart part, double[] weights)
        where TLanes : struct, ILanes<TLanes> =>
        new(Of(part).Length, Fours(Of(part)), [.. weights.Index()
            .Where(pair => pair.Item != 0 && (tableau.Parts[pair.Index] == part || tableau.Parts[pair.Index] == StatePart.Whole))
            .Select(pair => (pair.Index, TLanes.Of(pair.Item)))]);

    /// <summary>With the last repeated, so that there is a multiple of four.</summary>
    private static int[] Fours(int[] components) =>
        [.. components, .. Enumerable.Repeat(components.LastOrDefault(), (4 - components.Length % 4) % 4)];

    private static List<int> Those(ReadOnlySpan<int> velocities, bool isPosition)
    {
        var those = new List<int>();
        for (var c = 0; c < velocities.Length; c++)
            if (velocities[c] >= 0 == isPosition)
                those.Add(c);
        return those;
    }
}

/// <summary>A weighted sum of slopes on some numbers of the state.</summary>
/// <param name="Count">How many numbers.</param>
/// <param name="Components">Which, the last repeated up to a multiple of four: four sums that do not wait for each other take as long as one.</param>
/// <param name="Weights">The stages, and their weights.</param>
internal sealed record LaneSum<TLanes>(int Count, int[] Components, (int Stage, TLanes Weight)[] Weights);
