using System.Numerics;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime.Simd;

/// <summary>What makes two engines interchangeable but for the memory that their kernels read.</summary>
/// <param name="Kernel">What makes their kernels.</param>
/// <param name="Problem">What they solve.</param>
/// <param name="Threads">On how many threads.</param>
internal readonly record struct EngineKey(Delegate Kernel, RungeKuttaProblem Problem, int Threads);

/// <summary>An engine, whatever its precision.</summary>
internal abstract class LaneEngine(EngineKey key) : IDisposable
{
    /// <summary>What it is for.</summary>
    public EngineKey Key => key;

    /// <summary>The bytes that its tapes hold on to between solves.</summary>
    public abstract long TapeBytes { get; }

    /// <summary>Releases what its kernel reads; it must not run afterwards.</summary>
    public abstract void Dispose();
}

/// <summary>Runs solves of one model by one method, forwards and backwards, on several threads; hides the kind of register.</summary>
/// <typeparam name="T">float or double.</typeparam>
internal abstract class LaneEngine<T>(EngineKey key) : LaneEngine(key)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>N, the numbers of a state.</summary>
    public abstract int StateSize { get; }

    /// <summary>The numbers of the parameters in registers.</summary>
    public abstract int ParameterSize { get; }

    /// <summary>The numbers of all parameters' gradients.</summary>
    public abstract int GradientSize { get; }

    /// <summary>Lets the kernel read these tensors from now on, and keeps them alive.</summary>
    public abstract void Bind(IReadOnlyList<Tensor> weights);

    /// <summary>Solves; where a tape is asked for, <see cref="Backward"/> may follow.</summary>
    public abstract void Forward(LaneSolve<T> solve, bool withTape);

    /// <summary>Runs the taped steps of the solve done last backwards.</summary>
    /// <param name="solve">That solve.</param>
    /// <param name="gradients">Cotangents in, initial states' gradients out.</param>
    /// <returns>The parameters' gradients, summed over the samples; valid until the next call.</returns>
    public abstract ReadOnlySpan<double> Backward(LaneSolve<T> solve, LaneGradients<T> gradients);
}

