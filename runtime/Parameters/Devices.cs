using System.Globalization;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>Chooses the device that a model lives on, from its name in a solve block or on a command line.</summary>
public static class Devices
{
    /// <summary>The device of a name: <c>auto</c>, <c>cpu</c>, <c>cuda</c>, <c>cuda:1</c> or <c>mps</c>.</summary>
    /// <remarks><c>auto</c> (or null) is CUDA where it works, else MPS, else the CPU.</remarks>
    /// <exception cref="ArgumentException">There is no such name.</exception>
    /// <exception cref="InvalidOperationException">This machine, or its libtorch package, does not have the device.</exception>
    public static Device Select(string? name) => Select(name, DeviceAvailability.OfThisMachine);

    internal static Device Select(string? name, DeviceAvailability available)
    {
        var asked = (name ?? "auto").Trim().ToLowerInvariant();
        var (kind, index) = asked.Split(':', 2) is [var head, var tail] ? (head, tail) : (asked, null);
        return (kind, index) switch
        {
            ("auto", null) => Automatic(available),
            ("cpu", null) => CPU,
            ("mps", null) when available.HasMps() => new Device(DeviceType.MPS),
            ("mps", null) => throw Missing("mps", "Metal is there on macOS with Apple silicon alone"),
            ("cuda", _) => Cuda(index, available),
            _ => throw new ArgumentException(
                $"There is no device '{name}'. Devices are auto, cpu, cuda, cuda:0, cuda:1 and so on, and mps.", nameof(name)),
        };
    }

    private static Device Automatic(DeviceAvailability available) =>
        available.CudaDevices() > 0 ? new Device(DeviceType.CUDA, 0)
        : available.HasMps() ? new Device(DeviceType.MPS)
        : CPU;

    private static Device Cuda(string? index, DeviceAvailability available)
    {
        var number = 0;
        if (index is not null && !int.TryParse(index, NumberStyles.None, CultureInfo.InvariantCulture, out number))
            throw new ArgumentException($"'cuda:{index}' does not number a device; write cuda:0, cuda:1 and so on.", nameof(index));
        var count = available.CudaDevices();
        if (count == 0)
            throw Missing("cuda", "libtorch sees no NVIDIA GPU: check the driver, and that the application references a CUDA package of libtorch rather than the CPU one");
        if (number >= count)
            throw Missing($"cuda:{number}", $"there {(count == 1 ? "is one, cuda:0" : $"are {count}, cuda:0 to cuda:{count - 1}")}");
        return new Device(DeviceType.CUDA, number);
    }

    private static InvalidOperationException Missing(string device, string why) =>
        new($"Device {device} is not available: {why}. Use device = auto or cpu to run without it.");
}

/// <summary>What devices there are. Tests put in their own.</summary>
/// <param name="CudaDevices">The number of CUDA devices that work.</param>
/// <param name="HasMps">Whether Metal works.</param>
internal sealed record DeviceAvailability(Func<int> CudaDevices, Func<bool> HasMps)
{
    /// <summary>As libtorch finds them.</summary>
    public static DeviceAvailability OfThisMachine { get; } = new(() => cuda.is_available() ? cuda.device_count() : 0, mps_is_available);
}
