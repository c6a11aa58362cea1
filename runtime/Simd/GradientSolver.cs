using System.Numerics;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime.Simd;

/// <summary>From the saved states of a solve to d loss / d those.</summary>
/// <param name="values">The states at the saved times: [times, samples, N].</param>
/// <param name="cotangents">To be set, in the same shape.</param>
public delegate void LossGradient<T>(ReadOnlySpan<T> values, Span<T> cotangents)
    where T : unmanaged;

/// <summary>
/// Solves a model again and again with its exact gradient, without torch: for training loops that need nothing else. The model's
/// parameters are read where they lie, so that what an optimizer writes counts in the next solve; its memory is used again.
/// </summary>
/// <typeparam name="T">The model's precision: float or double.</typeparam>
/// <remarks>
/// Gradients are those of the values inside their bounds, and a parameter with bounds is read once: make a new solver after it
/// changed. Not for several threads at once.
/// </remarks>
public sealed class GradientSolver<T> : IDisposable
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly LaneEngine<T> _engine;
    private readonly LaneSolve<T> _solve;
    private readonly Tensor[] _registers, _parameters;
    private readonly UnmanagedSpan<T>[] _registerNumbers, _parameterNumbers;
    private readonly T[] _initial, _values, _lastState, _cotangents, _initialGradient;
    private readonly T[] _gradients;

    /// <param name="model">The model; its SIMD code must be written in this precision.</param>
    /// <param name="samples">The size of the batch.</param>
    /// <param name="options">What differs from the solve block; the gradient is discrete.</param>
    /// <exception cref="InvalidOperationException">The model has no such code, or its method's gradients are not computed on registers.</exception>
    public GradientSolver(OdeModel model, int samples, SolveOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        using var withoutGradient = no_grad();
        var binding = model.BindForEnsemble<T>();
        var problem = model.ProblemOf(options);
        if (problem.Tableau.IsImplicit)
            throw new InvalidOperationException($"Gradients through {problem.Tableau.Name} are computed by torch alone: take an explicit method, or model.Solve with SolveTarget.Torch.");
        if (binding.HasEvents)
            throw new InvalidOperationException("Gradients through events are computed by torch alone: take model.Solve with SolveTarget.Torch.");
        _engine = binding.EngineOf(problem);
        _registers = [.. binding.Registers.Select(register => Kept(register.Value))];
        _parameters = [.. binding.Parameters.Select(Kept)];
        (_registerNumbers, _parameterNumbers) = (Numbers(_registers), Numbers(_parameters));
        var size = _engine.StateSize;
        _solve = new LaneSolve<T>(problem, samples, size) { Parameters = new T[_engine.ParameterSize] };
        (_initial, _lastState, _initialGradient) = (Pinned(samples * size), Pinned(samples * size), Pinned(samples * size));
        (_values, _cotangents) = (Pinned(_solve.Times.Length * samples * size), Pinned(_solve.Times.Length * samples * size));
        (_solve.Initial, _solve.Values, _solve.LastState) = (new(_initial), new(_values), new(_lastState));
        _gradients = new T[_engine.GradientSize];
    }

    /// <summary>The saved times.</summary>
    public ReadOnlySpan<double> Times => _solve.Times;

    /// <summary>How each sample ended.</summary>
    public ReadOnlySpan<SolveStatus> Status => _solve.Status;

    /// <summary>The accepted steps of each sample.</summary>
    public ReadOnlySpan<long> Accepted => _solve.Accepted;

    /// <summary>The states at the saved times: [times, samples, N]; NaN where a sample did not get.</summary>
    public ReadOnlySpan<T> Values => _values;

    /// <summary>d loss / d initial state: [samples, N].</summary>
    public ReadOnlySpan<T> InitialGradient => _initialGradient;

    /// <summary>d loss / d parameters, one after another, in the order of <see cref="SimdBinding.Parameters"/>, each row-major.</summary>
    public ReadOnlySpan<T> Gradient => _gradients;

    /// <summary>How many parameters gradients flow to.</summary>
    public int ParameterCount => _parameters.Length;

    /// <summary>The numbers of a parameter where the model keeps them: what is written here counts in the next solve.</summary>
    public Span<T> Parameter(int index) => _parameterNumbers[index].Span;

    /// <summary>Solves.</summary>
    /// <param name="initial">[samples, N].</param>
    public ReadOnlySpan<T> Solve(ReadOnlySpan<T> initial)
    {
        Forward(initial, withTape: false);
        return _values;
    }

    /// <summary>Solves, asks for the loss's gradient, and runs the solve backwards.</summary>
    /// <param name="initial">[samples, N].</param>
    /// <param name="lossGradient">From the saved states to d loss / d those.</param>
    public void SolveAndGradient(ReadOnlySpan<T> initial, LossGradient<T> lossGradient)
    {
        ArgumentNullException.ThrowIfNull(lossGradient);
        Forward(initial, withTape: true);
        Array.Clear(_cotangents);
        Array.Clear(_initialGradient);
        lossGradient(_values, _cotangents);
        var sums = _engine.Backward(_solve, new LaneGradients<T>(new(_cotangents), new(_initialGradient)));
        for (var i = 0; i < sums.Length; i++) _gradients[i] = T.CreateTruncating(sums[i]);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in _registers) tensor.Dispose();
        foreach (var tensor in _parameters) tensor.Dispose();
        _engine.Dispose();
    }

    private void Forward(ReadOnlySpan<T> initial, bool withTape)
    {
        initial.CopyTo(_initial);
        var into = _solve.Parameters.AsSpan();
        foreach (var numbers in _registerNumbers)
        {
            numbers.Span.CopyTo(into);
            into = into[numbers.Span.Length..];
        }

        _engine.Forward(_solve, withTape);
    }

    private static Tensor Kept(Tensor tensor) => tensor.detach().contiguous().DetachFromDisposeScope();

    private static UnmanagedSpan<T>[] Numbers(Tensor[] tensors) => [.. tensors.Select(tensor => new UnmanagedSpan<T>(tensor))];

    private static T[] Pinned(int length) => GC.AllocateArray<T>(length, pinned: true);
}
