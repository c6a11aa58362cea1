using DiffEqLang.Benchmarks.Models;
using DiffEqLang.Runtime;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Benchmarks;

/// <summary>
/// A continuous normalizing flow, 3-64-64-2 with tanh and its exact trace, batch 512, dopri5 at 1e-5, float32, one thread: forward, and a
/// training step of its likelihood with Adam, beside the matrix products of the same number of evaluations.
/// </summary>
/// <remarks>
/// torchdiffeq takes 18.6 ms forward and 33 ms a step (odeint, its best mode) where the forward pass's products take 3.6 ms: 5.2 and 9.2
/// times those.
/// </remarks>
internal static class ContinuousFlowStep
{
    private const int Batch = 512, Width = 64;
    private const double PeerForward = 18.6 / 3.6, PeerStep = 33 / 3.6;

    public static void Run()
    {
        set_num_threads(1);
        manual_seed(0);
        using var start = randn(Batch, 2);
        foreach (var target in new[] { SolveTarget.Torch, SolveTarget.Simd })
            foreach (var coupling in new[] { StepCoupling.Batch, StepCoupling.PerSample })
                Compare(start, target, coupling);
    }

    private static void Compare(Tensor start, SolveTarget target, StepCoupling coupling)
    {
        using var flow = new Flow(start, new SolveOptions { Target = target, Coupling = coupling, Save = SaveAt.End });
        var words = $"{target.ToString().ToLowerInvariant()}, steps {(coupling == StepCoupling.Batch ? "shared" : "per sample")}";
        using var products = new Products(flow.Evaluations());
        Print(Measurement.InTurn($"{words}: forward", flow.Forward, "its matrix products", products.Forward), PeerForward);
        Print(Measurement.InTurn($"{words}: training step", flow.Train, "its matrix products forward", products.Forward), PeerStep);
    }

    private static void Print((Measurement Ours, Measurement Floor) pair, double peer)
    {
        pair.Ours.Print();
        pair.Floor.Print();
        var ratio = pair.Ours.Median / pair.Floor.Median;
        Console.WriteLine($"{"",-58} ratio {ratio:0.00}: {peer / ratio:0.0} times as fast as torchdiffeq");
    }

    /// <summary>The model, its data and its optimizer.</summary>
    private sealed class Flow : IDisposable
    {
        private readonly ContinuousFlow _model = new(dtype: ScalarType.Float32);
        private readonly optim.Optimizer _optimizer;
        private readonly Tensor _start;
        private readonly SolveOptions _options;

        public Flow(Tensor start, SolveOptions options)
        {
            (_start, _options) = (start, options);
            _optimizer = optim.Adam(_model.parameters(), 0);    // a full step that leaves the weights fresh
        }

        public int Evaluations()
        {
            using var scope = NewDisposeScope();
            using var withoutGradient = no_grad();
            var statistics = _model.Solve(_start, options: _options).Statistics;
            var attempts = statistics.Accepted.Zip(statistics.Rejected, (accepted, rejected) => accepted + rejected);
            return 2 + 6 * (int)attempts.Average();
        }

        public void Forward()
        {
            using var scope = NewDisposeScope();
            using var withoutGradient = no_grad();
            _model.Solve(_start, options: _options);
        }

        public void Train()
        {
            using var scope = NewDisposeScope();
            _optimizer.zero_grad();
            var solution = _model.Solve(_start, options: _options);
            var (z, change) = (solution.z[-1], solution.logp[-1]);
            (0.5 * z.square().sum(-1) + change).mean().backward();
            _optimizer.step();
        }

        public void Dispose()
        {
            _optimizer.Dispose();
            _model.Dispose();
        }
    }

    /// <summary>The products of the right-hand side with its trace: three, and two more of the widest for the two tangents.</summary>
    private sealed class Products(int evaluations) : IDisposable
    {
        private readonly DisposeScope _scope = NewDisposeScope();
        private readonly Tensor _x = randn(Batch, 3), _h = randn(Batch, Width);
        private readonly Tensor _w1 = randn(3, Width), _w2 = randn(Width, Width), _w3 = randn(Width, 2);

        public void Forward()
        {
            using var withoutGradient = no_grad();
            for (var i = 0; i < evaluations; i++)
            {
                using var scope = NewDisposeScope();
                _x.matmul(_w1);
                for (var wide = 0; wide < 3; wide++) _h.matmul(_w2);
                _h.matmul(_w3);
            }
        }

        public void Dispose() => _scope.Dispose();
    }
}
