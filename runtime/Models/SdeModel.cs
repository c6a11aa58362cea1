using DiffEqLang.Runtime.Simd;
using DiffEqLang.Runtime.Solvers.Stochastic;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>The base of generated models with noise.</summary>
public abstract class SdeModel : DifferentialModel
{
    /// <inheritdoc/>
    protected SdeModel(string name, StateLayout layout, SolveDefaults defaults, Device? device, ScalarType? dtype)
        : base(name, layout, defaults, device, dtype) { }

    /// <summary>The structure of the noise.</summary>
    public abstract NoiseStructure Noise { get; }

    /// <summary>The sense in which the equations are written.</summary>
    public abstract Calculus Calculus { get; }

    /// <summary>The number of Wiener processes.</summary>
    public abstract long NoiseSize { get; }

    /// <summary>L with L Lᵀ the correlation of the increments, [M, M]; null where they are independent.</summary>
    protected virtual Tensor? CorrelationFactor() => null;

    /// <inheritdoc/>
    protected sealed override Solution SolvePacked(IReadOnlyList<Tensor?> initial, SolveOptions? options)
    {
        var asked = Complete(options);
        var span = SpanOf(asked).Shared("Samples of a stochastic equation share the grid of their steps");
        if (span.Direction < 0)
            throw new ArgumentException(
                $"An SDE is solved forwards in time, not from {span.Start} to {span.End}; write the time-reversed equations as a model of their own.");
        var state = InitialOf(initial);
        var problem = StochasticProblem.Of(Calculus, Noise, NoiseSize, CorrelationFactor(), span, asked);
        var flat = state.reshape(-1, Layout.Size);
        var result = ChooseSimd(state, asked, span) is { } binding
            ? SimdSdeSolve.Solve(binding, problem, flat)
            : SdeSolver.Solve(problem, BindNoise(), flat);
        var batch = state.shape[..^1];
        return WithOutputs(new Solution(
            Layout,
            tensor(result.Times, ScalarType.Float64),
            result.Saved.reshape([result.Times.Length, .. batch, Layout.Size]),
            result.Status,
            result.Statistics)
        {
            LastTime = result.LastTimes,
            LastState = result.LastState.reshape([.. batch, Layout.Size]),
        });
    }
    private SdeEquations BindNoise() => Bind() as SdeEquations
        ?? throw new InvalidOperationException($"{GetName()} has noise, so its Bind must give SdeEquations.");
}
