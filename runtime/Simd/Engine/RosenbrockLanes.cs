using DiffEqLang.Tableaux;

namespace DiffEqLang.Runtime.Simd;

/// <summary>
/// The stages of a Rosenbrock step on one register: each lane its own matrix I - hγJ, factorized once a step
/// (<see cref="RosenbrockCoefficients"/>).
/// </summary>
/// <param name="stepper">The equations and the method.</param>
internal sealed class RosenbrockLanes<TRegister, TLanes>(LaneStepper<TRegister, TLanes> stepper)
    where TRegister : struct
    where TLanes : struct, ILanes<TLanes>
{
    private readonly RosenbrockCoefficients _coefficients = stepper.Tableau.Rosenbrock!;
    private readonly (int Stage, TLanes Weight)[][] _coupling = [.. stepper.Tableau.Rosenbrock!.Coupling.Select(NonZero)];
    private readonly TLanes[] _timeWeights = [.. stepper.Tableau.Rosenbrock!.TimeWeights.Select(TLanes.Of)];
    private readonly LuFactors<TLanes> _factors = new(stepper.Size);
    private readonly RegisterBuffer<TLanes> _ofTime = new(stepper.Size), _jacobian = new(stepper.Kernel.JacobianSize);
    private readonly int[] _places = stepper.Kernel.IsJacobianSparse        // of the Jacobian's numbers in the matrix
        ? stepper.Kernel.JacobianPattern.ToArray()
        : [.. Enumerable.Range(0, stepper.Size * stepper.Size)];

    /// <summary>Finds all stages up to that at the end of the step: as <see cref="LaneStepper{TRegister, TLanes}.Evaluate"/>.</summary>
    public void Evaluate(
        TLanes t, TLanes h, ReadOnlySpan<TLanes> state, ReadOnlySpan<TLanes> parameters, Span<TLanes> stages, Span<TLanes> states, Span<TLanes> terms)
    {
        var (size, end) = (stepper.Size, stepper.Tableau.EndStage);
        Prepare(t, h, state, parameters);
        for (var stage = 1; stage < end; stage++)
        {
            var slope = stages.Slice(stage * size, size);
            if (stage == 1) stages[..size].CopyTo(slope);
            else DriftAt(stage, t, h, state, parameters, stages, states, slope, terms);
            Add(stage, stages, slope);
            _factors.Solve(slope);
        }

        DriftAt(end, t, h, state, parameters, stages, states, stages.Slice(end * size, size), terms);
    }

    /// <summary>The factors of I/γ - hJ, and h ∂f/∂t.</summary>
    private void Prepare(TLanes t, TLanes h, ReadOnlySpan<TLanes> state, ReadOnlySpan<TLanes> parameters)
    {
        var size = stepper.Size;
        var matrix = _factors.Matrix;
        var jacobian = _jacobian.Span;
        stepper.DriftJacobian(t, state, parameters, jacobian);
        matrix.Clear();
        for (var i = 0; i < jacobian.Length; i++) matrix[_places[i]] = -h * jacobian[i];
        var diagonal = TLanes.Of(1 / _coefficients.γ);
        for (var i = 0; i < size; i++) matrix[i * size + i] = matrix[i * size + i] + diagonal;
        _factors.Factorize();
        stepper.DriftTimeDerivative(t, state, parameters, _ofTime.Span);
        foreach (ref var slope in _ofTime.Span) slope = h * slope;
    }

    private void DriftAt(
        int stage, TLanes t, TLanes h, ReadOnlySpan<TLanes> state, ReadOnlySpan<TLanes> parameters, ReadOnlySpan<TLanes> stages,
        Span<TLanes> states, Span<TLanes> slope, Span<TLanes> terms)
    {
        var at = stepper.StateOf(stage, states);
        stepper.Place(stage, h, state, stages, at);
        stepper.Drift(TLanes.MultiplyAdd(h, TLanes.Of(stepper.Tableau.C[stage]), t), at, parameters, slope, terms[..stepper.Kernel.TermSize]);
    }

    /// <summary>Σⱼ cᵢⱼ kⱼ + h γᵢ ∂f/∂t.</summary>
    private void Add(int stage, ReadOnlySpan<TLanes> stages, Span<TLanes> right)
    {
        var ofTime = _ofTime.Span;
        for (var c = 0; c < right.Length; c++)
        {
            var sum = TLanes.MultiplyAdd(_timeWeights[stage], ofTime[c], right[c]);
            foreach (var (j, weight) in _coupling[stage]) sum = TLanes.MultiplyAdd(weight, stages[j * right.Length + c], sum);
            right[c] = sum;
        }
    }

    private static (int, TLanes)[] NonZero(double[] weights) =>
        [.. weights.Index().Where(pair => pair.Item != 0).Select(pair => (pair.Index, TLanes.Of(pair.Item)))];
}
