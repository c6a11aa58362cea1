using System.Numerics;

namespace DiffEqLang.Runtime.Simd;

/// <summary>
/// Parameter gradients that vector-Jacobian products add to: lane by lane in registers in memory, and from there, before rounding
/// has eaten much, into float64.
/// </summary>
/// <param name="size">The numbers of all gradients.</param>
/// <param name="summed">The parts that products sum over the lanes themselves, ascending.</param>
internal sealed class LaneSums<TLanes, T>(int size, IReadOnlyList<Range> summed)
    where TLanes : struct, ILanes<TLanes>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>
    /// So many products are summed in the state's precision: in float32 the sum of 64 terms loses at most 6 of 24 bits, and three
    /// on average.
    /// </summary>
    private const int ProductsAtOnce = 64;

    private readonly RegisterBuffer<TLanes> _lanes = new(size);
    private readonly double[] _sums = new double[size];
    private readonly Range[] _summed = [.. summed];
    private readonly Range[] _byLane = [.. Between(summed, size)];
    private int _products;

    /// <summary>What a product adds to.</summary>
    public Span<TLanes> Lanes => _lanes.Span;

    /// <summary>Forgets all sums.</summary>
    public void Clear()
    {
        _lanes.Span.Clear();
        Array.Clear(_sums);
        _products = 0;
    }

    /// <summary>A product has been added.</summary>
    public void Count()
    {
        if (++_products == ProductsAtOnce) Flush();
    }

    /// <summary>Copies the sums over all lanes.</summary>
    public void CopyTo(Span<double> gradients)
    {
        Flush();
        _sums.CopyTo(gradients);
    }

    /// <summary>Adds the sums over all lanes.</summary>
    public void AddTo(Span<double> gradients)
    {
        Flush();
        for (var i = 0; i < gradients.Length; i++) gradients[i] += _sums[i];
    }

    private void Flush()
    {
        _products = 0;
        foreach (var part in _byLane)
        {
            var sums = _sums.AsSpan(part);
            var registers = Lanes[part];
            for (var i = 0; i < sums.Length; i++) sums[i] += LaneNumbers<TLanes, T>.Sum(registers[i]);
            registers.Clear();
        }

        foreach (var part in _summed)
        {
            var sums = _sums.AsSpan(part);
            var numbers = LaneNumbers<TLanes, T>.Of(Lanes[part])[..sums.Length];
            for (var i = 0; i < sums.Length; i++) sums[i] += double.CreateTruncating(numbers[i]);
            numbers.Clear();
        }
    }

    /// <summary>What ascending ranges leave out of a whole.</summary>
    private static IEnumerable<Range> Between(IEnumerable<Range> ranges, int length)
    {
        var from = 0;
        foreach (var (start, size) in ranges.Select(range => range.GetOffsetAndLength(length)))
        {
            if (start > from) yield return from..start;
            from = start + size;
        }

        if (from < length) yield return from..length;
    }
}
