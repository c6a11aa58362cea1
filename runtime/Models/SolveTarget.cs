namespace DiffEqLang.Runtime;

/// <summary>What code a solve runs.</summary>
public enum SolveTarget
{
    /// <summary>SIMD registers where the model has code for them and it applies; torch elsewhere.</summary>
    Auto,

    /// <summary>Tensors: any device, any size; a few microseconds a call.</summary>
    Torch,

    /// <summary>SIMD registers on the CPU, one sample a lane; an exception where that is not to be had.</summary>
    Simd,
}
