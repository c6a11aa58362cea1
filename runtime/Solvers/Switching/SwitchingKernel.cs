using DiffEqLang.Tableaux;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// Takes the steps of <c>auto</c>: of each lane by an explicit method until it proves stiff, by one for stiff equations until it no longer is.
/// Where lanes differ, those of the two methods step by turns while the others rest, so that no lane depends on its batch mates.
/// </summary>
internal sealed class SwitchingKernel : StepKernel
{
    /// <summary>Steps in a row at the boundary of stability after which a lane counts as stiff: Hairer's, in DOPRI5.</summary>
    private const int StiffSteps = 15;

    /// <summary>Steps in a row well inside of it after which it no longer does.</summary>
    private const int GentleSteps = 6;

    /// <summary>The explicit method's boundary of stability on the negative real axis.</summary>
    internal const double Boundary = 3.5068;

    private const double Near = 0.9;

    private readonly RungeKuttaKernel _explicit, _stiff;
    private readonly bool[] _isStiff;
    private readonly int[] _count;          // steps in a row that speak for the other method
    private readonly List<MethodChange>[] _changes;
    private RungeKuttaKernel _active;

    /// <param name="problem">What is solved; its tableau is the explicit method.</param>
    /// <param name="lanes">How many lanes step on their own.</param>
    /// <param name="dtype">Of the state.</param>
    /// <param name="keepsTerms">Whether stages keep the terms that vector-Jacobian products need again.</param>
    public SwitchingKernel(OdeProblem problem, int lanes, ScalarType dtype, bool keepsTerms)
        : base(problem.Equations)
    {
        _explicit = new RungeKuttaKernel(problem, lanes, dtype, keepsTerms);
        _stiff = new RungeKuttaKernel(problem.ByStiffMethod, lanes, dtype, keepsTerms);
        (_active, _isStiff, _count) = (_explicit, new bool[lanes], new int[lanes]);
        _changes = [.. Enumerable.Range(0, lanes).Select(lane => new List<MethodChange> { new(problem.Span.Of(lane).Start, problem.Tableau.Name) })];
    }

    /// <inheritdoc/>
    public override IReadOnlyList<IReadOnlyList<MethodChange>> Changes => _changes;

    /// <inheritdoc/>
    public override long Evaluations => _explicit.Evaluations + _stiff.Evaluations;

    /// <inheritdoc/>
    public override long Jacobians => _stiff.Jacobians;

    /// <inheritdoc/>
    public override long Factorizations => _stiff.Factorizations;

    /// <inheritdoc/>
    public override bool[]? Failed => _active.Failed;

    /// <inheritdoc/>
    public override IReadOnlyList<double> Nodes => _active.Nodes;

    /// <inheritdoc/>
    public override int EndNode => _active.EndNode;

    /// <inheritdoc/>
    public override int FirstErrorOrder => _active.FirstErrorOrder;

    /// <inheritdoc/>
    public override bool NeedsSlope => true;

    /// <inheritdoc/>
    public override Func<int, bool, double, double>? StepFactor => null;

    /// <inheritdoc/>
    public override double[] Memory(int lane) => [_isStiff[lane] ? 1 : 0, _count[lane], _changes[lane][^1].Time];

    /// <inheritdoc/>
    public override void Recall(double[][] ofLanes, IReadOnlyDictionary<string, Tensor> tensors)
    {
        for (var lane = 0; lane < ofLanes.Length; lane++)
        {
            (_isStiff[lane], _count[lane]) = (ofLanes[lane][0] != 0, (int)ofLanes[lane][1]);
            _changes[lane] = [new(ofLanes[lane][2], (_isStiff[lane] ? _stiff : _explicit).Tableau.Name)];
        }
    }

    /// <summary>Chooses the method of the next attempt, the other one than last where lanes wait for it, and lets the lanes of the other rest.</summary>
    public override void Choose(LaneClock clock)
    {
        var (anyStiff, anyGentle) = (false, false);
        for (var lane = 0; lane < _isStiff.Length; lane++)
            if (clock.Status[lane] is null)
                (anyStiff, anyGentle) = (anyStiff || _isStiff[lane], anyGentle || !_isStiff[lane]);
        _active = anyStiff && anyGentle ? (_active == _stiff ? _explicit : _stiff) : anyStiff ? _stiff : _explicit;
        for (var lane = 0; lane < _isStiff.Length; lane++)
            if (_isStiff[lane] != (_active == _stiff))
                clock.Rest(lane);
    }

    /// <inheritdoc/>
    public override Tensor Drift(StepGeometry geometry, int node, Tensor state, out Tensor[]? terms) => _active.Drift(geometry, node, state, out terms);

    /// <inheritdoc/>
    public override StepAttempt Attempt(StepGeometry geometry, Tensor state, Tensor? slope, Tensor[]? terms) =>
        _active.Attempt(geometry, state, slope, terms);

    /// <inheritdoc/>
    public override void Commit(StepAttempt step, bool[] moves, StepCut? cut, bool hasEndSlope)
    {
        _active.Commit(step, moves, cut, hasEndSlope);
        if (Stiffness((RungeKuttaStep)step) is not { } stiffness) return;
        for (var lane = 0; lane < _isStiff.Length; lane++)
            if (moves[lane])
                Note(lane, stiffness[lane], cut?.TimeOf(lane) ?? step.Geometry.Times[lane] + step.Geometry.Steps[lane]);
    }

    /// <inheritdoc/>
    public override Tensor? SharedSlope(StepAttempt step) => _active.SharedSlope(step);

    /// <summary>Of each lane; null where nothing is known.</summary>
    private double[]? Stiffness(RungeKuttaStep step)
    {
        if (_active == _stiff) return _stiff.JacobianAtStart is { } jacobian ? StiffnessGauge.OfJacobian(jacobian, step.Geometry, _isStiff.Length) : null;
        step.EndSlope();
        return StiffnessGauge.OfStages(step.Stages, _explicit.EndNode, _explicit.EndNode - 1, _isStiff.Length);
    }

    private void Note(int lane, double stiffness, double time)
    {
        var speaksForOther = _isStiff[lane] ? stiffness < Near * Boundary : stiffness > Near * Boundary;
        _count[lane] = speaksForOther ? _count[lane] + 1 : _isStiff[lane] ? 0 : Math.Max(0, _count[lane] - 1);
        if (_count[lane] < (_isStiff[lane] ? GentleSteps : StiffSteps)) return;
        (_isStiff[lane], _count[lane]) = (!_isStiff[lane], 0);
        _changes[lane].Add(new(time, (_isStiff[lane] ? _stiff : _explicit).Tableau.Name));
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _explicit.Dispose();
        _stiff.Dispose();
    }
}
