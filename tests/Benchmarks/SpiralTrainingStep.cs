using DiffEqLang.Benchmarks.Models;
using DiffEqLang.Runtime;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Benchmarks;

/// <summary>
/// One training step as in torchdiffeq's ode_demo: 20 windows of 10 times on [0, 0.225], dopri5 at 1e-7 and 1e-9,
/// mean absolute error, RMSprop at 1e-3, float32, one thread.
/// </summary>
internal static class SpiralTrainingStep
{
    private const int Batch = 20, Points = 10;

    /// <summary>
    /// What torchdiffeq's training steps take in units of the right-hand side's own calls, both measured in Python on one machine: 6.1 ms
    /// (odeint) and 50 ms (its adjoint) where the right-hand side takes 18 µs.
    /// </summary>
    private const double OdeintStep = 6100.0 / 18, AdjointStep = 50_000.0 / 18;

    public static void Run()
    {
        set_num_threads(1);
        var calls = RightHandSide();
        calls.Print();
        foreach (var coupling in new[] { StepCoupling.Batch, StepCoupling.PerSample })
        {
            ForwardOnly(coupling).Print();
            PrintShare(TrainingStep(coupling, GradientMode.Discrete), OdeintStep, "odeint");
            PrintShare(TrainingStep(coupling, GradientMode.Backsolve), AdjointStep, "odeint_adjoint");
        }

        void PrintShare(Measurement step, double peer, string name)
        {
            step.Print();
            Console.WriteLine($"{"",-58} {step.Median / (peer * calls.Median):0.00} of torchdiffeq's {name}, by the right-hand side's calls");
        }

        OnRegisters();
    }

    /// <summary>The SIMD target beside the same written in C++, from the same numbers.</summary>
    private static void OnRegisters()
    {
        using var torchAlone = new LossAndOptimizer();
        using var batch = new SpiralLoop(StepCoupling.Batch);
        var limit = Reference.Run("spiral", batch.Numbers);
        Print(Measurement.OfProcessor("loss and optimizer in torch alone, without a solve", torchAlone.Train), "step");
        foreach (var coupling in new[] { StepCoupling.Batch, StepCoupling.PerSample })
        {
            using var loop = new SpiralLoop(coupling);
            Print(Measurement.OfProcessor($"simd, forward, steps {Words(coupling)}", loop.Forward), "forward");
            Print(Measurement.OfProcessor($"simd, own loop with RMSprop, steps {Words(coupling)}", loop.Train), "step");
            if (limit.TryGetValue("steps", out var steps)) Console.WriteLine($"{"",-58} {loop.Steps} steps, the C++ {steps}");
            using var training = new SpiralStep(coupling, GradientMode.Discrete, target: SolveTarget.Simd);
            Print(Measurement.OfProcessor($"simd, backward() and optimizer, steps {Words(coupling)}", training.Train), "step");
        }

        void Print(Measurement measured, string name)
        {
            measured.Print();
            measured.PrintRatio(limit, name);
        }
    }

    /// <summary>The equations as an eager user writes them, once: what calls of torch cost here and now.</summary>
    private static Measurement RightHandSide()
    {
        using var model = new SpiralTraining(dtype: ScalarType.Float32);
        using var y = rand(Batch, 2, dtype: ScalarType.Float32);
        return Measurement.Of("the right-hand side alone, in torch's own calls", () =>
        {
            using var scope = NewDisposeScope();
            using var withoutGradient = no_grad();
            nn.functional.linear(nn.functional.linear(y.pow(3), model.W1, model.b1).tanh(), model.W2, model.b2);
        }, count: 1001);
    }

    private static Measurement ForwardOnly(StepCoupling coupling)
    {
        using var training = new SpiralStep(coupling, GradientMode.Discrete);
        return Measurement.Of($"forward, steps {Words(coupling)}", training.Forward);
    }

    private static Measurement TrainingStep(StepCoupling coupling, GradientMode mode)
    {
        using var training = new SpiralStep(coupling, mode);
        return Measurement.Of($"step, {mode.ToString().ToLowerInvariant()} gradient, steps {Words(coupling)}", training.Train);
    }

    private static string Words(StepCoupling coupling) => coupling == StepCoupling.Batch ? "shared" : "per sample";

    /// <summary>What of a training step is torch's own: the loss and its gradient, and the optimizer of the four parameters.</summary>
    private sealed class LossAndOptimizer : IDisposable
    {
        private readonly SpiralTraining _model = new(dtype: ScalarType.Float32);
        private readonly Tensor _values = rand(Points, Batch, 2, dtype: ScalarType.Float32, requires_grad: true);
        private readonly Tensor _target = rand(Points, Batch, 2, dtype: ScalarType.Float32);
        private readonly optim.Optimizer _optimizer;

        public LossAndOptimizer()
        {
            _optimizer = optim.RMSProp(_model.parameters(), 0);
            foreach (var parameter in _model.parameters()) parameter.grad = zeros_like(parameter);
        }

        public void Train()
        {
            using var scope = NewDisposeScope();
            _optimizer.zero_grad();
            (_values - _target).abs().mean().backward();
            _optimizer.step();
        }

        public void Dispose()
        {
            _optimizer.Dispose();
            _target.Dispose();
            _values.Dispose();
            _model.Dispose();
        }
    }

    /// <summary>The model, its data and its optimizer.</summary>
    internal sealed class SpiralStep : IDisposable
    {
        private readonly SpiralTraining _model = new(dtype: ScalarType.Float32);
        private readonly Tensor _start = rand(Batch, 2, dtype: ScalarType.Float32) * 2 - 1;
        private readonly Tensor _target;
        private readonly optim.Optimizer _optimizer;
        private readonly SolveOptions _options;

        /// <param name="coupling">Whether the samples share their steps.</param>
        /// <param name="mode">How gradients are computed.</param>
        /// <param name="learningRate">
        /// 0 keeps the weights fresh at the cost of a full step: trained weights take more solver steps, and the peers' figure is
        /// of fresh ones.
        /// </param>
        /// <param name="target">What runs the solve.</param>
        public SpiralStep(
            StepCoupling coupling, GradientMode mode, double learningRate = 0, SolveTarget target = SolveTarget.Torch)
        {
            manual_seed(0);
            _target = rand(Points, Batch, 2, dtype: ScalarType.Float32);
            _optimizer = optim.RMSProp(_model.parameters(), learningRate);
            _options = new SolveOptions { Save = SaveAt.Grid(Points), Coupling = coupling, Gradient = mode, Target = target };
        }

        public void Forward()
        {
            using var scope = NewDisposeScope();
            using var withoutGradient = no_grad();
            _model.Solve(_start, _options);
        }

        public void Train()
        {
            using var scope = NewDisposeScope();
            _optimizer.zero_grad();
            var loss = (_model.Solve(_start, _options).y - _target).abs().mean();
            loss.backward();
            _optimizer.step();
        }

        public void Dispose()
        {
            _optimizer.Dispose();
            _target.Dispose();
            _start.Dispose();
            _model.Dispose();
        }
    }
}
