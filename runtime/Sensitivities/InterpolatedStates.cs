using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>The states of a solve at any time, from the dense output of its steps, all of which it keeps.</summary>
internal sealed class InterpolatedStates : IStepRecorder
{
    private readonly OdeProblem _problem;
    private readonly int _lanes, _samples;
    private readonly List<Tensor> _states = [], _slopes = [];   // of each step: [samples, N], and h kᵢ [stages, samples, N]
    private readonly List<Place>[] _steps;                  // of each lane
    private Tensor? _allStates, _allSlopes;                 // [steps · samples, N], [steps · samples, stages, N]

    /// <param name="problem">What is solved.</param>
    /// <param name="state">From where: [samples, N].</param>
    public InterpolatedStates(OdeProblem problem, Tensor state)
    {
        (_problem, _lanes, _samples) = (problem, problem.LanesOf(state), (int)state.size(0));
        _steps = [.. Enumerable.Range(0, _lanes).Select(_ => new List<Place>())];
    }

    /// <inheritdoc/>
    public bool TakesStates => false;

    /// <inheritdoc/>
    public bool WantsTerms => false;

    /// <inheritdoc/>
    public void Add(AcceptedStep step)
    {
        var (attempt, geometry) = (step.Attempt, step.Geometry);
        if (step.Stages.Slopes.Contains(null)) attempt.Extend();
        using Scalar scale = geometry.Scale;
        _slopes.Add(attempt.Increments().mul_(scale).DetachFromDisposeScope());
        _states.Add(attempt.State.alias().DetachFromDisposeScope());
        for (var lane = 0; lane < _lanes; lane++)
            if (step.Moves[lane])
                _steps[lane].Add(new Place(geometry.Times[lane], geometry.Steps[lane], _states.Count - 1));
    }

    /// <inheritdoc/>
    public void Close(SolveEnd end)
    {
        end.State.Dispose();
        if (_states.Count == 0) return;
        var slopes = stack([.. _slopes]);       // [steps, stages, samples, N]
        _allSlopes = slopes.transpose(1, 2).reshape(-1, slopes.size(1), slopes.size(3)).DetachFromDisposeScope();
        _allStates = cat([.. _states], 0).DetachFromDisposeScope();
        Drop();
    }

    /// <summary>The states at a time: [samples, N].</summary>
    /// <param name="times">Inside the solve: of all samples, or of each of these.</param>
    /// <param name="lanes">Which lanes, each of one sample; all samples where null.</param>
    public Tensor At(double[] times, int[]? lanes)
    {
        lanes ??= [.. Enumerable.Range(0, _samples)];
        double[] ofSamples = times.Length == 1 ? [.. lanes.Select(_ => times[0])] : times;
        Place[] places = [.. lanes.Select((lane, i) => StepAt(ofSamples[i], _lanes == 1 ? 0 : lane))];
        var index = tensor([.. places.Select((place, i) => (long)place.Step * _samples + lanes[i])], ScalarType.Int64, _allStates!.device);
        double[] weights = [.. places.SelectMany((place, i) => _problem.Tableau.DenseWeights((ofSamples[i] - place.Start) / place.Size))];
        var factors = HostVector.ToDevice(weights, [lanes.Length, _allSlopes!.size(1), 1], _allStates.dtype, _allStates.device);
        return _allStates.index_select(0, index).add_(_allSlopes.index_select(0, index).mul_(factors).sum([1L]), Scalars.One);
    }

    /// <summary>The step of a lane that a time lies in.</summary>
    private Place StepAt(double time, int lane)
    {
        var (steps, direction) = (_steps[lane], _problem.Span.Of(lane).Direction);
        var (first, last) = (0, steps.Count - 1);
        while (first < last)
        {
            var middle = (first + last + 1) / 2;
            if ((time - steps[middle].Start) * direction >= 0) first = middle;
            else last = middle - 1;
        }

        return steps[first];
    }

    /// <summary>Where a step of a lane lies in time, and its number among those of all lanes.</summary>
    private readonly record struct Place(double Start, double Size, int Step);

    private void Drop()
    {
        foreach (var tensor in _states.Concat(_slopes)) tensor.Dispose();
        _states.Clear();
        _slopes.Clear();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Drop();
        _allStates?.Dispose();
        _allSlopes?.Dispose();
    }
}
