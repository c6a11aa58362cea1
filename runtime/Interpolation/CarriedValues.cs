using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>
/// What is saved of values that are carried along the steps of a solve, as its states are saved: at given times, or at every step. Its tensors
/// belong to no dispose scope; what it hands out is the caller's to dispose.
/// </summary>
internal sealed class CarriedValues : IDisposable
{
    private readonly SavedStates? _saved;
    private readonly List<Tensor> _everyStep = [];

    /// <param name="span">Which times are saved.</param>
    /// <param name="start">The values at the start: [samples, width].</param>
    /// <param name="lanes">How many lanes step on their own.</param>
    public CarriedValues(SolveSpan span, Tensor start, int lanes)
    {
        if (span.Times is not null)
        {
            _saved = new SavedStates(span, start, lanes, withSlopes: false);
            _saved.Values.DetachFromDisposeScope();
            _saved.Start(start, start);
        }
        else
        {
            _everyStep.Add(Kept(start));
        }
    }

    /// <summary>Saves what an accepted step has crossed.</summary>
    /// <param name="rows">The saved times inside it; null where there is none.</param>
    /// <param name="step">The step of the values, extended where there are such.</param>
    /// <param name="after">The values after it.</param>
    public void Add(SaveRows? rows, StepAttempt step, Tensor after)
    {
        if (rows is not null) _saved!.Write(rows, step);
        if (_saved is null) _everyStep.Add(Kept(after));
    }

    /// <summary>Ends the solve; gives the values at all saved times, [times, samples, width], NaN where a lane has not arrived.</summary>
    /// <param name="last">Those at the end.</param>
    /// <param name="status">How the lanes have ended.</param>
    public Tensor Close(Tensor last, IReadOnlyList<SolveStatus?> status)
    {
        if (_saved is null) return stack([.. _everyStep]).DetachFromDisposeScope();
        _saved.Finish(last, last, status);
        return Kept(_saved.Values);
    }

    private static Tensor Kept(Tensor tensor) => tensor.alias().DetachFromDisposeScope();

    /// <inheritdoc/>
    public void Dispose()
    {
        _saved?.Values.Dispose();
        foreach (var values in _everyStep) values.Dispose();
    }
}
