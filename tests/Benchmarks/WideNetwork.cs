using DiffEqLang.Benchmarks.Models;
using DiffEqLang.Runtime;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Benchmarks;

/// <summary>
/// A network of 64-256-256-64 with tanh, batch 256, rk4 with 40 steps, float32, one thread, beside the same matrix
/// products with nothing around them.
/// </summary>
internal static class WideNetwork
{
    private const int Batch = 256, Width = 64, Hidden = 256, Evaluations = 160;

    public static void Run()
    {
        set_num_threads(1);
        manual_seed(0);
        using var model = new Mlp(dtype: ScalarType.Float32);
        using var start = randn(Batch, Width);
        using var products = new Products();

        Compare(Measurement.InTurn("forward", () => Forward(model, start), "its matrix products", products.Forward, 15));
        Compare(Measurement.InTurn(
            "forward and discrete gradient", () => Train(model, start, GradientMode.Discrete),
            "its matrix products", products.ForwardAndBackward, 15));
        Compare(Measurement.InTurn(
            "forward and backsolve gradient", () => Train(model, start, GradientMode.Backsolve),
            "its matrix products (stages computed again)", products.ForwardAndAdjoint, 15));
    }

    private static void Compare((Measurement Ours, Measurement Floor) pair)
    {
        pair.Ours.Print();
        pair.Floor.Print();
        Console.WriteLine($"{"",-58} ratio {pair.Ours.Median / pair.Floor.Median:0.00}");
    }

    private static void Forward(Mlp model, Tensor start)
    {
        using var scope = NewDisposeScope();
        using var withoutGradient = no_grad();
        model.Solve(start);
    }

    private static void Train(Mlp model, Tensor start, GradientMode mode)
    {
        using var scope = NewDisposeScope();
        model.zero_grad();
        model.Solve(start, new SolveOptions { Gradient = mode }).y.pow(2).mean().backward();
    }

    /// <summary>The products alone: 3 an evaluation, 6 more for its vector-Jacobian product.</summary>
    private sealed class Products : IDisposable
    {
        private readonly DisposeScope _scope = NewDisposeScope();
        private readonly Tensor _x = randn(Batch, Width), _h = randn(Batch, Hidden);
        private readonly Tensor _w1 = randn(Hidden, Width), _w2 = randn(Hidden, Hidden), _w3 = randn(Width, Hidden);

        public void Forward() => Repeat(() => Evaluate());

        public void ForwardAndBackward() => Repeat(() => { Evaluate(); Pull(); });

        public void ForwardAndAdjoint() => Repeat(() => { Evaluate(); Evaluate(); Pull(); });

        public void Dispose() => _scope.Dispose();

        private static void Repeat(Action evaluation)
        {
            using var withoutGradient = no_grad();
            for (var i = 0; i < Evaluations; i++) evaluation();
        }

        private void Evaluate()
        {
            using var scope = NewDisposeScope();
            _x.matmul(_w1.t());
            _h.matmul(_w2.t());
            _h.matmul(_w3.t());
        }

        private void Pull()
        {
            using var scope = NewDisposeScope();
            _x.matmul(_w3);
            _h.matmul(_w2);
            _h.matmul(_w1);
            _x.t().matmul(_h);
            _h.t().matmul(_h);
            _h.t().matmul(_x);
        }
    }
}
