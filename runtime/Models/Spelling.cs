namespace DiffEqLang.Runtime;

/// <summary>What a mistyped name may have meant.</summary>
internal static class Spelling
{
    /// <summary>" Did you mean 'x'?" where a candidate is near, else " There are x, y, z."</summary>
    public static string Suggest(string name, IEnumerable<string> candidates)
    {
        var known = candidates.ToList();
        var nearest = known.MinBy(candidate => Distance(name, candidate));
        return nearest is not null && Distance(name, nearest) <= Math.Max(1, name.Length / 3)
            ? $" Did you mean '{nearest}'?"
            : known.Count == 0 ? " There are none." : $" There are {string.Join(", ", known)}.";
    }

    /// <summary>The least number of insertions, deletions and replacements, upper and lower case alike (Levenshtein).</summary>
    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var same = char.ToLowerInvariant(a[i - 1]) == char.ToLowerInvariant(b[j - 1]);
                (diagonal, row[j]) = (row[j], Math.Min(diagonal + (same ? 0 : 1), Math.Min(row[j - 1], row[j]) + 1));
            }
        }

        return row[b.Length];
    }
}
