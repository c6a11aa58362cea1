using System.Numerics;

namespace DiffEqLang.Runtime.Simd;

/// <summary>
/// Parameter gradients that vector-Jacobian products add to: lane by lane in registers in memory, and from there, before rounding
/// has eaten much, into float64.
/// </summary>
/// <param name="size">The numbers of all gradients.</param>
internal sealed class LaneSums<TLanes, T>(int size)
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

    /// <summary>Adds the sums over all lanes.</summary>
    public void AddTo(Span<double> gradients)
    {
        Flush();
        for (var i = 0; i < gradients.Length; i++) gradients[i] += _sums[i];
    }

    private void Flush()
    {
        _products = 0;
        var lanes = _lanes.Span;
        for (var i = 0; i < _sums.Length; i++) _sums[i] += LaneNumbers<TLanes, T>.Sum(lanes[i]);
        lanes.Clear();
    }
}