/// <summary>The engine over one kind of register.</summary>
internal sealed class LaneEngine<TRegister, TLanes, T> : LaneEngine<T>
    where TRegister : struct
    where TLanes : struct, ILanes<TLanes>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>
    /// The samples that one thread takes on at a time. Fixed, so that what is summed over samples is summed in the same order on any
    /// number of threads.
    /// </summary>
    private const int ChunkSize = 256;

    /// <summary>The registers of coupled samples that one thread takes backwards at a time: fixed for the same reason.</summary>
    private const int TapesAtOnce = 4;

    private readonly BoundKernel<TRegister> _kernel;
    private readonly LaneStepper<TRegister, TLanes> _stepper;
    private readonly RungeKuttaProblem _problem;
    private readonly int _threads;
    private readonly List<StepTape<TLanes>> _tapes = [];
    private readonly Stack<Worker> _idle = [];
    private readonly double[] _sums;
    private double[] _partial = [];    // the sums of each part
    private CoupledIntegrator<TRegister, TLanes, T>? _coupled;

    /// <param name="make">Makes the kernel of its weights.</param>
    /// <param name="weights">Those that it reads first.</param>
    /// <param name="problem">What is solved.</param>
    /// <param name="threads">On how many threads.</param>
    public LaneEngine(
        Func<IReadOnlyList<Tensor>, LaneKernel<TRegister>> make, IReadOnlyList<Tensor> weights, RungeKuttaProblem problem, int threads)
        : base(new EngineKey(make, problem, threads))
    {
        (_kernel, _problem, _threads) = (new(make), problem, threads);
        _stepper = new(_kernel.Of(weights), problem.Tableau);
        _sums = new double[GradientSize];
    }

    /// <inheritdoc/>
    public override int StateSize => _stepper.Kernel.StateSize;

    /// <inheritdoc/>
    public override int ParameterSize => _stepper.Kernel.ParameterSize;

    /// <inheritdoc/>
    public override int GradientSize => _stepper.Kernel.GradientSize;

    /// <inheritdoc/>
    public override long TapeBytes => _tapes.Sum(tape => tape.Bytes);

    private bool IsCoupled => _problem.Options.Coupling == StepCoupling.Batch;

    /// <inheritdoc/>
    public override void Bind(IReadOnlyList<Tensor> weights) => _stepper.Kernel = _kernel.Of(weights);

    /// <inheritdoc/>
    public override void Dispose() => _kernel.Dispose();

    /// <inheritdoc/>
    public override void Forward(LaneSolve<T> solve, bool withTape)
    {
        var events = _stepper.Kernel.Events;
        solve.Events = events.Count == 0 ? null : new EventLog(events, solve.Samples, _problem.Span);
        foreach (var tape in _tapes) tape.Clear();
        var parts = Parts(solve);
        for (var i = _tapes.Count; withTape && i < parts; i++) _tapes.Add(NewTape(parts));
        if (IsCoupled)
        {
            _coupled ??= new(_stepper, _problem);
            _coupled.Run(solve, withTape ? _tapes : null);
            return;
        }

        ForEach(parts, (worker, part) =>
        {
            var (first, count) = (part * ChunkSize, Math.Min(ChunkSize, solve.Samples - part * ChunkSize));
            worker.Run(solve, first, count, withTape ? _tapes[part] : null);
        });
    }

    /// <inheritdoc/>
    public override ReadOnlySpan<double> Backward(LaneSolve<T> solve, LaneGradients<T> gradients)
    {
        var (tapes, atOnce, size) = (Parts(solve), IsCoupled ? TapesAtOnce : 1, _sums.Length);
        var parts = (tapes + atOnce - 1) / atOnce;
        if (_partial.Length < parts * size) _partial = new double[parts * size];
        ForEach(parts, (worker, part) => worker.Adjoint.Run(
            solve, CollectionsMarshal.AsSpan(_tapes)[(part * atOnce)..Math.Min(tapes, (part + 1) * atOnce)], gradients,
            _partial.AsSpan(part * size, size)));
        Array.Clear(_sums);
        for (var part = 0; part < parts; part++) Add(_partial.AsSpan(part * size, size), _sums);
        return _sums;
    }

    /// <summary>What is worked on at a time: a chunk of samples, or a register of them where they are coupled.</summary>
    private int Parts(LaneSolve<T> solve)
    {
        var size = IsCoupled ? LaneNumbers<TLanes, T>.Count : ChunkSize;
        return (solve.Samples + size - 1) / size;
    }

    private StepTape<TLanes> NewTape(int parts)
    {
        var kernel = _stepper.Kernel;
        var keptSize = kernel.TermSize == 0 ? 0 : (_problem.Tableau.A.Count - 1) * (kernel.StateSize + kernel.TermSize);
        return new StepTape<TLanes>(LaneNumbers<TLanes, T>.Count, kernel.StateSize, keptSize, OdeTape.DefaultStageBudget / parts);
    }

    private static void Add(ReadOnlySpan<double> numbers, Span<double> sums)
    {
        for (var i = 0; i < sums.Length; i++) sums[i] += numbers[i];
    }

    private void ForEach(int parts, Action<Worker, int> action)
    {
        if (_threads == 1 || parts == 1)
        {
            var worker = Rent();
            for (var part = 0; part < parts; part++) action(worker, part);
            Return(worker);
            return;
        }

        Parallel.For(
            0, parts, new ParallelOptions { MaxDegreeOfParallelism = _threads }, Rent,
            (part, _, worker) =>
            {
                action(worker, part);
                return worker;
            },
            Return);
    }

    private Worker Rent()
    {
        lock (_idle) return _idle.TryPop(out var worker) ? worker : new Worker(_stepper, _problem);
    }

    private void Return(Worker worker)
    {
        lock (_idle) _idle.Push(worker);
    }

    /// <summary>What one thread needs.</summary>
    private sealed class Worker(LaneStepper<TRegister, TLanes> stepper, RungeKuttaProblem problem)
    {
        private LaneIntegrator<TRegister, TLanes, T>? _integrator;
        private LaneAdjoint<TRegister, TLanes, T>? _adjoint;
        private FixedStepIntegrator<TRegister, TLanes, T>? _fixedSteps;
        private bool _hasLooked;    // for whether fixed steps apply

        public LaneAdjoint<TRegister, TLanes, T> Adjoint => _adjoint ??= new(stepper);

        public void Run(LaneSolve<T> solve, int first, int count, StepTape<TLanes>? tape)
        {
            if (!_hasLooked) (_hasLooked, _fixedSteps) = (true, FixedStepIntegrator<TRegister, TLanes, T>.For(stepper, problem, solve.Times));
            if (_fixedSteps is null || tape is not null || !solve.Slopes.IsEmpty) StepByStep(solve, first, count, tape);
            else _fixedSteps.Run(solve, first, count, (sample, samples) => StepByStep(solve, sample, samples, null));
        }

        private void StepByStep(LaneSolve<T> solve, int first, int count, StepTape<TLanes>? tape) =>
            (_integrator ??= new(stepper, problem)).Run(solve, first, count, tape);
    }
}
