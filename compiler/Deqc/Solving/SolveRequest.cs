namespace DiffEqLang.Deqc.Solving;

/// <summary>What the command line says about a solve; what it leaves out is the model's solve block.</summary>
internal sealed record SolveRequest
{
    /// <summary>The model's name; null where the file has one.</summary>
    public string? Model { get; init; }

    /// <summary>Values of parameters, constants, dims and initial states.</summary>
    public required Assignments Assignments { get; init; }

    /// <summary>The method's name.</summary>
    public string? Method { get; init; }

    /// <summary>Relative tolerance.</summary>
    public double? Rtol { get; init; }

    /// <summary>Absolute tolerance.</summary>
    public double? Atol { get; init; }

    /// <summary>The step.</summary>
    public double? Step { get; init; }

    /// <summary>Of random parameters and of the noise.</summary>
    public ulong Seed { get; init; }

    /// <summary>Where to compute; auto where null.</summary>
    public string? Device { get; init; }

    /// <summary>What the code runs on: auto, torch or simd; the solve block's choice where null.</summary>
    public string? Target { get; init; }

    /// <summary>Whether gradients are differentiated again.</summary>
    public bool SecondDerivatives { get; init; }

    /// <summary>float32 rather than float64.</summary>
    public bool SinglePrecision { get; init; }
}
