using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime.Simd;

/// <summary>Solves a model on SIMD registers: what <see cref="OdeSolve"/> is to tensors.</summary>
internal static class SimdSolve
{
    /// <summary>Why a solve cannot run on registers, and what to do about it; null where it can.</summary>
    /// <param name="model">What is solved.</param>
    /// <param name="binding">Its code for registers.</param>
    /// <param name="initial">The packed state that it starts from.</param>
    /// <param name="options">Everything the caller and the model's solve block decide.</param>
    /// <param name="span">The time to solve over.</param>
    public static string? Obstacle(DifferentialModel model, SimdBinding? binding, Tensor initial, SolveOptions options, SolveSpan span)
    {
        if (binding is null) return $"{model.GetName()} has no code for SIMD registers: solve it with SolveTarget.Torch.";
        if (model.Device.type != DeviceType.CPU)
            return $"SIMD registers are the CPU's, and {model.GetName()} lives on {model.Device}: move it with .to(torch.CPU), or solve it with SolveTarget.Torch.";
        if (model.Dtype != binding.Dtype)
            return $"The SIMD code of {model.GetName()} is written in {binding.Dtype}, and its parameters are {model.Dtype}: build the model in {binding.Dtype}, or solve it with SolveTarget.Torch.";
        if (is_grad_enabled() && !options.KeepsAllStates)
            return $"The {options.GradientInWords} gradient is computed by torch alone: take gradient = discrete, or SolveTarget.Torch.";
        if (span.Lanes is not null) return "Samples with times of their own are solved by torch alone: take SolveTarget.Torch.";
        if (options.Resumable) return "The state that a solve goes on from is kept by torch alone: take SolveTarget.Torch.";
        if (ReversibleScheme.Find(options.Method?.Name) is { } scheme)
            return $"Method {scheme.Name} is reversible, and those run on torch: take SolveTarget.Torch.";
        return model is OdeModel ? Obstacle(binding, initial, RungeKuttaProblem.Of(span, options)) : null;
    }

    private static string? Obstacle(SimdBinding binding, Tensor initial, RungeKuttaProblem problem)
    {
        if (problem.ObstacleOnRegisters(binding) is { } obstacle) return obstacle;
        var wantsGradient = WantsGradient(binding, initial, problem.Span);
        if (problem.Tableau.IsImplicit && wantsGradient)
            return $"Gradients through {problem.Tableau.Name} are computed by torch alone: solve without gradients (torch.no_grad()), or take SolveTarget.Torch.";
        if (binding.HasEvents && wantsGradient)
            return "Gradients through events are computed by torch alone: solve without gradients (torch.no_grad()), or take SolveTarget.Torch.";
        return problem.Span.Times is null && problem.IsAdaptive
            ? "Every step of an adaptive solve is saved by torch alone: take SaveAt.Times or SaveAt.Grid, or SolveTarget.Torch."
            : null;
    }

    /// <summary>Solves from a packed state; differentiable in it, in the saved times and in the binding's parameters.</summary>
    /// <param name="binding">The model's code.</param>
    /// <param name="layout">The states' places in the packed vector.</param>
    /// <param name="initial">[..., N]: the leading axes are the batch.</param>
    /// <param name="options">Everything the caller and the model's solve block decide.</param>
    /// <param name="span">The time to solve over.</param>
    public static Solution Run(SimdBinding binding, StateLayout layout, Tensor initial, SolveOptions options, SolveSpan span)
    {
        GradientFault.ThrowIfAny();
        var problem = RungeKuttaProblem.Of(span, options);
        var batch = OdeSolve.BatchOf(initial, layout);
        var flat = initial.dim() == 2 && initial.is_contiguous() ? initial : initial.reshape(-1, layout.Size).contiguous();
        var times = span.Source is { requires_grad: true } source ? source : null;
        var wantsInitial = initial.requires_grad || times is not null;    // an early first time moves the whole solve
        var gradient = WantsGradient(binding, initial, span) ? new SimdGradient(binding, problem, flat.detach(), wantsInitial, times is not null) : null;
        var run = gradient?.Result ?? binding.Run(problem, flat.detach(), withTape: false, withSlopes: false).Result;
        var tied = gradient is null ? null : OdeSolveFunction.Tie(gradient, flat, times, binding.Parameters);
        return OdeSolve.Describe(layout, batch, (int)flat.size(0), run, tied);
    }

    private static bool WantsGradient(SimdBinding binding, Tensor initial, SolveSpan span) =>
        is_grad_enabled()
        && (initial.requires_grad || span.Source is { requires_grad: true } || binding.Parameters.Any(parameter => parameter.requires_grad));
}
