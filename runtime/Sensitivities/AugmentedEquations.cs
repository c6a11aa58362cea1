using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>The equations of <see cref="BacksolveAdjoint"/> on one packed vector [1, states | adjoints | parameter gradients].</summary>
internal sealed class AugmentedEquations : OdeEquations
{
    private readonly OdeEquations _equations;
    private readonly long _samples;
    private readonly long _width;
    private readonly int[] _wanted;

    /// <param name="equations">Of the forward solve.</param>
    /// <param name="samples">The size of its batch.</param>
    /// <param name="width">N, the size of its packed state.</param>
    /// <param name="wanted">Says which parameters' gradients are carried along.</param>
    public AugmentedEquations(OdeEquations equations, long samples, long width, ParameterGradients wanted)
    {
        (_equations, _samples, _width) = (equations, samples, width);
        _wanted = [.. Enumerable.Range(0, equations.Parameters.Count).Where(wanted.Wants)];
    }

    /// <inheritdoc/>
    public override IReadOnlyList<Tensor> Parameters => [];

    private long Size => _samples * _width;

    /// <summary>The vector of states and adjoints [samples, N] and of the parameter gradients of another vector, or of zeros.</summary>
    public Tensor Pack(Tensor state, Tensor adjoint, Tensor? gradientsOf = null)
    {
        var gradients = gradientsOf is null
            ? zeros([1, _wanted.Sum(i => _equations.Parameters[i].numel())], state.dtype, state.device)
            : gradientsOf.narrow(1, 2 * Size, gradientsOf.size(1) - 2 * Size);
        return cat([state.reshape(1, Size), adjoint.reshape(1, Size), gradients], 1);
    }

    /// <summary>The adjoints: [samples, N].</summary>
    public Tensor Adjoint(Tensor augmented) => Part(augmented, Size);

    /// <summary>Adds the parameter gradients of a vector to <paramref name="into"/>.</summary>
    public void AddParameters(Tensor augmented, ParameterGradients into)
    {
        var offset = 2 * Size;
        foreach (var i in _wanted)
        {
            var parameter = _equations.Parameters[i];
            into.Add(i, augmented.narrow(1, offset, parameter.numel()).reshape(parameter.shape));
            offset += parameter.numel();
        }
    }

    /// <inheritdoc/>
    public override Tensor Drift(Tensor t, Tensor state)
    {
        var (forward, adjoint) = (Part(state, 0), Part(state, Size));
        var gradients = new ParameterGradients(_equations.Parameters, i => Array.IndexOf(_wanted, i) >= 0);
        var slope = _equations.Drift(t, forward).expand_as(forward);
        var back = _equations.DriftVjp(t, forward, adjoint, gradients);
        return cat(
            [slope.reshape(1, Size), back.neg().reshape(1, Size), .. _wanted.Select(i => gradients[i]!.neg().reshape(1, -1))], 1);
    }

    /// <inheritdoc/>
    public override Tensor DriftVjp(Tensor t, Tensor state, Tensor w, ParameterGradients into) =>
        throw new NotSupportedException("Gradients of gradients through a solve are not available.");

    private Tensor Part(Tensor augmented, long offset) => augmented.narrow(1, offset, Size).view(_samples, _width);
}
