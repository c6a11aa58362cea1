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
    private readonly Tensor?[] _rows;   // the same memory as [1, size]
    private readonly Tensor? _flat;
    private Tensor? _ones;              // [1, samples]: a sum over samples is a matrix product with it, added in place

    /// <param name="parameters">The tensors whose gradients are summed.</param>
    /// <param name="wanted">Which of them are; all where null.</param>
    public ParameterGradients(IReadOnlyList<Tensor> parameters, Func<int, bool>? wanted = null)
    {
        (_sums, _rows) = (new Tensor?[parameters.Count], new Tensor?[parameters.Count]);
        for (var i = 0; i < _sums.Length; i++)
            if (wanted?.Invoke(i) ?? true)
                _sums[i] = zeros(parameters[i].shape, parameters[i].dtype, parameters[i].device);
    }

    /// <summary>Sums that lie one after another in one vector.</summary>
    /// <param name="like">Says which parameters are wanted.</param>
    /// <param name="flat">[size of all that are], zeros.</param>
    internal ParameterGradients(ParameterGradients like, Tensor flat)
    {
        (_sums, _rows, _flat) = (new Tensor?[like._sums.Length], new Tensor?[like._sums.Length], flat);
        var offset = 0L;
        for (var i = 0; i < _sums.Length; i++)
        {
            if (like._sums[i] is not { } sum) continue;
            _rows[i] = flat.narrow(0, offset, sum.numel()).view(1, sum.numel());
            _sums[i] = _rows[i]!.view(sum.shape);
            offset += sum.numel();
        }
    }

    /// <summary>How many numbers are summed up.</summary>
    internal long Size => _sums.Sum(sum => sum?.numel() ?? 0);

    /// <summary>Whether the gradient of a parameter is asked for; generated code skips its terms where not.</summary>
    public bool Wants(int parameter) => _sums[parameter] is not null;

    /// <summary>The sum so far, in the parameter's shape; null where it is not wanted.</summary>
    public Tensor? this[int parameter] => _sums[parameter];

    /// <summary>Adds a value [..., shape of the parameter], summed over its leading axes.</summary>
    public void Add(int parameter, Tensor value)
    {
        if (_sums[parameter] is not { } sum) return;
        if (value.dim() <= sum.dim())
        {
            sum.add_(value, Scalars.One);
            return;
        }

        var row = _rows[parameter] ??= Beside(sum, sum.view(1, -1));
        if (value.dim() == 2 && sum.dim() == 1)
        {
            row.addmm_(Ones(sum, value.size(0)), value);
            return;
        }

        using var samples = value.reshape(-1, sum.numel());
        row.addmm_(Ones(sum, samples.size(0)), samples);
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

    /// <summary>Adds sums that lie one after another as those of <see cref="ParameterGradients(ParameterGradients, Tensor)"/>.</summary>
    internal void AddFlat(Tensor flat)
    {
        var other = new ParameterGradients(this, flat);
        for (var i = 0; i < _sums.Length; i++)
            if (other._sums[i] is { } value)
                Add(i, value);
    }

    private Tensor Ones(Tensor sum, long samples)
    {
        if (_ones is null || _ones.size(1) != samples) _ones = Beside(sum, ones([1, samples], sum.dtype, sum.device));
        return _ones;
    }

    /// <summary>What is kept between calls lives as long as the sum, not as the dispose scope of the call that made it.</summary>
    private static Tensor Beside(Tensor sum, Tensor kept) => kept.MoveToOtherDisposeScope(sum);
}
