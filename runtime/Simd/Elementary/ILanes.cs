namespace DiffEqLang.Runtime.Simd;

/// <summary>
/// What the elementary functions need of a register of float32 or float64 lanes. Comparisons give masks: all bits of a lane
/// set or none. Members compile to an instruction or a few; none of them branches on values.
/// </summary>
internal interface ILanes<TSelf>
    where TSelf : struct, ILanes<TSelf>
{
    /// <summary>Whether <see cref="MultiplyAdd"/> rounds once: on hardware with fused multiply-add. A constant to the JIT.</summary>
    static abstract bool IsFused { get; }

    /// <summary>The number in every lane, rounded to the lanes' precision.</summary>
    static abstract TSelf Of(double value);

    static abstract TSelf operator +(TSelf a, TSelf b);

    static abstract TSelf operator -(TSelf a, TSelf b);

    static abstract TSelf operator *(TSelf a, TSelf b);

    static abstract TSelf operator /(TSelf a, TSelf b);

    static abstract TSelf operator -(TSelf a);

    /// <summary>Bitwise, as the next three.</summary>
    static abstract TSelf operator &(TSelf a, TSelf b);

    static abstract TSelf operator |(TSelf a, TSelf b);

    static abstract TSelf operator ^(TSelf a, TSelf b);

    /// <summary>a &amp; ~b.</summary>
    static abstract TSelf AndNot(TSelf a, TSelf b);

    /// <summary>a b + c: rounded once where <see cref="IsFused"/>, twice elsewhere.</summary>
    static abstract TSelf MultiplyAdd(TSelf a, TSelf b, TSelf c);

    static abstract TSelf Sqrt(TSelf a);

    static abstract TSelf Abs(TSelf a);

    /// <summary>The smaller; b where either is NaN.</summary>
    static abstract TSelf Min(TSelf a, TSelf b);

    /// <summary>The larger; b where either is NaN.</summary>
    static abstract TSelf Max(TSelf a, TSelf b);

    /// <summary>Lane by lane a where the mask is set, b elsewhere.</summary>
    static abstract TSelf Select(TSelf mask, TSelf a, TSelf b);

    static abstract TSelf LessThan(TSelf a, TSelf b);

    static abstract TSelf Equal(TSelf a, TSelf b);

    /// <summary>Whether the mask is set in any lane.</summary>
    static abstract bool Any(TSelf mask);

    /// <summary>The sum of the lanes' bits as integers, modulo their width.</summary>
    static abstract TSelf AddBits(TSelf a, TSelf b);

    /// <summary>The difference of the lanes' bits as integers, modulo their width.</summary>
    static abstract TSelf SubtractBits(TSelf a, TSelf b);

    static abstract TSelf ShiftLeft(TSelf a, int count);

    /// <summary>Zeros are shifted in.</summary>
    static abstract TSelf ShiftRight(TSelf a, int count);

    /// <summary>The mask of the lanes whose lowest bit is set.</summary>
    static abstract TSelf LowestBit(TSelf a);

    /// <summary>x 2ⁿ, rounded once also where that is subnormal.</summary>
    /// <param name="x">A number that 2ⁿ's half does not take out of the normal range.</param>
    /// <param name="n">Integers, of magnitude at most 1100 in float64 and 160 in float32.</param>
    static abstract TSelf Scale(TSelf x, TSelf n);

    /// <summary>A function of one lane at a time.</summary>
    static abstract TSelf Map(TSelf x, Func<double, double> function);

    /// <summary>A function of two lanes at a time.</summary>
    static abstract TSelf Map(TSelf x, TSelf y, Func<double, double, double> function);
}
