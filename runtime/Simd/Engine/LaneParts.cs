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

    /// <summary>
    /// The part of the step along a stage's slope that is the state of the stage after it: where that is the velocities' and the next acceleration
    /// lies where they lead to, as in every method of Nyström's. Otherwise 0.
    /// </summary>
    public double Onward(int stage) =>
        IsVelocity(stage) && stage + 1 < tableau.A.Count && tableau.Parts[stage + 1] == StatePart.Momenta
            && !tableau.A[stage + 1].AsSpan(0, stage).ContainsAnyExcept(0.0)
            ? tableau.A[stage + 1][stage]
            : 0;

    /// <summary>The numbers of the state that a stage moves.</summary>
    public int[] Of(int stage) => Of(tableau.Parts[stage]);

    /// <summary>
    /// The sums of a stage's row of A: on the numbers that its slope depends on. Those of a stage that moves the positions are its slope, as
    /// numbers of which they are given.
    /// </summary>
    public LaneSum<TRegister>[] Row<TRegister>(int stage)
        where TRegister : struct => tableau.Parts[stage] switch
        {
            StatePart.Positions => [Sum<TRegister>(StatePart.Momenta, [.. _positions.Select(c => _velocities[c])], _positions, tableau.A[stage], Onward(stage))],
            StatePart.Momenta => [Sum<TRegister>(StatePart.Positions, tableau.A[stage])],
            _ => Sums<TRegister>(tableau.A[stage]),
        };

    /// <summary>Weights over stages as sums over those that move each part of the state.</summary>
    public LaneSum<TRegister>[] Sums<TRegister>(double[] weights)
        where TRegister : struct => tableau.IsPartitioned
        ? [Sum<TRegister>(StatePart.Positions, weights), Sum<TRegister>(StatePart.Momenta, weights)]
        : [Sum<TRegister>(StatePart.Whole, weights)];

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

    private LaneSum<TRegister> Sum<TRegister>(StatePart part, double[] weights)
        where TRegister : struct => Sum<TRegister>(part, Of(part), Of(part), weights);

    private LaneSum<TRegister> Sum<TRegister>(StatePart part, int[] components, int[] targets, double[] weights, double onward = 0)
        where TRegister : struct => LaneSum<TRegister>.Of(_all.Length, components, targets, [.. weights.Index()
            .Where(pair => pair.Item != 0 && (tableau.Parts[pair.Index] == part || tableau.Parts[pair.Index] == StatePart.Whole))], onward);

    private static List<int> Those(ReadOnlySpan<int> velocities, bool isPosition)
    {
        var those = new List<int>();
        for (var c = 0; c < velocities.Length; c++)
            if (velocities[c] >= 0 == isPosition)
                those.Add(c);
        return those;
    }
}
