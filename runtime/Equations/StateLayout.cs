using TorchSharp;
using static TorchSharp.torch;

namespace DiffEqLang.Runtime;

/// <summary>One state of a model and its place in the packed vector.</summary>
/// <param name="Name">As in the .deq file; the derivative of a second-order state q is named q'.</param>
/// <param name="Shape">Of one sample; empty for a scalar.</param>
/// <param name="Offset">Of its first element in the packed vector.</param>
public sealed record StateSlot(string Name, long[] Shape, long Offset)
{
    /// <summary>The number of its elements.</summary>
    public long Size { get; } = Shape.Aggregate(1L, (product, n) => product * n);
}

/// <summary>
/// Where each state lies in the packed vector [..., N] that solvers work on: one after another along the last axis,
/// each flattened row-major. The leading axes are the batch.
/// </summary>
public sealed class StateLayout
{
    /// <param name="states">Names and shapes, in the order of the declarations.</param>
    public StateLayout(params ReadOnlySpan<(string Name, long[] Shape)> states)
    {
        var slots = new StateSlot[states.Length];
        for (var i = 0; i < slots.Length; i++)
        {
            slots[i] = new StateSlot(states[i].Name, states[i].Shape, Size);
            Size += slots[i].Size;
        }

        Slots = slots;
    }

    /// <summary>The states, in order.</summary>
    public IReadOnlyList<StateSlot> Slots { get; }

    /// <summary>N, the length of the packed vector.</summary>
    public long Size { get; }

    /// <summary>One state out of the packed vector: [..., N] -> [..., shape]. A view.</summary>
    public Tensor Unpack(Tensor packed, int slot)
    {
        var (shape, offset) = (Slots[slot].Shape, Slots[slot].Offset);
        if (shape.Length == 0) return packed.select(-1, offset);
        var part = Slots.Count == 1 ? packed.alias() : packed.narrow(-1, offset, Slots[slot].Size);
        return shape.Length == 1 ? part : part.reshape([.. packed.shape[..^1], .. shape]);
    }

    /// <summary>
    /// The packed vector of all states, in order, whose batch axes broadcast: [..., shape of each] -> [..., N].
    /// </summary>
    /// <exception cref="ArgumentException">A part does not end in its state's shape, or the batches do not fit.</exception>
    public Tensor Pack(IReadOnlyList<Tensor> parts)
    {
        if (parts.Count != Slots.Count)
            throw new ArgumentException($"{Slots.Count} states are packed, {parts.Count} were given.", nameof(parts));
        if (parts.Count == 1 && Slots[0].Shape.Length == 1)
        {
            BatchOf(parts[0], Slots[0]);
            return parts[0].alias();
        }

        long[] batch = [];
        for (var i = 0; i < parts.Count; i++)
            batch = Broadcast(batch, BatchOf(parts[i], Slots[i]), Slots[i]);
        var flat = parts.Select((part, i) => part.expand([.. batch, .. Slots[i].Shape]).reshape([.. batch, Slots[i].Size]));
        return parts.Count == 1 ? flat.First() : cat([.. flat], -1);
    }

    private static long[] BatchOf(Tensor part, StateSlot slot)
    {
        var shape = part.shape;
        var rank = slot.Shape.Length;
        if (shape.Length < rank || !shape[^rank..].SequenceEqual(slot.Shape))
            throw new ArgumentException(
                $"State {slot.Name} has shape [{string.Join(", ", slot.Shape)}] (batch axes may stand before it); the value given has [{string.Join(", ", shape)}].");
        return shape[..^rank];
    }

    private static long[] Broadcast(long[] a, long[] b, StateSlot slot)
    {
        var result = new long[Math.Max(a.Length, b.Length)];
        for (var i = 1; i <= result.Length; i++)
        {
            var (x, y) = (i <= a.Length ? a[^i] : 1, i <= b.Length ? b[^i] : 1);
            if (x != y && x != 1 && y != 1)
                throw new ArgumentException(
                    $"State {slot.Name} has batch [{string.Join(", ", b)}], which does not fit the states before it, [{string.Join(", ", a)}].");
            result[^i] = Math.Max(x, y);
        }

        return result;
    }
}
