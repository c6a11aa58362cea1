using DiffEqLang.Runtime.Solvers.Stochastic;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime.Simd;

/// <summary>Solves a model with noise on SIMD registers: what <see cref="SdeSolver"/> is to tensors, along the same paths.</summary>
internal static class SimdSdeSolve
{
    /// <summary>Solves from the initial states of a flat batch; differentiable in them and in the binding's parameters.</summary>
    /// <param name="binding">The model's code.</param>
    /// <param name="problem">What is solved.</param>
    /// <param name="initial">[B, N].</param>
    public static SdeResult Solve(SimdBinding binding, StochasticProblem problem, Tensor initial)
    {
        GradientFault.ThrowIfAny();
        using var flat = initial.detach().contiguous();
        var wantsGradient = is_grad_enabled() && (initial.requires_grad || binding.Parameters.Any(parameter => parameter.requires_grad));
        var run = binding.Run(problem, flat, wantsGradient);
        if (!wantsGradient) return run.Result;
        using var saved = run.Result.Saved;    // a node that holds its output is never freed: what is returned holds the data
        return run.Result with { Saved = OdeSolveFunction.Tie(new SimdSdeGradient(binding, run), initial, null, binding.Parameters) };
    }
}
