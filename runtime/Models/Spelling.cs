namespace DiffEqLang.Runtime;

/// <summary>What a mistyped name may have meant.</summary>
internal static class Spelling
{
    /// <summary>" Did you mean 'x'?" where a candidate is near, else " There are x, y, z."</summary>
    public static string Suggest(string name, IEnumerable<string> candidates)
    {
        var known = candidates.ToList();
        var nearest = known.MinBy(candidate => Distance(name, candidate));
        var allowed = name.Length < 3 ? 1 : Math.Max(2, name.Length / 3);
        return nearest is not null && Distance(name, nearest) <= allowed
            ? $" Did you mean '{nearest}'?"
            : known.Count == 0 ? " There are none." : $" There are {string.Join(", ", known)}.";
    }

    /// <summary>
    /// The least number of insertions, deletions, replacements and exchanges of neighbours, upper and lower case alike
    /// (optimal string alignment).
    /// </summary>
    private static int Distance(string left, string right)
    {
        var (a, b) = (left.ToLowerInvariant(), right.ToLowerInvariant());
        var distance = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++)
            for (var j = 0; j <= b.Length; j++)
            {
                if (i == 0 || j == 0)
                {
                    distance[i, j] = i + j;
                    continue;
                }

                var replaced = distance[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                distance[i, j] = Math.Min(replaced, Math.Min(distance[i - 1, j], distance[i, j - 1]) + 1);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    distance[i, j] = Math.Min(distance[i, j], distance[i - 2, j - 2] + 1);
            }

        return distance[a.Length, b.Length];
    }
}
