using DiffEqLang.Tableaux;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// Takes the steps of a multistep method, each lane with an order, a step and past values of its own. The present value is the state or its
/// slope, which the loop hands over; the others are kept here.
/// </summary>
internal sealed class MultistepKernel : StepKernel
{
    private const string Past = "past", Jacobian = "jacobian";

    private readonly MultistepMethod _method;
    private readonly OrderControl _control;
    private readonly CorrectorIteration? _corrector;
    private readonly bool _isAdaptive;
    private readonly int _lanes;
    private readonly long _samples;
    private Tensor _older;      // past values, the latest first: [past - 1, lanes, width]

    /// <param name="problem">What is solved, and how.</param>
    /// <param name="method">The method.</param>
    /// <param name="lanes">How many lanes step on their own.</param>
    /// <param name="state">The initial state: [samples, N].</param>
    public MultistepKernel(OdeProblem problem, MultistepMethod method, int lanes, Tensor state)
        : base(problem.Equations)
    {
        var most = problem.Method.Order ?? method.MostOrder;
        (_method, _lanes, _samples, _isAdaptive) = (method, lanes, state.size(0), problem.IsAdaptive);
        _control = new OrderControl(method, most, lanes, problem.Span);
        _older = zeros([method.PastCount(most) - 1, lanes, state.numel() / lanes], state.dtype, state.device).DetachFromDisposeScope();
        if (method.IsImplicit) _corrector = new CorrectorIteration(problem, this, lanes, state);
    }

    /// <inheritdoc/>
    public override long Jacobians => _corrector?.Matrix.Jacobians ?? 0;

    /// <inheritdoc/>
    public override long Factorizations => _corrector?.Matrix.Factorizations ?? 0;

    /// <inheritdoc/>
    public override bool[]? Failed => _corrector is not null && Array.Exists(_corrector.Failed, failed => failed) ? _corrector.Failed : null;

    /// <inheritdoc/>
    public override IReadOnlyList<double> Nodes { get; } = [0, 1];

    /// <inheritdoc/>
    public override int EndNode => 1;

    /// <inheritdoc/>
    public override int FirstErrorOrder => 1;

    /// <inheritdoc/>
    public override bool NeedsSlope => !_method.IsImplicit || _control.AnyStarts;

    /// <inheritdoc/>
    public override Func<int, bool, double, double>? StepFactor => _control.Factor;

    /// <inheritdoc/>
    public override Tensor Drift(StepGeometry geometry, int node, Tensor state, out Tensor[]? terms)
    {
        Evaluations++;
        terms = null;
        var slope = Equations.Drift(geometry.TimeOf(node), state);
        return slope.numel() == state.numel() ? slope : slope.expand_as(state);
    }

    /// <inheritdoc/>
    public override StepAttempt Attempt(StepGeometry geometry, Tensor state, Tensor? slope, Tensor[]? terms)
    {
        LaneFormula[] formulas = [.. geometry.Steps.Select((step, lane) => _control.Formula(lane, step))];
        var past = cat([OfLanes(_method.IsImplicit ? state : slope!), Begun(formulas, state, slope)], 0);
        return _corrector is null ? PredictAndCorrect(geometry, state, past, formulas) : Solve(geometry, state, past, formulas);
    }

    /// <inheritdoc/>
    public override void Commit(StepAttempt step, bool[] moves, StepCut? cut, bool hasEndSlope)
    {
        var taken = (MultistepStep)step;
        for (var lane = 0; lane < _lanes; lane++)
        {
            if (!moves[lane]) continue;
            if (cut?.TimeOf(lane) is { } time) _control.Restart(lane, time);
            else _control.Move(lane, taken.Formulas[lane], step.Geometry.Times[lane] + step.Geometry.Steps[lane]);
            if (!_isAdaptive) _control.Raise(lane);
        }

        taken.Settle(moves);
        var older = moves.Contains(false)
            ? where(tensor(moves, [1, _lanes, 1], device: _older.device), taken.Older, _older)
            : taken.Older.clone();
        _older.Dispose();
        _older = older.DetachFromDisposeScope();
    }

    /// <inheritdoc/>
    public override Tensor? SharedSlope(StepAttempt step) => null;

