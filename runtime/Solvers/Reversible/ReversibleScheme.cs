using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>What a reversible scheme carries from step to step, or the adjoint of that: [samples, N] each.</summary>
/// <param name="State">The solution.</param>
/// <param name="Companion">The second vector, without which the step could not be undone.</param>
/// <param name="Slope">The right-hand side at the companion, where the scheme uses it twice; else null.</param>
internal sealed record ReversibleState(Tensor State, Tensor Companion, Tensor? Slope) : IDisposable
{
    /// <summary>The same with every tensor changed.</summary>
    public ReversibleState Map(Func<Tensor, Tensor> change) => new(change(State), change(Companion), Slope is null ? null : change(Slope));

    /// <inheritdoc/>
    public void Dispose()
    {
        State.Dispose();
        Companion.Dispose();
        Slope?.Dispose();
    }
}

/// <summary>
/// A method whose step with h is undone by its step with -h, whatever its error: the way back needs nothing kept, and the gradient is that
/// of the scheme up to rounding.
/// </summary>
/// <param name="name">As written in <c>method = ...</c>.</param>
internal abstract class ReversibleScheme(string name)
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<ReversibleScheme> All { get; } = [new ReversibleHeun(), new AsynchronousLeapfrog()];

    /// <summary>By its name; null where it is none of them.</summary>
    public static ReversibleScheme? Find(string? name) => All.FirstOrDefault(scheme => scheme.Name == name);

    /// <summary>As written in <c>method = ...</c>.</summary>
    public string Name => name;

    /// <summary>What the solve begins with at a state.</summary>
    public abstract ReversibleState Begin(OdeEquations equations, double time, Tensor state);

    /// <summary>A step of size h from a time; by -h from its end, its inverse.</summary>
    public abstract ReversibleState Step(OdeEquations equations, double time, double h, ReversibleState from);

    /// <summary>
    /// Undoes a step and goes back through it: what it began with and the adjoint of that, from what it ended with and the adjoint of
    /// that. Adds d loss / d parameter to <paramref name="into"/>.
    /// </summary>
    public abstract (ReversibleState Before, ReversibleState Adjoint) Reverse(
        OdeEquations equations, double time, double h, ReversibleState after, ReversibleState adjoint, ParameterGradients into);

    /// <summary>The adjoint of the initial state, from that of what the solve begins with.</summary>
    public abstract Tensor ReverseBegin(
        OdeEquations equations, double time, ReversibleState first, ReversibleState adjoint, ParameterGradients into);

    /// <summary>f(t, x), in the shape of the state also where it does not depend on it.</summary>
    protected static Tensor Drift(OdeEquations equations, double time, Tensor state) =>
        equations.Drift(TimeOf(time, state), state).expand_as(state);

    /// <summary>A time as equations take it.</summary>
    protected static Tensor TimeOf(double time, Tensor like) => HostVector.ToDevice([time], [], like.dtype, like.device);

    /// <summary>a + weight b, in a new tensor.</summary>
    protected static Tensor Sum(Tensor a, double weight, Tensor b)
    {
        using Scalar factor = weight;
        return a.add(b, factor);
    }
}
