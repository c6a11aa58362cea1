using System.Numerics;
using DiffEqLang.Runtime.Simd;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>The base of generated models without noise.</summary>
public abstract class OdeModel : DifferentialModel
{
    /// <summary>What runs its solves on registers, between them.</summary>
    internal readonly EnginePool Engines = new();

    /// <inheritdoc/>
    protected OdeModel(string name, StateLayout layout, SolveDefaults defaults, Device? device, ScalarType? dtype)
        : base(name, layout, defaults, device, dtype) { }

    /// <inheritdoc/>
    protected sealed override Solution SolvePacked(IReadOnlyList<Tensor?> initial, SolveOptions? options)
    {
        var asked = Complete(options);
        var span = SpanOf(asked);
        var state = InitialOf(initial);
        if (ChooseSimd(state, asked, span) is not { } binding)
        {
            var solution = WithOutputs(OdeSolve.Run(Bind(), Layout, state, asked, span));
            solution.OriginOf = name => OriginOf(name, initial);
            return solution;
        }

        binding.Engines = Engines;
        return WithOutputs(SimdSolve.Run(binding, Layout, state, asked, span));
    }

    /// <summary>
    /// Goes on with a solve of this model where it ended: at its end, out of steps, cancelled, or stopped by an event, which does not stop it
    /// again. The steps are those of a solve that had not ended, to the last bit; of several samples with events up to rounding. No gradients
    /// flow, and <c>init</c> lines are not asked.
    /// </summary>
    /// <param name="state">Its state; not changed, not disposed.</param>
    /// <param name="options">
    /// Where to end and what to save, from <see cref="SolverState.Time"/> on; the method is the first solve's, whose tolerances may change.
    /// </param>
    /// <exception cref="ArgumentException">The state is of another model or method, or an option does not fit.</exception>
    public Solution Resume(SolverState state, SolveOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(state);
        if (state.Packed.dtype != Dtype)
            throw new ArgumentException($"The state is {state.Packed.dtype}, and {GetName()} computes in {Dtype}.", nameof(state));
        return WithOutputs(OdeSolve.Resume(Bind(), Layout, state, Complete(options), Defaults.End));
    }

    private SensitivityOrigin OriginOf(string parameter, IReadOnlyList<Tensor?> initial) => new(
        Registered(parameter),
        Value(parameter),
        InitialOf([.. initial.Select(given => given?.detach())]).reshape(-1, Layout.Size),
        Bind().Parameters);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing) Engines.Dispose();
        base.Dispose(disposing);
    }

    /// <summary>The SIMD code in a precision.</summary>
    /// <exception cref="InvalidOperationException">There is none.</exception>
    internal SimdBinding<T> BindForEnsemble<T>()
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var binding = BindSimd();
        if (binding is SimdBinding<T> ofPrecision && Dtype == binding.Dtype && Device.type == DeviceType.CPU) return ofPrecision;
        throw new InvalidOperationException(
            binding is null ? $"{GetName()} has no code for SIMD registers, which ensembles and solvers without torch need."
            : $"The SIMD code of {GetName()} is written in {binding.Dtype} for the CPU; the model is {Dtype} on {Device}, and {typeof(T).Name} was asked for.");
    }

    /// <summary>What a solve by these options is about.</summary>
    internal RungeKuttaProblem ProblemOf(SolveOptions? options)
    {
        var asked = Complete(options);
        return RungeKuttaProblem.Of(SpanOf(asked).Shared("Samples of an ensemble share their span of time"), asked);
    }

    /// <summary>The packed initial state that the <c>init</c> lines give: [N].</summary>
    internal T[] PackedInit<T>()
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        using var scope = NewDisposeScope();
        using var withoutGradient = no_grad();
        var packed = InitialOf([.. Layout.Slots.Select(_ => (Tensor?)null)]).contiguous();
        return new UnmanagedSpan<T>(packed).Span.ToArray();
    }
}
