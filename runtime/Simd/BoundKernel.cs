using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime.Simd;

/// <summary>
/// A kernel and the tensors that it reads in place, kept alive: parameters share their memory with it where that is contiguous, so that
/// what an optimizer writes is what the next solve reads; of others it reads a copy.
/// </summary>
/// <param name="make">Makes a kernel of its weights.</param>
internal sealed class BoundKernel<TRegister>(Func<IReadOnlyList<Tensor>, LaneKernel<TRegister>> make) : IDisposable
    where TRegister : struct
{
    private Tensor[] _weights = [];
    private LaneKernel<TRegister>? _kernel;

    /// <summary>A kernel that reads these tensors: the last one, as long as they lie where they lay.</summary>
    /// <exception cref="ArgumentException">A tensor is of another type, or not on the CPU.</exception>
    public LaneKernel<TRegister> Of(IReadOnlyList<Tensor> weights)
    {
        if (_kernel is not null && Reads(weights)) return _kernel;
        Dispose();
        using var withoutGradient = no_grad();
        _weights = [.. weights.Select(weight => weight.detach().contiguous().DetachFromDisposeScope())];
        return _kernel = make(_weights);
    }

    /// <summary>Releases the tensors; the kernel must not run afterwards.</summary>
    public void Dispose()
    {
        foreach (var weight in _weights) weight.Dispose();
        (_weights, _kernel) = ([], null);
    }

    /// <summary>Memory that is kept alive is nobody else's: an address says which tensor it is.</summary>
    private bool Reads(IReadOnlyList<Tensor> weights)
    {
        for (var i = 0; i < weights.Count; i++)
        {
            var weight = weights[i];
            if (weight.device_type != DeviceType.CPU || !weight.is_contiguous() || weight.bytes != _weights[i].bytes) return false;
        }

        return true;
    }
}
