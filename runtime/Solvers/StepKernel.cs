using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>Takes the steps of a solve, by a method of some family, on packed states [samples, N].</summary>
/// <param name="equations">The equations that are solved.</param>
internal abstract class StepKernel(OdeEquations equations) : IDisposable
{
    /// <summary>The equations that are solved.</summary>
    public OdeEquations Equations => equations;

    /// <summary>How often the right-hand side was evaluated.</summary>
    public virtual long Evaluations { get; protected set; }

    /// <summary>How often the Jacobian was computed.</summary>
    public abstract long Jacobians { get; }

    /// <summary>How many matrices were factorized.</summary>
    public abstract long Factorizations { get; }

    /// <summary>The lanes whose implicit equations were not solved in the last attempt; null where all were.</summary>
    public abstract bool[]? Failed { get; }

    /// <summary>Where in a step the right-hand side is evaluated, from 0 to 1.</summary>
    public abstract IReadOnlyList<double> Nodes { get; }

    /// <summary>Which of the nodes is the end.</summary>
    public abstract int EndNode { get; }

    /// <summary>The order of the error estimate of a first step.</summary>
    public abstract int FirstErrorOrder { get; }

    /// <summary>Whether the next attempt needs f at the state that it starts from.</summary>
    public abstract bool NeedsSlope { get; }

    /// <summary>
    /// By what factor the next step of a lane is longer, from whether this one was accepted and its error in units of the tolerance, where the
    /// method itself decides; null where <see cref="StepRules"/> do.
    /// </summary>
    public abstract Func<int, bool, double, double>? StepFactor { get; }

    /// <summary>The equations' algebraic part; null where they have none.</summary>
    public virtual AlgebraicConstraints? Constraints => null;

    /// <summary>
    /// What the equations take for the states of some lanes, row by row, at times of their own: themselves, followed by the delayed states that
    /// they ask for; of what was read at a break that which comes before it, or after.
    /// </summary>
    public virtual Tensor Argument(Tensor states, int[] lanes, double[] times, bool isBefore) => states;

    /// <summary>f(t, x) at a node, in the shape of the state also where it does not depend on it; with its terms, where they are kept.</summary>
    public abstract Tensor Drift(StepGeometry geometry, int node, Tensor state, out Tensor[]? terms);

    /// <summary>dx/dt from f(t, x) at the same place: f itself, but for algebraic entries.</summary>
    public Tensor Derivative(Tensor time, Tensor state, Tensor slope) => Constraints?.DerivativeAt(time, state, slope) ?? slope;

    /// <summary>M v: [..., N].</summary>
    public Tensor TimesMass(Tensor vector) => Constraints?.TimesMass(vector) ?? vector;

    /// <summary>By which method each lane was solved from when on, where that changes; else null.</summary>
    public virtual IReadOnlyList<IReadOnlyList<MethodChange>>? Changes => null;

    /// <summary>Why a solve cannot go on later from what is kept of it; null where it can.</summary>
    public virtual string? ObstacleToResume => null;

    /// <summary>The numbers that the method keeps of a lane from step to step, always as many; by default none.</summary>
    public virtual double[] Memory(int lane) => [];

    /// <summary>The tensors that it keeps, by name, the lanes along the first axis: views, [lanes, ...]; by default none.</summary>
    public virtual IReadOnlyList<(string Name, Tensor Value)> TensorMemory => [];

    /// <summary>Lets all lanes go on from what was kept of them.</summary>
    /// <param name="ofLanes">Lane by lane, <see cref="Memory"/>.</param>
    /// <param name="tensors">By name, <see cref="TensorMemory"/>, each as [lanes, width].</param>
    public virtual void Recall(double[][] ofLanes, IReadOnlyDictionary<string, Tensor> tensors) { }

    /// <summary>Makes ready for an attempt that is planned; lanes may be made to rest in it.</summary>
    public virtual void Choose(LaneClock clock) { }

    /// <summary>A step from a state.</summary>
    /// <param name="geometry">Where it lies in time.</param>
    /// <param name="state">The state before it: [samples, N].</param>
    /// <param name="slope">f there; null where it is not needed.</param>
    /// <param name="terms">The terms of that; null where they are not kept.</param>
    public abstract StepAttempt Attempt(StepGeometry geometry, Tensor state, Tensor? slope, Tensor[]? terms);

    /// <summary>Takes note of an attempt that moves a lane.</summary>
    /// <param name="step">The attempt.</param>
    /// <param name="moves">The lanes that it moves.</param>
    /// <param name="cut">The events that cut it; null where none does.</param>
    /// <param name="hasEndSlope">Whether the slope at its end is known.</param>
    public abstract void Commit(StepAttempt step, bool[] moves, StepCut? cut, bool hasEndSlope);

    /// <summary>The slope that the next attempt can use as that of its start, where it is another than the one at the end; else null.</summary>
    public abstract Tensor? SharedSlope(StepAttempt step);

    /// <summary>Where an attempt lies in time.</summary>
    public StepGeometry GeometryOf(double[] times, double[] steps, Tensor like, StepBreaks? breaks = null) =>
        new(Nodes, times, steps, like.dtype, like.device, breaks);

    /// <inheritdoc/>
    public abstract void Dispose();
}
