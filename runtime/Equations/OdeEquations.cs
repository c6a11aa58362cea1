using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// The equations of a model with the parameter values of one solve bound to them. Generated code derives from it;
/// solvers and sensitivities call it, always without autograd: every derivative is symbolic.
/// </summary>
/// <remarks>
/// States are packed: one tensor [..., N]. Time is [] or [...], one time per sample, in the state's dtype. Equations with
/// <see cref="Delays"/> take a state followed by the delayed ones, [..., N + M], where f is evaluated (Drift, EventRates, JumpRate), and
/// DriftVjp gives adjoints of both.
/// </remarks>
public abstract class OdeEquations
{
    /// <summary>The tensors that gradients flow to: parameters (constrained where bounded) and values hoisted out of the solve.</summary>
    public abstract IReadOnlyList<Tensor> Parameters { get; }

    /// <summary>
    /// The packed entries that are positions, as offsets and lengths, where the state falls into positions q and momenta p with q'
    /// a function of t and p, and p' one of t and q: what symplectic methods need. Null where it does not.
    /// </summary>
    public virtual IReadOnlyList<(long Offset, long Length)>? Positions => null;

    /// <summary>
    /// The packed entries that are algebraic, as offsets and lengths: they have no derivative, and in their places the right-hand side
    /// holds the residuals g(t, x) of constraints 0 = g(t, x), in any order. Null where there are none.
    /// </summary>
    public virtual IReadOnlyList<(long Offset, long Length)>? Algebraic => null;

    /// <summary>
    /// The delays, by default none. Where there are, the state that the right-hand side and derivatives along it take is followed by
    /// the parts that they name of the state at t - τ, delay by delay.
    /// </summary>
    public virtual IReadOnlyList<Delay> Delays => [];

    /// <summary>The state before the start, [] or [...] and the initial state [..., N] -> [..., N]; by default the initial state.</summary>
    public virtual Tensor History(Tensor t, Tensor initial) => initial;

    /// <summary>The derivative of that by time, [..., N].</summary>
    public virtual Tensor HistoryRate(Tensor t, Tensor initial) => zeros_like(initial);

    /// <summary>
    /// The vector-Jacobian product of the history by the initial state, [..., N]; adds that by the parameters, summed over the batch, to
    /// <paramref name="into"/>.
    /// </summary>
    public virtual Tensor HistoryVjp(Tensor t, Tensor initial, Tensor w, ParameterGradients into) => w;

    /// <summary>The right-hand side f(t, x): [..., N] -> [..., N].</summary>
    public abstract Tensor Drift(Tensor t, Tensor state);

    /// <summary>
    /// The vector-Jacobian product wᵀ ∂f/∂x, [..., N]; adds wᵀ ∂f/∂θ, summed over the batch, to <paramref name="into"/>.
    /// </summary>
    public abstract Tensor DriftVjp(Tensor t, Tensor state, Tensor w, ParameterGradients into);

    /// <summary>
    /// The right-hand side, and those of its terms that its vector-Jacobian product needs again, [..., shape] each: solvers keep
    /// them for the backward pass while their memory budget lasts. By default there are none.
    /// </summary>
    public virtual Tensor Drift(Tensor t, Tensor state, out Tensor[] terms)
    {
        terms = [];
        return Drift(t, state);
    }

    /// <summary>The vector-Jacobian product from the terms of the drift at the same place; computes them again where null.</summary>
    public virtual Tensor DriftVjp(Tensor t, Tensor state, Tensor w, ParameterGradients into, Tensor[]? terms) =>
        DriftVjp(t, state, w, into);

    /// <summary>
    /// The variational equations along a direction u in the parameters: these equations, and behind their states x how they change,
    /// v' = ∂f/∂x v + ∂f/∂θ u, of states [..., 2N] and with the same parameters. Gradients of gradients ask for them. By default null: there
    /// are none.
    /// </summary>
    /// <param name="direction">u: one tensor for each of <see cref="Parameters"/>, of its shape.</param>
    public virtual OdeEquations? Along(IReadOnlyList<Tensor> direction) => null;

