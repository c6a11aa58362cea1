using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>The equations of <see cref="BacksolveAdjoint"/> on one packed vector [1, states | adjoints | parameter gradients].</summary>
internal sealed class AugmentedEquations : OdeEquations
{
    private readonly OdeEquations _equations;
    private readonly long _samples;
    private readonly long _width;
    private readonly long _parameterSize;
    private readonly Tensor _flat;                      // the parameter gradients of one evaluation, one after another
    private readonly ParameterGradients _gradients;     // the same memory by parameter

    /// <param name="equations">Of the forward solve.</param>
    /// <param name="samples">The size of its batch.</param>
    /// <param name="width">N, the size of its packed state.</param>
    /// <param name="wanted">Says which parameters' gradients are carried along.</param>
    /// <param name="like">A state of the forward solve.</param>
    public AugmentedEquations(OdeEquations equations, long samples, long width, ParameterGradients wanted, Tensor like)
    {
        (_equations, _samples, _width, _parameterSize) = (equations, samples, width, wanted.Size);
        _flat = zeros([1, _parameterSize], like.dtype, like.device);
        _gradients = new ParameterGradients(wanted, _flat.view(_parameterSize));
    }

    /// <inheritdoc/>
    public override IReadOnlyList<Tensor> Parameters => [];

    /// <summary>The numbers of the states, and of the adjoints.</summary>
    private long Size => _samples * _width;

    /// <summary>The numbers of states and adjoints together.</summary>
    public long DynamicSize => 2 * Size;

    /// <summary>The vector of states and adjoints [samples, N] and of the parameter gradients of another vector, or of zeros.</summary>
    public Tensor Pack(Tensor state, Tensor adjoint, Tensor? gradientsOf = null) => cat(
        [
            state.reshape(1, Size),
            adjoint.reshape(1, Size),
            gradientsOf?.narrow(1, DynamicSize, _parameterSize) ?? zeros([1, _parameterSize], state.dtype, state.device),
        ],
        1);

    /// <summary>The adjoints: [samples, N].</summary>
    public Tensor Adjoint(Tensor augmented) => Part(augmented, Size);

    /// <summary>Adds the parameter gradients of a vector to <paramref name="into"/>.</summary>
    public void AddParameters(Tensor augmented, ParameterGradients into) =>
        into.AddFlat(augmented.narrow(1, DynamicSize, _parameterSize).view(_parameterSize));

    /// <inheritdoc/>
    public override Tensor Drift(Tensor t, Tensor state)
    {
        var (forward, adjoint) = (Part(state, 0), Part(state, Size));
        _flat.zero_();
        var slope = _equations.Drift(t, forward, out var terms).expand_as(forward);
        var back = _equations.DriftVjp(t, forward, adjoint.neg(), _gradients, terms);    // both derivatives are those of -λ
        return cat([slope.reshape(1, Size), back.reshape(1, Size), _flat], 1);
    }

    /// <inheritdoc/>
    public override Tensor DriftVjp(Tensor t, Tensor state, Tensor w, ParameterGradients into) =>
        throw new NotSupportedException("Gradients of gradients through a solve are not available.");

    private Tensor Part(Tensor augmented, long offset) => augmented.narrow(1, offset, Size).view(_samples, _width);
}
