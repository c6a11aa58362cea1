using DiffEqLang.Benchmarks.Models;
using DiffEqLang.Runtime;
using DiffEqLang.Runtime.Simd;

namespace DiffEqLang.Benchmarks;

/// <summary>The spiral's training step without torch: solve, loss, gradient, RMSprop.</summary>
internal sealed class SpiralLoop : IDisposable
{
    private const int Batch = 20, Points = 10;

    private readonly SpiralTraining _model = new();
    private readonly GradientSolver<float> _solver;
    private readonly float[] _start = new float[Batch * 2], _target = new float[Points * Batch * 2];
    private readonly float[] _fresh, _squares;

    public SpiralLoop(StepCoupling coupling)
    {
        _solver = new GradientSolver<float>(_model, Batch, new SolveOptions { Save = SaveAt.Grid(Points), Coupling = coupling, Threads = 1 });
        var random = new Random(0);
        foreach (ref var number in _start.AsSpan()) number = 2 * random.NextSingle() - 1;
        foreach (ref var number in _target.AsSpan()) number = random.NextSingle();
        _fresh = [.. Enumerable.Range(0, _solver.ParameterCount).SelectMany(i => _solver.Parameter(i).ToArray())];
        _squares = new float[_fresh.Length];
    }

    /// <summary>The weights, the initial states and the targets, one after another.</summary>
    public float[] Numbers => [.. _fresh, .. _start, .. _target];

    /// <summary>The steps of the sample that took most.</summary>
    public long Steps => _solver.Accepted.ToArray().Max();

    public void Forward() => _solver.Solve(_start);

    /// <summary>One step, after which the weights are fresh again: trained ones take more solver steps.</summary>
    public void Train()
    {
        _solver.SolveAndGradient(_start, OfMeanAbsoluteError);
        var first = 0;
        for (var i = 0; i < _solver.ParameterCount; i++)
        {
            var numbers = _solver.Parameter(i);
            Optimize(numbers, _solver.Gradient.Slice(first, numbers.Length), _squares.AsSpan(first, numbers.Length));
            _fresh.AsSpan(first, numbers.Length).CopyTo(numbers);
            first += numbers.Length;
        }
    }

    public void Dispose()
    {
        _solver.Dispose();
        _model.Dispose();
    }

    private void OfMeanAbsoluteError(ReadOnlySpan<float> values, Span<float> cotangents)
    {
        var scale = 1f / values.Length;
        for (var i = 0; i < values.Length; i++) cotangents[i] = scale * MathF.Sign(values[i] - _target[i]);
    }

    private static void Optimize(Span<float> numbers, ReadOnlySpan<float> gradient, Span<float> squares)
    {
        for (var i = 0; i < numbers.Length; i++)
        {
            squares[i] = 0.99f * squares[i] + 0.01f * gradient[i] * gradient[i];
            numbers[i] -= 1e-3f * gradient[i] / (MathF.Sqrt(squares[i]) + 1e-8f);
        }
    }
}
