using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>A delay τ of a model, and the parts of the state that its equations ask for at t - τ.</summary>
/// <param name="Value">τ, the same for all samples, in units of time.</param>
/// <param name="Parts">The offsets and lengths of these parts in the packed state.</param>
public sealed record Delay(double Value, IReadOnlyList<(long Offset, long Length)> Parts)
{
    /// <summary>The tensor that gradients by the delay flow to, []; null where it is a number.</summary>
    public Tensor? Source { get; private init; }

    /// <summary>How many numbers of a sample are asked for.</summary>
    public long Size { get; } = Parts.Sum(part => part.Length);

    /// <summary>A delay that is a number.</summary>
    public static Delay Of(double value, params (long Offset, long Length)[] parts) => new(value, parts);

    /// <summary>A delay that is a tensor, []: a parameter, a constant, or what is computed from such.</summary>
    public static Delay Of(Tensor value, params (long Offset, long Length)[] parts)
    {
        using var scope = NewDisposeScope();
        return new(value.detach().to(ScalarType.Float64).item<double>(), parts) { Source = value };
    }

    /// <summary>Its parts of a packed state, one after another: [samples, N] -> [samples, size]. A view where it is one.</summary>
    internal Tensor PartsOf(Tensor state) =>
        Parts.Count == 1 ? state.narrow(-1, Parts[0].Offset, Parts[0].Length) : cat([.. Parts.Select(part => state.narrow(-1, part.Offset, part.Length))], -1);

    /// <summary>The adjoint of <see cref="PartsOf"/>: [samples, size] -> [samples, N], zero elsewhere.</summary>
    internal Tensor Spread(Tensor parts, long width)
    {
        var state = zeros([parts.size(0), width], parts.dtype, parts.device);
        var offset = 0L;
        foreach (var part in Parts)
        {
            state.narrow(-1, part.Offset, part.Length).copy_(parts.narrow(-1, offset, part.Length));
            offset += part.Length;
        }

        return state;
    }
}
