using System.Numerics;
using System.Runtime.CompilerServices;

namespace DiffEqLang.Runtime.Simd;

/// <summary>Runs solves of one model by one method, forwards and backwards, on several threads; hides the kind of register.</summary>
/// <typeparam name="T">float or double.</typeparam>
internal abstract class LaneEngine<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>N, the numbers of a state.</summary>
    public abstract int StateSize { get; }

    /// <summary>The numbers of the parameters in registers.</summary>
    public abstract int ParameterSize { get; }

    /// <summary>The numbers of all parameters' gradients.</summary>
    public abstract int GradientSize { get; }

    /// <summary>Solves; where a tape is asked for, <see cref="Backward"/> may follow.</summary>
    public abstract void Forward(LaneSolve<T> solve, bool withTape);

    /// <summary>Runs the taped steps of the solve done last backwards.</summary>
    /// <param name="solve">That solve.</param>
    /// <param name="gradients">Cotangents in, initial states' gradients out.</param>
    /// <param name="parameterGradients">Receives the parameters' gradients, summed over the samples.</param>
    public abstract void Backward(LaneSolve<T> solve, LaneGradients<T> gradients, Span<double> parameterGradients);
}

/// <summary>The engine over one kind of register.</summary>
internal sealed class LaneEngine<TRegister, TLanes, T>(LaneKernel<TRegister> kernel, RungeKuttaProblem problem, int threads) : LaneEngine<T>
    where TRegister : struct
    where TLanes : struct, ILanes<TLanes>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>
    /// The samples that one thread takes on at a time. Fixed, so that what is summed over samples is summed in the same order on any
    /// number of threads.
    /// </summary>
    private const int ChunkSize = 256;

    private readonly LaneStepper<TRegister, TLanes> _stepper = new(kernel, problem.Tableau);
    private readonly List<StepTape<TLanes>> _tapes = [];
    private readonly Stack<Worker> _idle = [];
    private CoupledIntegrator<TRegister, TLanes, T>? _coupled;
    private double[] _partial = [];

    /// <inheritdoc/>
    public override int StateSize => kernel.StateSize;

    /// <inheritdoc/>
    public override int ParameterSize => kernel.ParameterSize;

    /// <inheritdoc/>
    public override int GradientSize => kernel.GradientSize;

    private bool IsCoupled => problem.Options.Coupling == StepCoupling.Batch;

    /// <inheritdoc/>
    public override void Forward(LaneSolve<T> solve, bool withTape)
    {
        foreach (var tape in _tapes) tape.Clear();
        var parts = Parts(solve);
        for (var i = _tapes.Count; withTape && i < parts; i++) _tapes.Add(NewTape(parts));
        if (IsCoupled)
        {
            _coupled ??= new(_stepper, problem);
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
    public override void Backward(LaneSolve<T> solve, LaneGradients<T> gradients, Span<double> parameterGradients)
    {
        var (parts, size) = (Parts(solve), kernel.GradientSize);
        if (_partial.Length < parts * size) _partial = new double[parts * size];
        Array.Clear(_partial);
        ForEach(parts, (worker, part) => worker.Adjoint.Run(solve, _tapes[part], gradients, _partial.AsSpan(part * size, size)));
        parameterGradients.Clear();
        for (var part = 0; part < parts; part++)
            for (var i = 0; i < size; i++)
                parameterGradients[i] += _partial[part * size + i];
    }

    /// <summary>What is worked on at a time: a chunk of samples, or a register of them where they are coupled.</summary>
    private int Parts(LaneSolve<T> solve)
    {
        var size = IsCoupled ? LaneNumbers<TLanes, T>.Count : ChunkSize;
        return (solve.Samples + size - 1) / size;
    }

    private StepTape<TLanes> NewTape(int parts)
    {
        var keptSize = kernel.TermSize == 0 ? 0 : (problem.Tableau.A.Count - 1) * (kernel.StateSize + kernel.TermSize);
        return new StepTape<TLanes>(LaneNumbers<TLanes, T>.Count, kernel.StateSize, keptSize, OdeTape.DefaultStageBudget / parts);
    }

    private void ForEach(int parts, Action<Worker, int> action)
    {
        if (threads == 1 || parts == 1)
        {
            var worker = Rent();
            for (var part = 0; part < parts; part++) action(worker, part);
            Return(worker);
            return;
        }

        Parallel.For(
            0, parts, new ParallelOptions { MaxDegreeOfParallelism = threads }, Rent,
            (part, _, worker) =>
            {
                action(worker, part);
                return worker;
            },
            Return);
    }

    private Worker Rent()
    {
        lock (_idle) return _idle.TryPop(out var worker) ? worker : new Worker(_stepper, problem);
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
