using System.Numerics;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime.Simd;

/// <summary>A solve on registers whose numbers lie in tensors.</summary>
internal abstract class SimdRun
{
    /// <summary>What it gave. Its tensors belong to no dispose scope.</summary>
    public abstract OdeRun Result { get; }

    /// <summary>The backward pass; once only.</summary>
    /// <param name="cotangents">d loss / d saved state: [times, samples, N], contiguous.</param>
    /// <param name="initial">Receives d loss / d initial state: [samples, N], zeros before; null where not wanted.</param>
    /// <param name="parameters">Receive the gradients of the binding's parameters, each contiguous; null where not wanted.</param>
    public abstract void Backward(Tensor cotangents, Tensor? initial, Tensor?[] parameters);
}

/// <summary>The same in one precision.</summary>
internal sealed class SimdRun<T> : SimdRun
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly SimdBinding<T> _binding;
    private readonly LaneEngine<T> _engine;
    private readonly LaneSolve<T> _solve;
    private readonly Tensor _initial;    // its memory is read again

    public SimdRun(SimdBinding<T> binding, RungeKuttaProblem problem, Tensor initial, bool withTape, bool withSlopes)
    {
        (_binding, _initial, _engine) = (binding, initial, binding.TakeEngine(problem));
        var isKept = false;
        try
        {
            _solve = new LaneSolve<T>(problem, (int)initial.size(0), _engine.StateSize) { Parameters = binding.RegisterNumbers() };
            Result = Forward(withTape, withSlopes);
            isKept = withTape;
        }
        finally
        {
            if (!isKept) binding.Engines.Return(_engine);
        }
    }

    /// <inheritdoc/>
    public override OdeRun Result { get; }

    /// <inheritdoc/>
    public override void Backward(Tensor cotangents, Tensor? initial, Tensor?[] parameters)
    {
        try
        {
            var gradients = _engine.Backward(_solve, new LaneGradients<T>(new(cotangents), initial is null ? default : new(initial)));
            for (var i = 0; i < parameters.Length; i++)
            {
                var size = (int)_binding.Parameters[i].numel();
                if (parameters[i] is { } gradient) Round(gradients[..size], new UnmanagedSpan<T>(gradient).Span);
                gradients = gradients[size..];
            }
        }
        finally
        {
            _binding.Engines.Return(_engine);
        }

        GC.KeepAlive(cotangents);
        GC.KeepAlive(_initial);
    }

    private OdeRun Forward(bool withTape, bool withSlopes)
    {
        long[] shape = [_solve.Times.Length, _solve.Samples, _solve.Size];
        var values = empty(shape, _binding.Dtype);
        var slopes = withSlopes ? zeros(shape, _binding.Dtype) : null;
        var lastState = empty(shape.AsSpan(1), _binding.Dtype);
        (_solve.Initial, _solve.Values, _solve.LastState) = (new(_initial), new(values), new(lastState));
        if (slopes is not null) _solve.Slopes = new(slopes);
        _engine.Forward(_solve, withTape);
        var isImplicit = _solve.Problem.Tableau.IsImplicit;
        return new OdeRun(
            _solve.Times, Own(values), slopes is null ? null : Own(slopes), _solve.Status, _solve.LastTime, Own(lastState), [],
            new Statistics(_solve.Accepted, _solve.Rejected, _solve.Evaluations)
            {
                Jacobians = isImplicit ? _solve.Attempts : 0,
                Factorizations = isImplicit ? _solve.Attempts : 0,
            })
        {
            Events = _solve.Events?.Occurrences(lastState),
            EventTimes = _solve.Events?.Times(lastState),
        };
    }

    private static void Round(ReadOnlySpan<double> numbers, Span<T> into)
    {
        for (var i = 0; i < numbers.Length; i++) into[i] = T.CreateTruncating(numbers[i]);
    }

    private static Tensor Own(Tensor tensor) => tensor.DetachFromDisposeScope();
}