    /// <summary>
    /// The Jacobian ∂f/∂x: [..., N] -> [..., N, N], row i the gradient of fᵢ. What solves implicitly asks for it. By default it is one
    /// vector-Jacobian product of all N unit vectors.
    /// </summary>
    public virtual Tensor DriftJacobian(Tensor t, Tensor state)
    {
        var (n, batch) = (state.size(-1), state.shape[..^1]);
        long[] all = [n, .. batch, n];
        var units = eye(n, dtype: state.dtype, device: state.device).view([n, .. batch.Select(_ => 1L), n]).expand(all);
        var rows = DriftVjp(t, state.expand(all), units, new ParameterGradients(Parameters, _ => false));
        return rows.expand(all).movedim([0L], [-2L]);
    }

    /// <summary>
    /// Which entries of the Jacobian may be other than zero: where most are not, implicit methods take few vector-Jacobian products and sparse
    /// factors for it. By default nothing is known.
    /// </summary>
    public virtual SparsityPattern? JacobianPattern => null;

    /// <summary>
    /// Whether the right-hand side is given as a sum f = fᴱ + fᴵ too, of which methods that split take fᴵ, the stiff part, implicitly. What they
    /// ask for then are the members below.
    /// </summary>
    public virtual bool IsSplit => false;

    /// <summary>The part fᴱ(t, x): [..., N] -> [..., N].</summary>
    public virtual Tensor ExplicitDrift(Tensor t, Tensor state) => throw WithoutParts(nameof(ExplicitDrift));

    /// <summary>Its vector-Jacobian product: see <see cref="DriftVjp(Tensor, Tensor, Tensor, ParameterGradients)"/>.</summary>
    public virtual Tensor ExplicitDriftVjp(Tensor t, Tensor state, Tensor w, ParameterGradients into) =>
        throw WithoutParts(nameof(ExplicitDriftVjp));

    /// <summary>The part fᴵ(t, x): [..., N] -> [..., N].</summary>
    public virtual Tensor ImplicitDrift(Tensor t, Tensor state) => throw WithoutParts(nameof(ImplicitDrift));

    /// <summary>Its vector-Jacobian product: see <see cref="DriftVjp(Tensor, Tensor, Tensor, ParameterGradients)"/>.</summary>
    public virtual Tensor ImplicitDriftVjp(Tensor t, Tensor state, Tensor w, ParameterGradients into) =>
        throw WithoutParts(nameof(ImplicitDriftVjp));

    /// <summary>
    /// Of what form A is, where fᴵ(t, x) = A x with a matrix A of parameters alone, as exponential methods need it; null where it is not.
    /// </summary>
    public virtual LinearStructure? ImplicitStructure => null;

    /// <summary>Which entries of ∂fᴵ/∂x may be other than zero: see <see cref="JacobianPattern"/>.</summary>
    public virtual SparsityPattern? ImplicitJacobianPattern => null;

    /// <summary>
    /// The time derivative ∂f/∂t at a state that rests: [..., N] -> [..., N]. Rosenbrock methods ask for it. By default a central
    /// difference.
    /// </summary>
    public virtual Tensor DriftTimeDerivative(Tensor t, Tensor state)
    {
        var step = t.abs().add_(Scalars.One, Scalars.One).mul_(Scalars.Of(Differences.RelativeStep(state.dtype)));
        var slope = Drift(t.add(step, Scalars.One), state).add(Drift(t.add(step, Scalars.MinusOne), state), Scalars.MinusOne);
        return slope.expand_as(state).div(step.mul(Scalars.Of(2)).unsqueeze(-1));
    }

