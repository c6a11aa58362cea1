using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>Full matrices, inverted: [samples, N, N].</summary>
/// <param name="equations">The equations.</param>
/// <param name="lanes">How many lanes there are.</param>
internal sealed class DenseMatrices(OdeEquations equations, int lanes) : NewtonMatrices
{
    private Tensor? _jacobian, _inverse;

    /// <inheritdoc/>
    public override Tensor? Jacobian
    {
        get => _jacobian;
        set
        {
            _jacobian?.Dispose();
            _jacobian = value?.clone().DetachFromDisposeScope();
        }
    }

    /// <inheritdoc/>
    public override void Evaluate(int[] which, Tensor time, Tensor state)
    {
        using var scope = NewDisposeScope();
        var (places, times) = (Rows(state, which), time.dim() == 0 ? time : Rows(time, which));
        var n = places.size(1);
        Replace(ref _jacobian, which, equations.DriftJacobian(times, places).expand(places.size(0), n, n));
    }

    /// <inheritdoc/>
    public override void Factorize(int[] which, double[] g)
    {
        using var scope = NewDisposeScope();
        Replace(ref _inverse, which, Factorizations.Inverse(StageMatrix.Of([.. which.Select(lane => g[lane])], Rows(_jacobian!, which))));
    }

    /// <inheritdoc/>
    public override Tensor Solve(Tensor vector) => IterationMatrix.Times(_inverse!, vector);

    /// <inheritdoc/>
    public override Tensor SolveTransposed(Tensor vector) => IterationMatrix.Times(_inverse!.transpose(1, 2), vector);

    /// <summary>Those of some lanes; all of them where all are asked for.</summary>
    private Tensor Rows(Tensor tensor, int[] which) => which.Length == lanes ? tensor : tensor.index_select(0, Index(which, tensor));

    private void Replace(ref Tensor? kept, int[] which, Tensor rows)
    {
        if (which.Length == lanes)
        {
            kept?.Dispose();
            kept = rows.alias().DetachFromDisposeScope();
            return;
        }

        kept ??= zeros([lanes, rows.size(1), rows.size(2)], rows.dtype, rows.device).DetachFromDisposeScope();
        kept.index_copy_(0, Index(which, rows), rows);
    }

    private static Tensor Index(int[] which, Tensor like) => tensor([.. which.Select(lane => (long)lane)], ScalarType.Int64, like.device);

    /// <inheritdoc/>
    public override void Dispose()
    {
        _jacobian?.Dispose();
        _inverse?.Dispose();
    }
}
