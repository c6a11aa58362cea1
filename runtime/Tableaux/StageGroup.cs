namespace DiffEqLang.Tableaux;

/// <summary>How a stage is found.</summary>
public enum StageKind
{
    /// <summary>From the stages before it.</summary>
    Explicit,

    /// <summary>By solving equations that are as nonlinear as the right-hand side.</summary>
    Implicit,

    /// <summary>By solving linear equations with its Jacobian: a stage of a Rosenbrock method.</summary>
    Linear,
}

/// <summary>Stages that are found together: one that is explicit or linear, one that depends on itself, or several on each other.</summary>
/// <param name="First">The first of them.</param>
/// <param name="Count">How many there are.</param>
/// <param name="Kind">How they are found.</param>
public readonly record struct StageGroup(int First, int Count, StageKind Kind)
{
    /// <summary>The last of them.</summary>
    public int Last => First + Count - 1;

    /// <summary>Whether a stage is one of them.</summary>
    public bool Contains(int stage) => stage >= First && stage <= Last;

    /// <summary>Their own rows and columns of A: [Count, Count].</summary>
    public double[,] Block(IReadOnlyList<double[]> a)
    {
        var block = new double[Count, Count];
        for (var i = 0; i < Count; i++)
            for (var j = 0; j < Count && First + j < a[First + i].Length; j++)
                block[i, j] = a[First + i][First + j];
        return block;
    }

    /// <summary>The groups of the stages after the first, of which those before <paramref name="end"/> are linear where told.</summary>
    internal static IEnumerable<StageGroup> Of(IReadOnlyList<double[]> a, int end, bool areLinear)
    {
        for (var first = 1; first < a.Count;)
        {
            var last = first;
            for (var i = first; i <= last; i++) last = Math.Max(last, Array.FindLastIndex(a[i], value => value != 0));
            var isImplicit = last > first || Array.FindLastIndex(a[first], value => value != 0) == first;
            var kind = isImplicit ? StageKind.Implicit : areLinear && first < end ? StageKind.Linear : StageKind.Explicit;
            yield return new StageGroup(first, last - first + 1, kind);
            first = last + 1;
        }
    }
}
