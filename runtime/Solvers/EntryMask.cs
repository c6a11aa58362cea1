using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>Some entries of a packed state, [N], told from the rest.</summary>
/// <param name="blocks">The offsets and lengths of these entries.</param>
internal sealed class EntryMask(IReadOnlyList<(long Offset, long Length)> blocks) : IDisposable
{
    private Tensor? _inside;
    private Tensor? _outside;

    /// <summary>A tensor [..., N] on these entries; zero on the others.</summary>
    public Tensor Inside(Tensor values) => values.mul(OnesInside(values));

    /// <summary>A tensor [..., N] on the other entries; zero on these.</summary>
    public Tensor Outside(Tensor values) => values.mul(OnesOutside(values));

    /// <summary>Ones on these entries, zeros on the others: [N].</summary>
    public Tensor OnesInside(Tensor like) => _inside ??= Mask(like, 0, 1);

    /// <summary>Zeros on these entries, ones on the others: [N].</summary>
    public Tensor OnesOutside(Tensor like) => _outside ??= Mask(like, 1, 0);

    private Tensor Mask(Tensor like, double elsewhere, double inside)
    {
        var mask = full([like.size(-1)], Scalars.Of(elsewhere), like.dtype, like.device);
        foreach (var (offset, length) in blocks) mask.narrow(0, offset, length).fill_(Scalars.Of(inside));
        return mask.DetachFromDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _inside?.Dispose();
        _outside?.Dispose();
    }
}
