namespace DiffEqLang.Runtime.Simd;

/// <summary>What comes into and goes out of a backward pass.</summary>
/// <param name="Cotangents">d loss / d saved state: [times, samples, N].</param>
/// <param name="Initial">Receives d loss / d initial state: [samples, N], zeros before; empty where not wanted.</param>
internal readonly record struct LaneGradients<T>(UnmanagedSpan<T> Cotangents, UnmanagedSpan<T> Initial)
    where T : unmanaged;
