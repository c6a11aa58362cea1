using System.Numerics;
using DiffEqLang.Runtime.Solvers.Stochastic;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime.Simd;

/// <summary>A solve of stochastic equations on registers whose numbers lie in tensors.</summary>
internal abstract class SimdSdeRun
{
    /// <summary>What it gave, [T, B, N].</summary>
    public abstract SdeResult Result { get; }

    /// <summary>The gradient of initial states that nothing flows to: [B, N].</summary>
    public abstract Tensor NoGradient();

    /// <summary>The backward pass, any number of times.</summary>
    /// <param name="cotangents">d loss / d saved state: [T, B, N], contiguous.</param>
    /// <param name="into">The gradients of the binding's parameters are added.</param>
    /// <returns>d loss / d initial state: [B, N].</returns>
    public abstract Tensor Backward(Tensor cotangents, ParameterGradients into);
}

/// <summary>The same in one precision.</summary>
internal sealed class SimdSdeRun<T> : SimdSdeRun
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly SimdBinding<T> _binding;
    private readonly StochasticEngine<T> _engine;
    private readonly StochasticLaneSolve<T> _solve;
    private readonly long[] _shape;

    public SimdSdeRun(SimdBinding<T> binding, StochasticProblem problem, Tensor initial, bool withTape)
    {
        (_binding, _shape, _engine) = (binding, initial.shape, binding.EngineOf(problem));
        _solve = new StochasticLaneSolve<T>(problem, (int)initial.size(0), _engine.StateSize) { Parameters = binding.RegisterNumbers() };
        var values = empty([_solve.Times.Length, .. _shape], initial.dtype);
        var lastState = empty(_shape, initial.dtype);
        (_solve.Initial, _solve.Values, _solve.LastState) = (new(initial), new(values), new(lastState));
        _engine.Forward(_solve, withTape);
        if (!withTape) _engine.Dispose();
        long[] steps = [.. _solve.GoodSteps.Take(_solve.Samples)];
        Result = new SdeResult(
            values, _solve.Times, _solve.Status, [.. Enumerable.Range(0, _solve.Samples).Select(_solve.LastTime)], lastState,
            new Statistics(steps, new long[steps.Length], _solve.StepsOfTile.DefaultIfEmpty().Max()));
    }

    /// <inheritdoc/>
    public override SdeResult Result { get; }

    /// <inheritdoc/>
    public override Tensor NoGradient() => zeros(_shape, _binding.Dtype);

    /// <inheritdoc/>
    public override Tensor Backward(Tensor cotangents, ParameterGradients into)
    {
        var initial = NoGradient();
        var gradients = new double[_engine.GradientSize];
        _engine.Backward(_solve, new LaneGradients<T>(new(cotangents), new(initial)), gradients);
        GC.KeepAlive(_engine);
        GC.KeepAlive(cotangents);
        _binding.AddGradients(gradients, into);
        return initial;
    }
}
