using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>The derivatives of the positions of a packed state, [N], where those are entries of the state themselves.</summary>
/// <param name="positions">The offsets and lengths of the positions.</param>
/// <param name="velocities">Of each block, the offset of its derivatives.</param>
internal sealed class VelocityEntries(IReadOnlyList<(long Offset, long Length)> positions, IReadOnlyList<long> velocities) : IDisposable
{
    private readonly EntryMask _positions = new(positions);
    private readonly EntryMask _velocities = new([.. velocities.Zip(positions, (offset, position) => (offset, position.Length))]);
    private Tensor? _ofPositions;      // by entry, where its velocity is
    private Tensor? _ofVelocities;     // by entry, whose velocity it is

    /// <summary>The slope of the positions at a state [..., N]; zero on the other entries.</summary>
    public Tensor Slope(Tensor state)
    {
        _ofPositions ??= Index(state, toPositions: true);
        return _positions.Inside(state.index_select(-1, _ofPositions));
    }

    /// <summary>The adjoint of the state from that of this slope: [..., N].</summary>
    public Tensor SlopeVjp(Tensor slope)
    {
        _ofVelocities ??= Index(slope, toPositions: false);
        return _velocities.Inside(slope.index_select(-1, _ofVelocities));
    }

    private Tensor Index(Tensor like, bool toPositions)
    {
        var index = new long[like.size(-1)];
        foreach (var ((position, length), velocity) in positions.Zip(velocities))
            for (var i = 0L; i < length; i++)
                index[(toPositions ? position : velocity) + i] = (toPositions ? velocity : position) + i;
        return tensor(index, device: like.device).DetachFromDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _positions.Dispose();
        _velocities.Dispose();
        _ofPositions?.Dispose();
        _ofVelocities?.Dispose();
    }
}
