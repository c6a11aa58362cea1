using System.Numerics;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime.Simd;

/// <summary>The memory of that part of an ensemble that is being solved; the next part of as many samples may use it again.</summary>
internal sealed class EnsemblePart<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly T[] _initial, _values, _lastState;
    private T[]? _parameters;

    /// <param name="problem">What is solved.</param>
    /// <param name="count">How many samples are in the part.</param>
    /// <param name="size">N.</param>
    /// <param name="shared">The numbers of the parameters in registers that do not vary.</param>
    public EnsemblePart(RungeKuttaProblem problem, int count, int size, T[] shared)
    {
        Solve = new LaneSolve<T>(problem, count, size) { Parameters = shared };
        (_initial, _values, _lastState) = (Pinned(count * size), Pinned(Solve.Times.Length * count * size), Pinned(count * size));
        (Solve.Initial, Solve.Values, Solve.LastState) = (new(_initial), new(_values), new(_lastState));
    }

    /// <summary>The solve of the part.</summary>
    public LaneSolve<T> Solve { get; }

    /// <summary>Copies the initial states: one for all, or those from a first sample on.</summary>
    public void SetInitial(ReadOnlySpan<T> initial, int first)
    {
        var size = Solve.Size;
        if (initial.Length > size) initial.Slice(first * size, _initial.Length).CopyTo(_initial);
        else
            for (var sample = 0; sample < Solve.Samples; sample++)
                initial.CopyTo(_initial.AsSpan(sample * size));
    }

    /// <summary>Copies the parameters that vary beside those that do not.</summary>
    public void SetParameters(
        IReadOnlyList<(string Name, Tensor Value)> registers, IReadOnlyDictionary<string, ReadOnlyMemory<T>> varied, int first)
    {
        var width = Solve.Parameters.Length;
        var parameters = _parameters ??= Pinned(Solve.Samples * width);
        for (var sample = 0; sample < Solve.Samples; sample++) Solve.Parameters.CopyTo(parameters.AsSpan(sample * width));
        var offset = 0;
        foreach (var (name, value) in registers)
        {
            var size = (int)value.numel();
            if (varied.TryGetValue(name, out var numbers))
                for (var sample = 0; sample < Solve.Samples; sample++)
                    numbers.Span.Slice((first + sample) * size, size).CopyTo(parameters.AsSpan(sample * width + offset));
            offset += size;
        }

        Solve.ParametersBySample = new(parameters);
    }

    /// <summary>What was found.</summary>
    public EnsembleChunk<T> Chunk(int first) => new()
    {
        First = first,
        Count = Solve.Samples,
        Times = Solve.Times,
        Values = _values,
        LastState = _lastState,
        LastTime = Solve.LastTime,
        Status = Solve.Status,
        Events = Solve.Events?.OfLanes ?? [],
        Accepted = Solve.Accepted,
        Rejected = Solve.Rejected,
    };

    /// <summary>Keeps the arrays, to whose addresses the solve holds on, alive until here.</summary>
    public void KeepAlive()
    {
        GC.KeepAlive(_initial);
        GC.KeepAlive(_values);
        GC.KeepAlive(_lastState);
        GC.KeepAlive(_parameters);
    }

    private static T[] Pinned(int length) => GC.AllocateArray<T>(length, pinned: true);
}
