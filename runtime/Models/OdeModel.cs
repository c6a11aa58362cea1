using DiffEqLang.Runtime.Simd;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>The base of generated models without noise.</summary>
public abstract class OdeModel : DifferentialModel
{
    /// <inheritdoc/>
    protected OdeModel(string name, StateLayout layout, SolveDefaults defaults, Device? device, ScalarType? dtype)
        : base(name, layout, defaults, device, dtype) { }

    /// <inheritdoc/>
    protected sealed override Solution SolvePacked(IReadOnlyList<Tensor?> initial, SolveOptions? options)
    {
        var asked = Complete(options);
        var span = SpanOf(asked);
        var state = InitialOf(initial);
        return WithOutputs(ChooseSimd(asked, span) is { } binding
            ? SimdSolve.Run(binding, Layout, state, asked, span)
            : OdeSolve.Run(Bind(), Layout, state, asked, span));
    }

    /// <summary>The model's code for SIMD registers, where the solve is to run on it.</summary>
    /// <exception cref="InvalidOperationException">It must, and cannot.</exception>
    private SimdBinding? ChooseSimd(SolveOptions options, SolveSpan span)
    {
        if (options.Target == SolveTarget.Torch) return null;
        var binding = BindSimd();
        if (SimdSolve.Obstacle(this, binding, options, span) is not { } obstacle) return binding;
        binding?.Dispose();
        return options.Target == SolveTarget.Simd ? throw new InvalidOperationException(obstacle) : null;
    }
}
