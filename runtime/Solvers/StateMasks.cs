using DiffEqLang.Tableaux;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>Ones on the positions of a packed state and on its momenta, zeros on the rest: how a stage moves one part.</summary>
/// <param name="positions">The offsets and lengths of the positions.</param>
internal sealed class StateMasks(IReadOnlyList<(long Offset, long Length)> positions) : IDisposable
{
    private Tensor? _positions;     // [N]
    private Tensor? _momenta;       // [N]

    /// <summary>A tensor [samples, N] on the entries of a part; zero on the others.</summary>
    public Tensor OfPart(StatePart part, Tensor values) => part switch
    {
        StatePart.Positions => values.mul(_positions ??= Mask(values, 0, 1)),
        StatePart.Momenta => values.mul(_momenta ??= Mask(values, 1, 0)),
        _ => values,
    };

    private Tensor Mask(Tensor like, double elsewhere, double onPositions)
    {
        var mask = full([like.size(-1)], Scalars.Of(elsewhere), like.dtype, like.device);
        foreach (var (offset, length) in positions) mask.narrow(0, offset, length).fill_(Scalars.Of(onPositions));
        return mask.DetachFromDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _positions?.Dispose();
        _momenta?.Dispose();
    }
}
