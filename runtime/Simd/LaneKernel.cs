namespace DiffEqLang.Runtime.Simd;

/// <summary>
/// The equations of a model over SIMD registers: lane i of every register belongs to one sample, so that one instruction serves
/// as many samples as a register has lanes. Generated code derives from it; the engine calls it, from several threads at once,
/// so that a kernel keeps nothing of a call.
/// </summary>
/// <typeparam name="TRegister">
/// <c>Vector&lt;double&gt;</c>, <c>Vector&lt;float&gt;</c>, <c>Vector512&lt;double&gt;</c> or <c>Vector512&lt;float&gt;</c>.
/// </typeparam>
/// <remarks>
/// No lane may influence another, also where a function has a slow path for some arguments: a sample's result must not depend on
/// its neighbours. Time is in the state's precision here; the engine keeps it in float64.
/// </remarks>
public abstract class LaneKernel<TRegister>
    where TRegister : struct
{
    /// <summary>N, the numbers of a packed state.</summary>
    public abstract int StateSize { get; }

    /// <summary>The numbers of the parameters and constants that are passed in registers, and so may differ from lane to lane.</summary>
    public abstract int ParameterSize { get; }

    /// <summary>The numbers of all tensors that gradients flow to, in the binding's order, each row-major.</summary>
    public abstract int GradientSize { get; }

    /// <summary>
    /// The parts of the gradients that <see cref="DriftVjp"/> has summed over the lanes already: there the sums stand number by
    /// number at the beginning of the part, and the rest of it is not used.
    /// </summary>
    public virtual IReadOnlyList<Range> SummedOverLanes => [];

    /// <summary>
    /// Of each number of the state, the number that is its derivative as it stands; -1 of the velocities themselves. Where the equations are of
    /// the second order without velocity, q'' = a(t, q); empty where they are not.
    /// </summary>
    public virtual ReadOnlySpan<int> Velocities => [];

    /// <summary>How many registers <see cref="Drift"/> leaves for <see cref="DriftVjp"/>.</summary>
    public virtual int TermSize => 0;

    /// <summary>The right-hand side f(t, x).</summary>
    /// <param name="t">The time of each lane.</param>
    /// <param name="state">x, length N.</param>
    /// <param name="parameters">Length <see cref="ParameterSize"/>.</param>
    /// <param name="slope">Receives f, length N.</param>
    /// <param name="terms">Receives what the vector-Jacobian product at the same place needs again, length <see cref="TermSize"/>.</param>
    public abstract void Drift(
        TRegister t, ReadOnlySpan<TRegister> state, ReadOnlySpan<TRegister> parameters, Span<TRegister> slope, Span<TRegister> terms);

    /// <summary>The vector-Jacobian products of the right-hand side.</summary>
    /// <param name="t">The time of each lane.</param>
    /// <param name="state">x, length N.</param>
    /// <param name="parameters">Length <see cref="ParameterSize"/>.</param>
    /// <param name="terms">As <see cref="Drift"/> left them at the same place.</param>
    /// <param name="w">The cotangent of f, length N.</param>
    /// <param name="stateGradient">Is set to wᵀ ∂f/∂x, length N.</param>
    /// <param name="parameterGradients">
    /// wᵀ ∂f/∂θ is added to it, lane by lane (but for <see cref="SummedOverLanes"/>); length <see cref="GradientSize"/>.
    /// </param>
    public abstract void DriftVjp(
        TRegister t, ReadOnlySpan<TRegister> state, ReadOnlySpan<TRegister> parameters, ReadOnlySpan<TRegister> terms,
        ReadOnlySpan<TRegister> w, Span<TRegister> stateGradient, Span<TRegister> parameterGradients);

    /// <summary>
    /// Whether <see cref="DriftJvp"/>, <see cref="DriftJacobian"/> and <see cref="DriftTimeDerivative"/> are there: where the model was built
    /// with its Jacobian, or for a method that asks for it.
    /// </summary>
    public virtual bool HasJacobian => false;

    /// <summary>Where the Jacobian can be other than zero: row · N + column, ascending; empty where nothing is known of it.</summary>
    public virtual ReadOnlySpan<int> JacobianPattern => [];

    /// <summary>Whether <see cref="DriftJacobian"/> writes the entries of the pattern alone, one after another.</summary>
    public virtual bool IsJacobianSparse => false;

    /// <summary>How many numbers <see cref="DriftJacobian"/> writes.</summary>
    public int JacobianSize => IsJacobianSparse ? JacobianPattern.Length : StateSize * StateSize;

    /// <summary>The Jacobian-vector product of the right-hand side.</summary>
    /// <param name="t">The time of each lane.</param>
    /// <param name="state">x, length N.</param>
    /// <param name="parameters">Length <see cref="ParameterSize"/>.</param>
    /// <param name="tangent">The tangent v of x, length N.</param>
    /// <param name="slopeTangent">Is set to ∂f/∂x v, length N.</param>
    public virtual void DriftJvp(
        TRegister t, ReadOnlySpan<TRegister> state, ReadOnlySpan<TRegister> parameters, ReadOnlySpan<TRegister> tangent,
        Span<TRegister> slopeTangent) => throw new NotSupportedException("This kernel has no Jacobian-vector product.");

    /// <summary>The Jacobian of the right-hand side.</summary>
    /// <param name="t">The time of each lane.</param>
    /// <param name="state">x, length N.</param>
    /// <param name="parameters">Length <see cref="ParameterSize"/>.</param>
    /// <param name="jacobian">Is set to ∂fᵢ/∂xⱼ: [N, N], row-major; or to those of <see cref="JacobianPattern"/>. Length <see cref="JacobianSize"/>.</param>
    public virtual void DriftJacobian(
        TRegister t, ReadOnlySpan<TRegister> state, ReadOnlySpan<TRegister> parameters, Span<TRegister> jacobian) =>
        throw new NotSupportedException("This kernel has no Jacobian.");

    /// <summary>The time derivative of the right-hand side at a state that rests; zero where a kernel does not write it anew.</summary>
    /// <param name="t">The time of each lane.</param>
    /// <param name="state">x, length N.</param>
    /// <param name="parameters">Length <see cref="ParameterSize"/>.</param>
    /// <param name="slope">Is set to ∂f/∂t, length N.</param>
    public virtual void DriftTimeDerivative(
        TRegister t, ReadOnlySpan<TRegister> state, ReadOnlySpan<TRegister> parameters, Span<TRegister> slope) => slope.Clear();

    /// <summary>The events, in the order in which those of one time act; by default there are none.</summary>
    public virtual IReadOnlyList<EventSpec> Events => [];

    /// <summary>
    /// What the E events that watch a value watch, g(t, x), in the order of the events, and how it changes along a slope, ∂g/∂t + ∂g/∂x v.
    /// </summary>
    /// <param name="t">The time of each lane.</param>
    /// <param name="state">x, length N.</param>
    /// <param name="parameters">Length <see cref="ParameterSize"/>.</param>
    /// <param name="tangent">v, length N.</param>
    /// <param name="values">Is set to g, length E.</param>
    /// <param name="rates">Is set to its derivative, length E.</param>
    public virtual void EventValues(
        TRegister t, ReadOnlySpan<TRegister> state, ReadOnlySpan<TRegister> parameters, ReadOnlySpan<TRegister> tangent,
        Span<TRegister> values, Span<TRegister> rates) =>
        throw new NotSupportedException("Kernels whose events watch a value override EventValues.");

    /// <summary>Lets an event act.</summary>
    /// <param name="which">The event's place among <see cref="Events"/>.</param>
    /// <param name="t">The time of each lane.</param>
    /// <param name="state">The state before it, length N.</param>
    /// <param name="parameters">Length <see cref="ParameterSize"/>.</param>
    /// <param name="after">That state again; what the event changes is overwritten. By default nothing.</param>
    public virtual void Jump(
        int which, TRegister t, ReadOnlySpan<TRegister> state, ReadOnlySpan<TRegister> parameters, Span<TRegister> after)
    { }

    /// <summary>The method whose attempted step <see cref="Step"/> is, by its name in <c>method = ...</c>; null where there is none.</summary>
    public virtual string? FusedStep => null;

    /// <summary>The method whose steps <see cref="Advance"/> takes; null where there is none.</summary>
    public virtual string? FusedAdvance => null;

    /// <summary>
    /// Attempted steps of <see cref="FusedStep"/>: of one or several registers of samples, one after another, so that the processor works on
    /// one where it waits for the last result of another.
    /// </summary>
    /// <param name="times">The time of each lane.</param>
    /// <param name="steps">The signed step of each lane; a lane that rests has 0. As long as <paramref name="times"/>, or longer.</param>
    /// <param name="state">The states before, N of each register.</param>
    /// <param name="parameters"><see cref="ParameterSize"/> of each register.</param>
    /// <param name="rtol">The relative tolerance.</param>
    /// <param name="atol">The absolute tolerance.</param>
    /// <param name="stages">
    /// Equally many of each register, of which the first (EndStage + 1) · N are the slopes kᵢ up to the tableau's end stage, component by
    /// component. The first slope is given, the others are written.
    /// </param>
    /// <param name="after">Receives the states after, N of each register.</param>
    /// <param name="squaredErrors">
    /// As long as there are registers. Receives the squared norm of the error, 1/N Σ (eᵢ / (atol + rtol max(|yᵢ|, |y₁ᵢ|)))²; of two estimates,
    /// their combination (<see cref="Tableaux.ErrorEstimate"/>).
    /// </param>
    public virtual void Step(
        ReadOnlySpan<TRegister> times, ReadOnlySpan<TRegister> steps, ReadOnlySpan<TRegister> state, ReadOnlySpan<TRegister> parameters,
        TRegister rtol, TRegister atol, Span<TRegister> stages, Span<TRegister> after, Span<TRegister> squaredErrors) =>
        throw new NotSupportedException("This kernel has no fused step.");

    /// <summary>Several steps of <see cref="FusedAdvance"/> of one size.</summary>
    /// <param name="steps">How many.</param>
    /// <param name="t">The time before the first; the same in every lane.</param>
    /// <param name="h">The signed step; the same in every lane.</param>
    /// <param name="state">
    /// One or several states, one after another: length a multiple of N. Steps are the outer loop and states the inner one, so that
    /// the processor works on several at once instead of waiting for the last result.
    /// </param>
    /// <param name="parameters">Those of each state, one after another.</param>
    public virtual void Advance(int steps, TRegister t, TRegister h, Span<TRegister> state, ReadOnlySpan<TRegister> parameters) =>
        throw new NotSupportedException("This kernel has no fused steps.");

    /// <summary>The method whose coupled stages <see cref="BeginStages"/>, <see cref="IterateStages"/> and <see cref="EndStages"/> find; null where there is none.</summary>
    public virtual string? FusedStages => null;

    /// <summary>
    /// How many registers of memory a step of <see cref="FusedStages"/> has: first the increments z of its three stages, N each; then those of the
    /// last step that was accepted; then what the three methods hand to each other.
    /// </summary>
    public virtual int StageRoomSize => 0;

    /// <summary>
    /// Begins attempted steps of <see cref="FusedStages"/>, of one or several registers as <see cref="Step"/>: factorizes the systems of Newton's
    /// iteration (<see cref="Tableaux.StageSpectrum"/>), and lets the increments begin on the last step's polynomial, continued.
    /// </summary>
    /// <param name="times">The time of each lane.</param>
    /// <param name="steps">The signed step of each lane; a lane that rests has 0.</param>
    /// <param name="lastSteps">The size of the last step that was accepted; 0 where there is none.</param>
    /// <param name="state">The states before, N of each register.</param>
    /// <param name="parameters"><see cref="ParameterSize"/> of each register.</param>
    /// <param name="rtol">The relative tolerance in which the iteration is measured.</param>
    /// <param name="atol">The absolute one.</param>
    /// <param name="room"><see cref="StageRoomSize"/> of each register.</param>
    public virtual void BeginStages(
        ReadOnlySpan<TRegister> times, ReadOnlySpan<TRegister> steps, ReadOnlySpan<TRegister> lastSteps, ReadOnlySpan<TRegister> state,
        ReadOnlySpan<TRegister> parameters, TRegister rtol, TRegister atol, Span<TRegister> room) =>
        throw new NotSupportedException("This kernel has no fused stages.");

    /// <summary>An iteration of the steps that <see cref="BeginStages"/> has begun, in some lanes.</summary>
    /// <param name="times">The time of each lane.</param>
    /// <param name="steps">The signed step of each lane.</param>
    /// <param name="active">The mask of the lanes that iterate; the increments of the others stay.</param>
    /// <param name="state">The states before, N of each register.</param>
    /// <param name="parameters"><see cref="ParameterSize"/> of each register.</param>
    /// <param name="room">As <see cref="BeginStages"/>, or the last iteration, left it.</param>
    /// <param name="squaredChanges">
    /// As long as there are registers. Receives the squared norm of the change of z, 1/3N Σ (Δzᵢ / (atol + rtol |yᵢ|))².
    /// </param>
    public virtual void IterateStages(
        ReadOnlySpan<TRegister> times, ReadOnlySpan<TRegister> steps, ReadOnlySpan<TRegister> active, ReadOnlySpan<TRegister> state,
        ReadOnlySpan<TRegister> parameters, Span<TRegister> room, Span<TRegister> squaredChanges) =>
        throw new NotSupportedException("This kernel has no fused stages.");

    /// <summary>Ends the steps whose iteration has ended.</summary>
    /// <param name="steps">The signed step of each lane.</param>
    /// <param name="state">The states before, N of each register.</param>
    /// <param name="rtol">The relative tolerance of the error.</param>
    /// <param name="atol">The absolute one.</param>
    /// <param name="room">As the last iteration left it.</param>
    /// <param name="stages">The slopes of all four stages, N each, of each register; the first is given, the others are written.</param>
    /// <param name="after">Receives the states after, N of each register.</param>
    /// <param name="squaredErrors">As long as there are registers. Receives the squared norm of the filtered error, as of <see cref="Step"/>.</param>
    public virtual void EndStages(
        ReadOnlySpan<TRegister> steps, ReadOnlySpan<TRegister> state, TRegister rtol, TRegister atol, ReadOnlySpan<TRegister> room,
        Span<TRegister> stages, Span<TRegister> after, Span<TRegister> squaredErrors) =>
        throw new NotSupportedException("This kernel has no fused stages.");
}
