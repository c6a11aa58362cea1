using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>Short vectors, one number a sample, between the host, where steps are decided, and the device.</summary>
internal static class HostVector
{
    /// <summary>Copies a tensor of any real type to the host; waits for the device.</summary>
    public static double[] ToHost(Tensor vector)
    {
        using var host = vector.device_type == DeviceType.CPU && vector.dtype is ScalarType.Float32 or ScalarType.Float64
            ? vector.alias()
            : vector.to(ScalarType.Float64).cpu();
        var values = new double[host.numel()];
        if (host.dtype == ScalarType.Float64)
        {
            MemoryMarshal.Cast<byte, double>(host.bytes).CopyTo(values);
            return values;
        }

        var singles = MemoryMarshal.Cast<byte, float>(host.bytes);
        for (var i = 0; i < values.Length; i++) values[i] = singles[i];
        return values;
    }

    /// <summary>Numbers of lanes, or of other rows, as an index.</summary>
    public static Tensor Index(IEnumerable<int> rows, Device device) => tensor([.. rows.Select(row => (long)row)], ScalarType.Int64, device);

    /// <summary>A vector of the type of a tensor and where that is.</summary>
    public static Tensor Like(double[] values, Tensor like) => ToDevice(values, [values.Length], like.dtype, like.device);

    /// <summary>A tensor of the given type and shape from numbers on the host.</summary>
    public static Tensor ToDevice(double[] values, ReadOnlySpan<long> shape, ScalarType dtype, Device device)
    {
        if (dtype != ScalarType.Float32) return tensor(values, shape, dtype, device);
        var singles = new float[values.Length];
        for (var i = 0; i < values.Length; i++) singles[i] = (float)values[i];
        return tensor(singles, shape, dtype, device);
    }
}
