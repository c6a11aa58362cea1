using DiffEqLang.Tableaux;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// The matrices I - h A ⊗ J of one step's implicit stages, inverted: J is the Jacobian at the step's start, A the coefficients of a group of
/// stages. Kept while the step goes on from the same state, so that an attempt after a rejected one has its Jacobian already.
/// </summary>
/// <param name="equations">The equations that are solved.</param>
internal sealed class IterationMatrix(OdeEquations equations) : IDisposable
{
    private readonly List<(double[,] Block, Tensor Inverse)> _inverses = [];
    private StepGeometry? _geometry;
    private Tensor? _state;
    private Tensor? _jacobian;      // [samples, N, N]

    /// <summary>How often the Jacobian was computed.</summary>
    public long Jacobians { get; private set; }

    /// <summary>How many matrices were factorized, each for the whole batch.</summary>
    public long Factorizations { get; private set; }

    /// <summary>Makes ready for an attempt from a state, [samples, N].</summary>
    public void Open(StepGeometry geometry, Tensor state)
    {
        _geometry = geometry;
        _inverses.Clear();
        if (ReferenceEquals(state, _state)) return;
        _jacobian?.Dispose();
        (_state, _jacobian) = (state, null);
    }

    /// <summary>(I - h block ⊗ J)⁻¹: [samples, m N, m N], in the dispose scope of the attempt.</summary>
    public Tensor Inverse(double[,] block)
    {
        foreach (var (known, inverse) in _inverses)
            if (known.Cast<double>().SequenceEqual(block.Cast<double>()))
                return inverse;
        Factorizations++;
        var made = Runtime.Factorizations.Inverse(StageMatrix.Of(_geometry!, block, Jacobian()));
        _inverses.Add((block, made));
        return made;
    }

    private Tensor Jacobian()
    {
        if (_jacobian is not null) return _jacobian;
        Jacobians++;
        return _jacobian = equations.DriftJacobian(_geometry!.TimeOf(0), _state!).DetachFromDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose() => _jacobian?.Dispose();
}