    /// <summary>
    /// The gradient of wᵀ (∂f/∂x) v by the state, [..., N]; adds that by the parameters, summed over the batch, to
    /// <paramref name="into"/>. Gradients through Rosenbrock methods ask for it. By default the central difference of two
    /// vector-Jacobian products along v.
    /// </summary>
    public virtual Tensor JacobianVjp(Tensor t, Tensor state, Tensor v, Tensor w, ParameterGradients into)
    {
        var length = v.abs().amax([-1L], true);
        var size = state.abs().amax([-1L], true).add_(Scalars.One, Scalars.One).mul_(Scalars.Of(Differences.RelativeStep(state.dtype)));
        var step = where(length.eq(Scalars.Of(0)), size, size.div(length));
        var (move, weight) = (v.mul(step), w.div(step.mul(Scalars.Of(2))));
        var ahead = DriftVjp(t, state.add(move, Scalars.One), weight, into);
        return ahead.add(DriftVjp(t, state.add(move, Scalars.MinusOne), weight.neg(), into), Scalars.One);
    }

    /// <summary>
    /// The gradient of wᵀ ∂f/∂t by the state, [..., N]; adds that by the parameters, summed over the batch, to
    /// <paramref name="into"/>. By default the central difference of two vector-Jacobian products.
    /// </summary>
    public virtual Tensor TimeDerivativeVjp(Tensor t, Tensor state, Tensor w, ParameterGradients into)
    {
        var step = t.abs().add_(Scalars.One, Scalars.One).mul_(Scalars.Of(Differences.RelativeStep(state.dtype)));
        var weight = w.div(step.mul(Scalars.Of(2)).unsqueeze(-1));
        var ahead = DriftVjp(t.add(step, Scalars.One), state, weight, into);
        return ahead.add(DriftVjp(t.add(step, Scalars.MinusOne), state, weight.neg(), into), Scalars.One);
    }

    /// <summary>The events, in the order in which those of one time act; by default there are none.</summary>
    public virtual IReadOnlyList<EventSpec> Events => [];

    /// <summary>What the E events that watch a value watch, g(t, x): [..., N] -> [..., E], in the order of the events.</summary>
    public virtual Tensor EventValues(Tensor t, Tensor state) => throw WithoutEvents(nameof(EventValues));

    /// <summary>
    /// The derivatives of these by time along the solution, ∂g/∂t + ∂g/∂x f, with algebraic entries at rest: [..., N] -> [..., E].
    /// </summary>
    public virtual Tensor EventRates(Tensor t, Tensor state) => throw WithoutEvents(nameof(EventRates));

    /// <summary>
    /// The vector-Jacobian product wᵀ ∂g/∂x of what is watched, w [..., E] -> [..., N]; adds wᵀ ∂g/∂θ, summed over the batch, to
    /// <paramref name="into"/>.
    /// </summary>
    public virtual Tensor EventValuesVjp(Tensor t, Tensor state, Tensor w, ParameterGradients into) =>
        throw WithoutEvents(nameof(EventValuesVjp));

    /// <summary>The state after an event, J(t, x): [..., N] -> [..., N]. Of an event that changes no state, the state itself.</summary>
    /// <param name="which">The event's place among <see cref="Events"/>.</param>
    /// <param name="t">The time of the event.</param>
    /// <param name="state">The state before it.</param>
    public virtual Tensor Jump(int which, Tensor t, Tensor state) => state;

    /// <summary>
    /// The derivative of the state after an event by the event's time, along the solution before it, ∂J/∂t + ∂J/∂x f, with algebraic
    /// entries at rest: [..., N] -> [..., N].
    /// </summary>
    public virtual Tensor JumpRate(int which, Tensor t, Tensor state) => Drift(t, state);

    /// <summary>
    /// The vector-Jacobian product wᵀ ∂J/∂x of a jump, [..., N]; adds wᵀ ∂J/∂θ, summed over the batch, to <paramref name="into"/>.
    /// </summary>
    public virtual Tensor JumpVjp(int which, Tensor t, Tensor state, Tensor w, ParameterGradients into) => w;

    private static NotSupportedException WithoutParts(string member) =>
        new($"Equations that are split override {member}.");

    private static NotSupportedException WithoutEvents(string member) =>
        new($"Equations whose events watch a value override {member}.");
}
