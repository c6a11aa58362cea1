using System.Collections.Frozen;

namespace DiffEqLang.Grammar;

/// <summary>What a word was probably meant to be.</summary>
public static class Spelling
{
    /// <summary>Words of other languages for our declarations.</summary>
    private static readonly FrozenDictionary<string, string> Synonyms = new Dictionary<string, string>
    {
        ["parameter"] = "param", ["parameters"] = "param", ["par"] = "param", ["var"] = "state", ["variable"] = "state",
        ["constant"] = "const", ["def"] = "fn", ["func"] = "fn", ["fun"] = "fn", ["function"] = "fn",
        ["network"] = "net", ["initial"] = "init", ["brownian"] = "wiener", ["noise"] = "wiener", ["poisson"] = "jumps",
        ["input"] = "control", ["include"] = "import", ["using"] = "import", ["observe"] = "output", ["dimension"] = "dim",
        ["event"] = "when", ["random"] = "sample", ["delay"] = "history",
    }.ToFrozenDictionary();

    /// <summary>Whether a word begins a loop in other languages.</summary>
    public static bool IsLoop(string word) => word is "for" or "foreach" or "while" or "repeat" or "loop";

    /// <summary>The declaration word that <paramref name="word"/> was meant to be, or null.</summary>
    public static string? Keyword(string word) =>
        IsLoop(word) ? null : Synonyms.GetValueOrDefault(word.ToLowerInvariant()) ?? Nearest(word, TokenKinds.Keywords.Keys);

    /// <summary>
    /// The candidate fewest edits away, if that is at most a third of the word (at least one); ties go to the first in
    /// alphabetical order, so that the answer never depends on the order of the candidates.
    /// </summary>
    public static string? Nearest(string word, IEnumerable<string> candidates)
    {
        var limit = Math.Max(1, (word.Length + 1) / 3);
        return candidates
            .Where(c => Math.Abs(c.Length - word.Length) <= limit)
            .Select(c => (Word: c, Distance: Distance(word, c)))
            .Where(c => c.Distance <= limit)
            .OrderBy(c => c.Distance).ThenBy(c => c.Word, StringComparer.Ordinal)
            .Select(c => c.Word)
            .FirstOrDefault();
    }

    /// <summary>
    /// Edits from one word to the other, where swapping two neighbours is one edit (optimal string alignment;
    /// Damerau, "A technique for computer detection and correction of spelling errors", CACM 7(3), 1964).
    /// </summary>
    private static int Distance(string a, string b)
    {
        var d = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++) d[i, 0] = i;
        for (var j = 0; j <= b.Length; j++) d[0, j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            for (var j = 1; j <= b.Length; j++)
            {
                var change = d[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                d[i, j] = Math.Min(change, 1 + Math.Min(d[i - 1, j], d[i, j - 1]));
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    d[i, j] = Math.Min(d[i, j], d[i - 2, j - 2] + 1);
            }
        }
        return d[a.Length, b.Length];
    }
}
