namespace DiffEqLang.Tableaux;

/// <summary>Stages that are found together: one that is explicit, one that depends on itself, or several on each other.</summary>
/// <param name="First">The first of them.</param>
/// <param name="Count">How many there are.</param>
/// <param name="IsImplicit">Whether they solve an equation.</param>
public readonly record struct StageGroup(int First, int Count, bool IsImplicit)
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

    /// <summary>The groups of the stages after the first.</summary>
    internal static IEnumerable<StageGroup> Of(IReadOnlyList<double[]> a)
    {
        for (var first = 1; first < a.Count;)
        {
            var last = first;
            for (var i = first; i <= last; i++) last = Math.Max(last, Array.FindLastIndex(a[i], value => value != 0));
            var isImplicit = last > first || Array.FindLastIndex(a[first], value => value != 0) == first;
            yield return new StageGroup(first, last - first + 1, isImplicit);
            first = last + 1;
        }
    }
}
