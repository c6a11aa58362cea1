using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// Sums up the gradient with respect to each of <see cref="OdeEquations.Parameters"/> over the stages, steps and
/// samples of a solve, in place.
/// </summary>
public sealed class ParameterGradients
{
    private readonly Tensor?[] _sums;

    /// <param name="parameters">The tensors whose gradients are summed.</param>
    /// <param name="wanted">Which of them are; all where null.</param>
    public ParameterGradients(IReadOnlyList<Tensor> parameters, Func<int, bool>? wanted = null)
    {
        _sums = new Tensor?[parameters.Count];
        for (var i = 0; i < _sums.Length; i++)
            if (wanted?.Invoke(i) ?? true)
                _sums[i] = zeros_like(parameters[i], requires_grad: false);
    }

    /// <summary>Whether the gradient of a parameter is asked for; generated code skips its terms where not.</summary>
    public bool Wants(int parameter) => _sums[parameter] is not null;

    /// <summary>The sum so far, in the parameter's shape; null where it is not wanted.</summary>
    public Tensor? this[int parameter] => _sums[parameter];

    /// <summary>Adds a value [..., shape of the parameter], summed over its leading axes.</summary>
    public void Add(int parameter, Tensor value)
    {
        if (_sums[parameter] is not { } sum) return;
        var leading = (int)(value.dim() - sum.dim());
        if (leading <= 0)
        {
            sum.add_(value, Scalars.One);
            return;
        }

        var axes = new long[leading];
        for (var i = 0; i < leading; i++) axes[i] = i;
        using var total = value.sum(axes);
        sum.add_(total, Scalars.One);
    }

    /// <summary>Adds Σ over the batch of left ⊗ right: left [..., m], right [..., n], parameter [m, n].</summary>
    public void AddOuter(int parameter, Tensor left, Tensor right)
    {
        if (_sums[parameter] is not { } sum) return;
        if (left.dim() == 2 && right.dim() == 2)
        {
            using var columns = left.t();
            sum.addmm_(columns, right);
            return;
        }

        using var flatLeft = left.reshape(-1, left.size(-1));
        using var flatRight = right.reshape(-1, right.size(-1));
        using var transposed = flatLeft.t();
        sum.addmm_(transposed, flatRight);
    }
}
