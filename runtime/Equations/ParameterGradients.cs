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
    private readonly Tensor?[] _rows;               // the same memory as [1, size]
    private readonly ParameterGradients _keeper;    // whose ones are used
    private readonly int _kept;                     // how many leading axes are not summed over
    private Tensor? _ones;                          // [1, samples]: a sum over samples is a matrix product with it, added in place

    /// <param name="parameters">The tensors whose gradients are summed.</param>
    /// <param name="wanted">Which of them are; all where null.</param>
    public ParameterGradients(IReadOnlyList<Tensor> parameters, Func<int, bool>? wanted = null)
    {
        (_sums, _rows, _keeper) = (new Tensor?[parameters.Count], new Tensor?[parameters.Count], this);
        for (var i = 0; i < _sums.Length; i++)
        {
            if (wanted?.Invoke(i) == false) continue;
            var sum = zeros(parameters[i].shape, parameters[i].dtype, parameters[i].device);
            (_sums[i], _rows[i]) = (sum, sum.view(1, -1));
        }
    }

    /// <summary>Sums that lie one after another in one vector.</summary>
    /// <param name="like">Says which parameters are wanted.</param>
    /// <param name="flat">[size of all that are], zeros.</param>
    internal ParameterGradients(ParameterGradients like, Tensor flat)
    {
        (_sums, _rows, _keeper) = (new Tensor?[like._sums.Length], new Tensor?[like._sums.Length], like._keeper);
        var offset = 0L;
        for (var i = 0; i < _sums.Length; i++)
        {
            if (like._sums[i] is not { } sum) continue;
            var row = flat.narrow(0, offset, sum.numel()).view(1, -1);
            (_sums[i], _rows[i]) = (row.view(sum.shape), row);
            offset += sum.numel();
        }
    }

    /// <summary>Gradients that are not summed over the batch: one for each of it.</summary>
    /// <param name="parameters">The tensors whose gradients are found.</param>
    /// <param name="wanted">Which of them are.</param>
    /// <param name="batch">All leading axes of what is added.</param>
    internal ParameterGradients(IReadOnlyList<Tensor> parameters, Func<int, bool> wanted, ReadOnlySpan<long> batch)
    {
        (_sums, _rows, _keeper, _kept) = (new Tensor?[parameters.Count], [], this, batch.Length);
        for (var i = 0; i < _sums.Length; i++)
            if (wanted(i))
                _sums[i] = zeros([.. batch, .. parameters[i].shape], parameters[i].dtype, parameters[i].device);
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

        var row = _rows[parameter]!;
        if (value.dim() == 2 && sum.dim() == 1)
        {
            row.addmm_(_keeper.Ones(row, value.size(0)), value);
            return;
        }

        using var samples = value.reshape(-1, sum.numel());
        row.addmm_(_keeper.Ones(row, samples.size(0)), samples);
    }

    /// <summary>Adds Σ over the batch of left ⊗ right: left [..., m], right [..., n], parameter [m, n].</summary>
    public void AddOuter(int parameter, Tensor left, Tensor right)
    {
        if (_sums[parameter] is not { } sum) return;
        if (_kept > 0)
        {
            using var product = Flat(left).mT.matmul(Flat(right));
            sum.add_(product, Scalars.One);
            return;
        }

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

    /// <summary>Releases what was kept between calls; the sums themselves belong to the dispose scope that they were made in.</summary>
    internal void Release()
    {
        _ones?.Dispose();
        _ones = null;
    }

    /// <summary>[kept axes, ..., n] -> [kept axes, all others, n]</summary>
    private Tensor Flat(Tensor value) => value.reshape([.. value.shape[.._kept], -1, value.size(-1)]);

    private Tensor Ones(Tensor like, long samples)
    {
        if (_ones is not null && _ones.size(1) == samples) return _ones;
        _ones?.Dispose();
        return _ones = ones([1, samples], like.dtype, like.device).DetachFromDisposeScope();
    }
}
