using System.Numerics;
using System.Runtime.Intrinsics;
using DiffEqLang.Runtime.Solvers.Stochastic;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime.Simd;

/// <summary>
/// A model's code for SIMD registers with the values that its parameters have now: what a generated model hands the SIMD target,
/// once a solve.
/// </summary>
public abstract class SimdBinding
{
    private EnginePool? _engines;

    private protected SimdBinding(
        ScalarType dtype,
        IReadOnlyList<Tensor> parameters,
        IReadOnlyList<(string Name, Tensor Value)> registers,
        IReadOnlyList<Tensor> weights,
        bool hasJacobian,
        bool isSecondOrder,
        bool hasEvents)
    {
        (Dtype, Parameters, Registers, Weights) = (dtype, parameters, registers, weights);
        (HasJacobian, IsSecondOrder, HasEvents) = (hasJacobian, isSecondOrder, hasEvents);
    }

    /// <summary>The one precision that the code is written for.</summary>
    public ScalarType Dtype { get; }

    /// <summary>
    /// The tensors that gradients flow to, as autograd sees them (inside their bounds where they have any), in the order of the
    /// kernels' gradients.
    /// </summary>
    public IReadOnlyList<Tensor> Parameters { get; }

    /// <summary>The parameters and constants that are passed in registers, by name and in order, each row-major.</summary>
    public IReadOnlyList<(string Name, Tensor Value)> Registers { get; }

    /// <summary>Whether the kernels have the drift's Jacobian.</summary>
    public bool HasJacobian { get; }

    /// <summary>Whether the kernels' equations are of the second order without velocity: <see cref="LaneKernel{TRegister}.Velocities"/>.</summary>
    public bool IsSecondOrder { get; }

    /// <summary>Whether the kernels have <see cref="LaneKernel{TRegister}.Events"/>.</summary>
    public bool HasEvents { get; }

    /// <summary>The tensors that kernels read in place, or copies of those that are not contiguous.</summary>
    public IReadOnlyList<Tensor> Weights { get; }

    /// <summary>Where engines come from and go back to: the model's, so that its next solve finds them there.</summary>
    internal EnginePool Engines
    {
        get => _engines ??= new EnginePool();
        set => _engines = value;
    }

    /// <summary>Solves on tensors.</summary>
    /// <param name="problem">What is solved.</param>
    /// <param name="initial">[samples, N], contiguous.</param>
    /// <param name="withTape">Whether a backward pass may follow.</param>
    /// <param name="withSlopes">Whether derivatives by time are saved.</param>
    internal abstract SimdRun Run(RungeKuttaProblem problem, Tensor initial, bool withTape, bool withSlopes);

    /// <summary>The same of a model with noise.</summary>
    internal abstract SimdSdeRun Run(StochasticProblem problem, Tensor initial, bool withTape);
}