    /// <inheritdoc/>
    public override string? ObstacleToResume => _corrector is { Matrix.IsDense: false }
        ? "its sparse Jacobians last over steps and are not kept; take an implicit one-step method such as kvaerno5"
        : null;

    /// <inheritdoc/>
    public override double[] Memory(int lane) => [.. _control.Memory(lane), .. _corrector?.Matrix.Memory(lane) ?? []];

    /// <inheritdoc/>
    public override IReadOnlyList<(string Name, Tensor Value)> TensorMemory
    {
        get
        {
            var past = (Past, _older.transpose(0, 1));
            return _corrector?.Matrix.Jacobian is { } jacobian ? [past, (Jacobian, jacobian)] : [past];
        }
    }

    /// <inheritdoc/>
    public override void Recall(double[][] ofLanes, IReadOnlyDictionary<string, Tensor> tensors)
    {
        for (var lane = 0; lane < _lanes; lane++) _control.Recall(lane, ofLanes[lane]);
        var older = tensors[Past].view(_lanes, _older.size(0), _older.size(2)).transpose(0, 1).contiguous().clone();
        _older.Dispose();
        _older = older.DetachFromDisposeScope();
        if (_corrector is null || !tensors.TryGetValue(Jacobian, out var jacobian)) return;
        var size = (long)Math.Sqrt(jacobian.numel() / (double)_samples);
        _corrector.Matrix.Recall([.. ofLanes.Select(memory => memory[^2..])], jacobian.view(_samples, size, size));
    }

    /// <summary>Takes note of the errors that orders are chosen by, of every lane.</summary>
    public void Note(double[] below, double[] present, double[] above)
    {
        for (var lane = 0; lane < _lanes; lane++) _control.Note(lane, below[lane], present[lane], above[lane]);
    }

    private MultistepStep PredictAndCorrect(StepGeometry geometry, Tensor state, Tensor past, LaneFormula[] formulas)
    {
        var predicted = OfSamples(LaneWeights.Sums(past, [[.. formulas.Select(formula => formula.Predictor)]])[0], state).add_(state, Scalars.One);
        var values = cat([OfLanes(Drift(geometry, EndNode, predicted, out _)), past], 0);
        double[][] corrector = [.. formulas.Select(formula => (double[])[formula.Leading, .. formula.Corrector])];
        var after = OfSamples(LaneWeights.Sums(values, [corrector])[0], state).add_(state, Scalars.One);
        return new MultistepStep(this, geometry, state, predicted, after, values, null, formulas);
    }

    private MultistepStep Solve(StepGeometry geometry, Tensor state, Tensor past, LaneFormula[] formulas)
    {
        var sums = LaneWeights.Sums(
            past, [[.. formulas.Select(formula => formula.Predictor)], [.. formulas.Select(formula => formula.Corrector)]]);
        var (predicted, known) = (OfSamples(sums[0], state), OfSamples(sums[1], state));
        var after = _corrector!.Solve(geometry, predicted, known, [.. formulas.Select(formula => formula.Leading)]);
        return new MultistepStep(this, geometry, state, predicted, after, cat([OfLanes(after), past], 0), known, formulas);
    }

    /// <summary>The past values; of lanes that start with an implicit method, the second lies where the first one's tangent leads back to.</summary>
    private Tensor Begun(LaneFormula[] formulas, Tensor state, Tensor? slope)
    {
        if (!Array.Exists(formulas, formula => formula.IsStart)) return _older;
        var starts = tensor([.. formulas.Select(formula => formula.IsStart)], [1, _lanes, 1], device: state.device);
        var steps = LaneWeights.Column([.. formulas.Select(formula => formula.Step)], state);
        var behind = OfLanes(state.add(slope!.mul(steps), Scalars.MinusOne));
        return where(starts, behind, _older);
    }

    private Tensor OfLanes(Tensor samples) => samples.reshape(1, _lanes, -1);

    private static Tensor OfSamples(Tensor lanes, Tensor like) => lanes.reshape(like.shape);

    /// <inheritdoc/>
    public override void Dispose()
    {
        _older.Dispose();
        _corrector?.Dispose();
    }
}
