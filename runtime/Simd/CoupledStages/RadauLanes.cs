using System.Numerics;
using DiffEqLang.Tableaux;

namespace DiffEqLang.Runtime.Simd;

/// <summary>
/// Steps of three coupled implicit stages (<see cref="StageSpectrum"/>) of the samples of some registers, each lane with matrices and iterations of its
/// own, which begin where the last step's polynomial, continued, lies.
/// </summary>
/// <remarks>
/// Hairer and Wanner (1996), Solving Ordinary Differential Equations II, IV.8. The Jacobian is taken anew in every step: keeping it, and
/// the step, while the iteration converges fast would save none to an eighth of the factorizations at a tolerance of 1e-4, and up to a quarter at
/// 1e-6 (five problems of the test set), for two more states to keep by lane.
/// </remarks>
internal sealed class RadauLanes<TRegister, TLanes, T>
    where TRegister : struct
    where TLanes : struct, ILanes<TLanes>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private const int Stages = 3;

    private readonly IStageIteration<TLanes> _iteration;
    private readonly ConvergenceRules _rules;
    private readonly int _size, _mostIterations;
    private readonly TLanes _rtol, _atol, _errorRtol, _errorAtol;    // of the iteration's norm, and of the error's
    private readonly RegisterBuffer<TLanes> _room, _lastSteps, _squares, _masks;
    private readonly Vector<double>[] _sizes, _lastSizes;
    private readonly Vector<long>[] _active, _failed, _iterations;

    /// <param name="stepper">The equations and the method.</param>
    /// <param name="problem">What is solved.</param>
    /// <param name="registers">How many registers there are at most; one unless the kernel has the method's stages as one piece.</param>
    public RadauLanes(LaneStepper<TRegister, TLanes> stepper, RungeKuttaProblem problem, int registers)
    {
        var rounding = LaneNumbers<TLanes, T>.Rounding;
        (_size, _rules) = (stepper.Size, ConvergenceRules.OfStages(problem, rounding));
        (_errorRtol, _errorAtol) = (TLanes.Of(problem.Rtol), TLanes.Of(problem.Atol));
        var toRounding = TLanes.Of(ConvergenceRules.ToleranceToRounding(rounding));
        (_rtol, _atol) = problem.IsAdaptive ? (_errorRtol, _errorAtol) : (toRounding, toRounding);
        _mostIterations = problem.IsAdaptive ? ConvergenceRules.MostIterations : ConvergenceRules.MostIterationsToRounding;
        _iteration = stepper.HasFusedStages ? new FusedStageIteration<TRegister, TLanes>(stepper) : new StageIteration<TRegister, TLanes>(stepper);
        (_room, _lastSteps) = (new(registers * _iteration.RoomSize), new(registers));
        (_squares, _masks) = (new(registers), new(registers));
        var vectors = registers * Vectors;
        (_sizes, _lastSizes) = (new Vector<double>[vectors], new Vector<double>[vectors]);
        (_active, _failed, _iterations) = (new Vector<long>[vectors], new Vector<long>[vectors], new Vector<long>[vectors]);
    }

    /// <summary>The lanes whose stages were not found in the last attempt.</summary>
    public ReadOnlySpan<Vector<long>> Failed => _failed;

    private static int Lanes => LaneNumbers<TLanes, T>.Count;

    private static int Vectors => Lanes / Vector<double>.Count;

    /// <summary>The iterations of a lane since its sample began.</summary>
    public long Iterations(int lane) => _iterations[lane / Vector<long>.Count][lane % Vector<long>.Count];

    /// <summary>There is no step that a lane goes on from: at the start, and behind an event.</summary>
    public void Forget(int lane)
    {
        LaneNumbers<TLanes, T>.Of(_lastSteps.Span)[lane] = default;
        var last = LaneNumbers<TLanes, T>.Of(LastOf(lane / Lanes));
        for (var i = lane % Lanes; i < last.Length; i += Lanes) last[i] = default;
    }

    /// <summary>A sample begins in a lane.</summary>
    public void Begin(int lane)
    {
        Forget(lane);
        ref var iterations = ref _iterations[lane / Vector<long>.Count];
        iterations = iterations.WithElement(lane % Vector<long>.Count, 0);
    }

    /// <summary>The lanes of a register that a mask has go on from the last attempt.</summary>
    public void Accept(int register, TLanes moves, TLanes h)
    {
        var z = RoomOf(register)[..(Stages * _size)];
        var last = LastOf(register);
        for (var i = 0; i < last.Length; i++) last[i] = TLanes.Select(moves, z[i], last[i]);
        ref var lastStep = ref _lastSteps.Span[register];
        lastStep = TLanes.Select(moves, h, lastStep);
    }

    /// <summary>Attempts steps.</summary>
    /// <param name="times">The times before the steps, of each register.</param>
    /// <param name="steps">The steps; 0 in lanes that rest.</param>
    /// <param name="state">The states before, N of each register.</param>
    /// <param name="parameters">Those of the kernel, of each register.</param>
    /// <param name="stages">The slopes of all four stages, N each, of each register; the first is given, the others are written.</param>
    /// <param name="after">Receives the states after.</param>
    /// <param name="squaredErrors">
    /// Receives the squared norms of the filtered estimates of the errors, as of <see cref="LaneKernel{TRegister}.Step"/>; NaN where the stages were not found.
    /// </param>
    public void Attempt(
        ReadOnlySpan<TLanes> times, ReadOnlySpan<TLanes> steps, ReadOnlySpan<TLanes> state, ReadOnlySpan<TLanes> parameters, Span<TLanes> stages,
        Span<TLanes> after, Span<TLanes> squaredErrors)
    {
        var registers = squaredErrors.Length;
        var room = _room.Span[..(registers * _iteration.RoomSize)];
        times = times[..registers];
        steps = steps[..registers];
        _iteration.Begin(times, steps, _lastSteps.Span, state, parameters, _rtol, _atol, room);
        Iterate(times, steps, state, parameters, room);
        _iteration.End(steps, state, _errorRtol, _errorAtol, room, stages, after, squaredErrors);
        var failed = Masks(_failed, registers);
        for (var i = 0; i < registers; i++) squaredErrors[i] = TLanes.Select(failed[i], TLanes.Of(double.NaN), squaredErrors[i]);
    }

    private void Iterate(
        ReadOnlySpan<TLanes> times, ReadOnlySpan<TLanes> steps, ReadOnlySpan<TLanes> state, ReadOnlySpan<TLanes> parameters, Span<TLanes> room)
    {
        var vectors = steps.Length * Vectors;
        Open(steps);
        for (var iteration = 0; iteration < _mostIterations && IsAnyActive(vectors); iteration++)
        {
            var squares = LaneNumbers<TLanes, T>.RoomFor(_sizes.AsSpan(0, vectors), _squares.Span);
            _iteration.Iterate(times, steps, Masks(_active, steps.Length), state, parameters, room, squares);
            LaneNumbers<TLanes, T>.Deliver(squares, _sizes);
            for (var v = 0; v < vectors; v++)
            {
                _iterations[v] -= _active[v];
                _rules.Judge(Vector.SquareRoot(_sizes[v]), iteration, ref _lastSizes[v], ref _active[v], ref _failed[v]);
            }
        }

        for (var v = 0; v < vectors; v++) _rules.End(_lastSizes[v], ref _active[v], ref _failed[v]);
    }

    /// <summary>Lets the lanes iterate that do not rest.</summary>
    private void Open(ReadOnlySpan<TLanes> steps)
    {
        for (var i = 0; i < steps.Length; i++) LaneNumbers<TLanes, T>.ToDoubles(steps[i], _sizes.AsSpan(i * Vectors, Vectors));
        for (var v = 0; v < steps.Length * Vectors; v++)
            (_active[v], _failed[v], _lastSizes[v]) = (~Vector.Equals(_sizes[v], Vector<double>.Zero), Vector<long>.Zero, Vector<double>.Zero);
    }

    private bool IsAnyActive(int vectors)
    {
        var any = Vector<long>.Zero;
        foreach (var active in _active.AsSpan(0, vectors)) any |= active;
        return any != Vector<long>.Zero;
    }

    private ReadOnlySpan<TLanes> Masks(Vector<long>[] masks, int registers)
    {
        var result = _masks.Span[..registers];
        for (var i = 0; i < registers; i++) result[i] = LaneNumbers<TLanes, T>.FromMasks(masks.AsSpan(i * Vectors, Vectors));
        return result;
    }

    private Span<TLanes> RoomOf(int register) => _room.Span.Slice(register * _iteration.RoomSize, _iteration.RoomSize);

    private Span<TLanes> LastOf(int register) => RoomOf(register).Slice(Stages * _size, Stages * _size);
}