/// <summary>A model's code for SIMD registers in one precision.</summary>
/// <typeparam name="T">float or double.</typeparam>
public sealed class SimdBinding<T> : SimdBinding
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Func<IReadOnlyList<Tensor>, LaneKernel<Vector<T>>> _kernel;
    private readonly Func<IReadOnlyList<Tensor>, LaneKernel<Vector512<T>>> _kernel512;

    /// <param name="parameters">The tensors that gradients flow to, in the order of the kernels' gradients.</param>
    /// <param name="registers">The parameters and constants passed in registers, by the names of the .deq file.</param>
    /// <param name="weights">The tensors read in place.</param>
    /// <param name="kernel">Makes the kernel over <c>Vector&lt;T&gt;</c> from the weights.</param>
    /// <param name="kernel512">Makes the kernel over 512-bit registers, for processors that have them.</param>
    /// <param name="hasJacobian">Whether the kernels have the drift's Jacobian.</param>
    /// <param name="isSecondOrder">Whether they have <see cref="LaneKernel{TRegister}.Velocities"/>.</param>
    /// <param name="hasEvents">Whether they have <see cref="LaneKernel{TRegister}.Events"/>.</param>
    public SimdBinding(
        IReadOnlyList<Tensor> parameters,
        IReadOnlyList<(string Name, Tensor Value)> registers,
        IReadOnlyList<Tensor> weights,
        Func<IReadOnlyList<Tensor>, LaneKernel<Vector<T>>> kernel,
        Func<IReadOnlyList<Tensor>, LaneKernel<Vector512<T>>> kernel512,
        bool hasJacobian = false,
        bool isSecondOrder = false,
        bool hasEvents = false)
        : base(
            typeof(T) == typeof(float) ? ScalarType.Float32 : ScalarType.Float64, parameters, registers, weights, hasJacobian,
            isSecondOrder, hasEvents) =>
        (_kernel, _kernel512) = (kernel, kernel512);

    /// <summary>Whether solves run on 512-bit registers: where the processor has them.</summary>
    internal bool IsWide { get; set; } = Vector512.IsHardwareAccelerated;

    /// <summary>What runs solves of a problem, new.</summary>
    /// <exception cref="InvalidOperationException">Its method does not run on registers.</exception>
    internal LaneEngine<T> EngineOf(RungeKuttaProblem problem)
    {
        if (problem.ObstacleOnRegisters(this) is { } obstacle) throw new InvalidOperationException(obstacle);
        return IsWide
            ? new LaneEngine<Vector512<T>, Lanes512<T>, T>(_kernel512, Weights, problem, ThreadsOf(problem))
            : new LaneEngine<Vector<T>, Lanes<T>, T>(_kernel, Weights, problem, ThreadsOf(problem));
    }

    /// <summary>The same from <see cref="SimdBinding.Engines"/>, where it is to be returned.</summary>
    internal LaneEngine<T> TakeEngine(RungeKuttaProblem problem)
    {
        if (Engines.Take(new EngineKey(IsWide ? _kernel512 : _kernel, problem, ThreadsOf(problem))) is not LaneEngine<T> engine)
            return EngineOf(problem);
        engine.Bind(Weights);
        return engine;
    }

    /// <summary>The same for a model with noise, whose kernels are <see cref="StochasticKernel{TRegister}"/>.</summary>
    internal StochasticEngine<T> EngineOf(StochasticProblem problem)
    {
        var threads = problem.Options.Threads ?? get_num_threads();
        return IsWide
            ? new StochasticEngine<Vector512<T>, Lanes512<T>, T>(_kernel512, Weights, problem, threads)
            : new StochasticEngine<Vector<T>, Lanes<T>, T>(_kernel, Weights, problem, threads);
    }

    /// <summary>Adds gradients that lie one after another to those of the parameters.</summary>
    internal void AddGradients(ReadOnlySpan<double> gradients, ParameterGradients into)
    {
        for (var i = 0; i < Parameters.Count; i++)
        {
            var size = (int)Parameters[i].numel();
            if (into[i] is { } sum) Add(gradients[..size], new UnmanagedSpan<T>(sum).Span);
            gradients = gradients[size..];
        }
    }

    private static int ThreadsOf(RungeKuttaProblem problem) => problem.Options.Threads ?? get_num_threads();

    private static void Add(ReadOnlySpan<double> numbers, Span<T> to)
    {
        for (var i = 0; i < numbers.Length; i++) to[i] += T.CreateTruncating(numbers[i]);
    }

    /// <summary>The numbers of what is passed in registers.</summary>
    internal T[] RegisterNumbers()
    {
        var numbers = new T[Registers.Sum(register => (int)register.Value.numel())];
        var rest = numbers.AsSpan();
        foreach (var (_, value) in Registers)
        {
            var size = (int)value.numel();
            if (value.is_contiguous()) Copy(value, rest);
            else CopyOf(value, rest);
            rest = rest[size..];
        }

        return numbers;
    }

    private static void CopyOf(Tensor value, Span<T> into)
    {
        using var withoutGradient = no_grad();
        using var contiguous = value.contiguous();
        Copy(contiguous, into);
    }

    private static void Copy(Tensor contiguous, Span<T> into)
    {
        new UnmanagedSpan<T>(contiguous).Span.CopyTo(into);
        GC.KeepAlive(contiguous);
    }

    /// <inheritdoc/>
    internal override SimdRun Run(RungeKuttaProblem problem, Tensor initial, bool withTape, bool withSlopes) =>
        new SimdRun<T>(this, problem, initial, withTape, withSlopes);

    /// <inheritdoc/>
    internal override SimdSdeRun Run(StochasticProblem problem, Tensor initial, bool withTape) =>
        new SimdSdeRun<T>(this, problem, initial, withTape);
}
