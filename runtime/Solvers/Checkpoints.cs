using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>A state of a solve from which its steps can be taken again.</summary>
/// <param name="Step">The number of the step that starts there.</param>
/// <param name="State">[samples, N], in no dispose scope.</param>
/// <param name="Slope">The right-hand side there, likewise; null where it was evaluated anew.</param>
internal sealed record Checkpoint(int Step, Tensor State, Tensor? Slope) : IDisposable
{
    /// <summary>How often the checkpoint has moved on for want of a place; what lies before one of a higher level can be given up.</summary>
    public int Level { get; init; }

    /// <inheritdoc/>
    public void Dispose()
    {
        State.Dispose();
        Slope?.Dispose();
    }
}

/// <summary>
/// The checkpoints of a solve whose number of steps is not known beforehand: beside the initial state at most so many, the last always where
/// the solve has come. Going forward and, from the last that is left, forward again for the way back are one rule.
/// </summary>
/// <remarks>
/// Wang, Moin and Iaccarino (2009), Minimal repetition dynamic checkpointing algorithm for unsteady adjoint calculation, SIAM J. Sci.
/// Comput. 31, algorithm 1. With n checkpoints and L ≤ (n + t over t) steps no step is taken more than t times, the first time included:
/// the bound that revolve (Griewank and Walther 2000, ACM TOMS 26) reaches where L is known.
/// </remarks>
/// <param name="most">n, at least 1.</param>
internal sealed class Checkpoints(int most) : IDisposable
{
    private readonly List<Checkpoint> _kept = [];

    /// <summary>How many there are, the initial state among them.</summary>
    public int Count => _kept.Count;

    /// <summary>The one that is furthest.</summary>
    public Checkpoint Last => _kept[^1];

    /// <summary>Keeps where the solve has come, in order; gives up another where there is no place.</summary>
    public void Add(Checkpoint reached)
    {
        if (_kept.Count > most)
        {
            var dispensable = Dispensable();
            if (dispensable == _kept.Count - 1) reached = reached with { Level = Last.Level + 1 };
            _kept[dispensable].Dispose();
            _kept.RemoveAt(dispensable);
        }

        _kept.Add(reached);
    }

    /// <summary>Gives the last one up; it stays the caller's to dispose.</summary>
    public Checkpoint RemoveLast()
    {
        var last = Last;
        _kept.RemoveAt(_kept.Count - 1);
        return last;
    }

    /// <summary>The latest with one of a higher level behind it; the last where there is none. Never the initial state.</summary>
    private int Dispensable()
    {
        var highest = Last.Level;
        for (var i = _kept.Count - 2; i > 0; i--)
        {
            if (_kept[i].Level < highest) return i;
            highest = _kept[i].Level;
        }

        return _kept.Count - 1;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var checkpoint in _kept) checkpoint.Dispose();
        _kept.Clear();
    }
}
