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
    /// <param name="into">The gradients of the binding's parameters are added.</param>
    /// <returns>d loss / d initial state: [samples, N].</returns>
    public abstract Tensor Backward(Tensor cotangents, ParameterGradients into);
}

/// <summary>The same in one precision.</summary>
internal sealed class SimdRun<T> : SimdRun
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly SimdBinding<T> _binding;
    private readonly LaneEngine<T> _engine;
    private readonly LaneSolve<T> _solve;
    private readonly Tensor _initial;

    public SimdRun(SimdBinding<T> binding, RungeKuttaProblem problem, Tensor initial, bool withTape, bool withSlopes)
    {
        (_binding, _initial, _engine) = (binding, initial, binding.EngineOf(problem));
        _solve = new LaneSolve<T>(problem, (int)initial.size(0), _engine.StateSize) { Parameters = binding.RegisterNumbers() };
        long[] shape = [_solve.Times.Length, _solve.Samples, _solve.Size];
        var values = empty(shape, initial.dtype);
        var slopes = withSlopes ? zeros(shape, initial.dtype) : null;
        var lastState = empty(shape.AsSpan(1), initial.dtype);
        (_solve.Initial, _solve.Values, _solve.LastState) = (new(initial), new(values), new(lastState));
        if (slopes is not null) _solve.Slopes = new(slopes);
        _engine.Forward(_solve, withTape);
        GC.KeepAlive(binding);
        Result = new OdeRun(
            _solve.Times, Own(values), slopes is null ? null : Own(slopes), _solve.Status, _solve.LastTime, Own(lastState), [],
            new Statistics(_solve.Accepted, _solve.Rejected, _solve.Evaluations), null);
    }

    /// <inheritdoc/>
    public override OdeRun Result { get; }

    /// <inheritdoc/>
    public override Tensor Backward(Tensor cotangents, ParameterGradients into)
    {
        var initial = zeros_like(_initial);
        var gradients = new double[_engine.GradientSize];
        _engine.Backward(_solve, new LaneGradients<T>(new(cotangents), new(initial)), gradients);
        GC.KeepAlive(_binding);
        GC.KeepAlive(cotangents);
        _binding.AddGradients(gradients, into);
        return initial;
    }

    private static Tensor Own(Tensor tensor) => tensor.DetachFromDisposeScope();
}
