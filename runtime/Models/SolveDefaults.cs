using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>What a model's solve block says; null where it is silent.</summary>
public sealed record SolveDefaults
{
    /// <summary>The time to start from.</summary>
    public double? Start { get; init; }

    /// <summary>The time to end at.</summary>
    public double? End { get; init; }

    /// <summary>The numerical method.</summary>
    public Method? Method { get; init; }

    /// <summary>How gradients are computed; <see cref="GradientMode.Discrete"/> where null.</summary>
    public GradientMode? Gradient { get; init; }

    /// <summary>How many states the discrete gradient keeps, at most; all where null.</summary>
    public int? Checkpoints { get; init; }

    /// <summary>What code runs; <see cref="SolveTarget.Auto"/> where null.</summary>
    public SolveTarget? Target { get; init; }

    /// <summary>As <see cref="Devices.Select(string?)"/> takes it; the CPU where null.</summary>
    public string? Device { get; init; }

    /// <summary>float32 or float64; float32 where null.</summary>
    public ScalarType? Dtype { get; init; }
}
