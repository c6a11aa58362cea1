using DiffEqLang.Tableaux;
using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>Takes the steps of an exponential method. Its coefficients are kept by step size, of which fixed steps have one or two.</summary>
internal sealed class ExponentialKernel : StepKernel
{
    private const int MostKept = 8;

    /// <summary>Steps that differ by the rounding of times, as the last one does, are of one size.</summary>
    private const double RoundingOfSteps = 1e-12;

    private readonly ExponentialMethod _method;
    private readonly ScalarType _dtype;
    private readonly Dictionary<double, StepMatrices> _matrices = [];

    /// <param name="problem">What is solved.</param>
    /// <param name="state">The initial state: [samples, N].</param>
    public ExponentialKernel(OdeProblem problem, Tensor state)
        : base(problem.Equations)
    {
        (_method, _dtype) = (problem.Exponential!, state.dtype);
        Linear = new LinearPart(Equations, state, problem.Span.Of(0).Start);
        Nodes = [.. _method.Nodes, 1];
    }

    /// <summary>The linear part.</summary>
    public LinearPart Linear { get; }

    /// <inheritdoc/>
    public override long Jacobians => 0;

    /// <inheritdoc/>
    public override long Factorizations => 0;

    /// <inheritdoc/>
    public override bool[]? Failed => null;

    /// <inheritdoc/>
    public override IReadOnlyList<double> Nodes { get; }

    /// <inheritdoc/>
    public override int EndNode => _method.Nodes.Length;

    /// <inheritdoc/>
    public override int FirstErrorOrder => _method.Order;

    /// <inheritdoc/>
    public override bool NeedsSlope => false;

    /// <inheritdoc/>
    public override Func<int, bool, double, double>? StepFactor => null;

    /// <inheritdoc/>
    public override Tensor Drift(StepGeometry geometry, int node, Tensor state, out Tensor[]? terms)
    {
        Evaluations++;
        terms = null;
        return OfState(Equations.Drift(geometry.TimeOf(node), state), state);
    }

    /// <inheritdoc/>
    public override StepAttempt Attempt(StepGeometry geometry, Tensor state, Tensor? slope, Tensor[]? terms) => Take(geometry, state);

    /// <summary>A step from a state.</summary>
    public ExponentialStep Take(StepGeometry geometry, Tensor state)
    {
        var (states, slopes) = (new Tensor[EndNode + 1], new Tensor[EndNode]);
        for (var i = 0; i <= EndNode; i++)
        {
            var stage = i;
            states[i] = i == 0 ? state : OfSteps(geometry, matrices => matrices.State(stage, state, slopes));
            if (i == EndNode) break;
            Evaluations++;
            slopes[i] = OfState(Equations.ExplicitDrift(geometry.TimeOf(i), states[i]), state);
        }

        return new ExponentialStep(this, geometry, states, slopes);
    }

    /// <summary>What the coefficients of each lane's own step give, row by row: [samples, N].</summary>
    public Tensor OfSteps(StepGeometry geometry, Func<StepMatrices, Tensor> value)
    {
        Tensor? sum = null;
        foreach (var step in StepsOf(geometry))
            sum = sum is null ? value(Matrices(step)) : where(RowsOf(geometry, step, sum.device), value(Matrices(step)), sum);
        return sum!;
    }

    /// <summary>The sizes of the lanes' steps, each once.</summary>
    public static IEnumerable<double> StepsOf(StepGeometry geometry) => geometry.IsUniform ? [geometry.Steps[0]] : geometry.Steps.Distinct();

    /// <summary>The lanes whose steps have a size: [lanes, 1].</summary>
    public static Tensor RowsOf(StepGeometry geometry, double step, Device device) =>
        tensor([.. geometry.Steps.Select(own => own == step)], [geometry.Steps.Length, 1], device: device);

    /// <inheritdoc/>
    public override void Commit(StepAttempt step, bool[] moves, StepCut? cut, bool hasEndSlope) { }

    /// <inheritdoc/>
    public override Tensor? SharedSlope(StepAttempt step) => null;

    /// <summary>The coefficients for steps of a size.</summary>
    public StepMatrices Matrices(double step)
    {
        if (_matrices.Keys.FirstOrDefault(own => Math.Abs(own - step) <= RoundingOfSteps * Math.Abs(step), double.NaN) is var known && double.IsFinite(known))
            return _matrices[known];
        if (_matrices.Count == MostKept) Forget();
        return _matrices[step] = new StepMatrices(_method, Linear, step, _dtype);
    }

    private void Forget()
    {
        foreach (var matrices in _matrices.Values) matrices.Dispose();
        _matrices.Clear();
    }

    private static Tensor OfState(Tensor slope, Tensor state) => slope.numel() == state.numel() ? slope : slope.expand_as(state);

    /// <inheritdoc/>
    public override void Dispose()
    {
        Forget();
        Linear.Dispose();
    }
}
