namespace DiffEqLang.Runtime;

/// <summary>
/// The times at which the solution of a delay equation may not be smooth: the start, where the past meets the equations, events, and every
/// sum of delays after them. What is broken in a derivative arrives one derivative higher a delay later, so that sums of as many delays as the
/// method's order suffice. Steps land on them.
/// </summary>
/// <remarks>Hairer, Nørsett and Wanner (1993), Solving Ordinary Differential Equations I, II.17.</remarks>
internal sealed class Discontinuities
{
    private readonly double[] _delays;
    private readonly int _order;
    private readonly PriorityQueue<int, double>[] _pending;     // of each lane: how many delays after a break, by time

    /// <param name="delays">The delays, positive.</param>
    /// <param name="order">Of the method.</param>
    /// <param name="span">From where the lanes start.</param>
    /// <param name="lanes">How many lanes there are.</param>
    public Discontinuities(IEnumerable<Delay> delays, int order, SolveSpan span, int lanes)
    {
        (_delays, _order) = ([.. delays.Select(delay => delay.Value).Distinct()], order);
        _pending = [.. Enumerable.Range(0, lanes).Select(_ => new PriorityQueue<int, double>())];
        Next = new double[lanes];
        for (var lane = 0; lane < lanes; lane++) Add(lane, span.Of(lane).Start);
    }

    /// <summary>The next of each lane, infinite where there is none. Always the same array.</summary>
    public double[] Next { get; }

    /// <summary>A time at which a lane's state jumps, or breaks in its derivative.</summary>
    public void Add(int lane, double time) => Add(lane, time, 0);

    /// <summary>Goes on behind a time that a lane has reached.</summary>
    /// <returns>Whether there was one: what is read of the past then changes its piece, so that the next step cannot take over a slope.</returns>
    public bool Pass(int lane, double time)
    {
        var (pending, least) = (_pending[lane], int.MaxValue);
        // Sums that differ by rounding are one time.
        while (pending.TryPeek(out var level, out var next) && next - time <= RoundingOf(time))
        {
            least = Math.Min(least, level);
            pending.Dequeue();
        }

        if (least < _order) Add(lane, time, least);
        else SetNext(lane);
        return least < int.MaxValue;
    }

    /// <summary>How far times that are meant to be one may lie apart.</summary>
    public static double RoundingOf(double time) => 64 * (Math.BitIncrement(Math.Abs(time)) - Math.Abs(time));

    /// <summary>What follows from a break, which lies that many delays behind the one that it comes from.</summary>
    private void Add(int lane, double time, int level)
    {
        foreach (var delay in _delays) _pending[lane].Enqueue(level + 1, time + delay);
        SetNext(lane);
    }

    private void SetNext(int lane) => Next[lane] = _pending[lane].TryPeek(out _, out var next) ? next : double.PositiveInfinity;
}
