namespace DiffEqLang.Runtime.Simd;

/// <summary>
/// The states of a tile before each block of steps: what its gradient needs. The states inside a block are computed again, along
/// increments that are drawn again, so that memory grows with the blocks alone (of 16 to 256 steps each).
/// </summary>
/// <param name="blocks">How many blocks there are.</param>
/// <param name="length">The registers of the tile's states.</param>
internal sealed class StochasticTape<TLanes>(int blocks, int length)
    where TLanes : struct
{
    private readonly TLanes[] _states = new TLanes[blocks * length];

    /// <summary>The states before a block.</summary>
    public Span<TLanes> State(int block) => _states.AsSpan(block * length, length);
}
