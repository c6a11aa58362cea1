using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime.Solvers.Stochastic;

/// <summary>One step of a fixed grid and what drives it.</summary>
/// <param name="Start">Its time, [].</param>
/// <param name="End">The time after it, [].</param>
/// <param name="Length">h, above 0.</param>
/// <param name="Increment">dW, [B, M].</param>
internal readonly record struct StochasticStep(Tensor Start, Tensor End, Scalar Length, Tensor Increment);
