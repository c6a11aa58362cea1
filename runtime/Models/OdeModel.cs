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
        return WithOutputs(OdeSolve.Run(Bind(), Layout, InitialOf(initial), asked, span));
    }
}
