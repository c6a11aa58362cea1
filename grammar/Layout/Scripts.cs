using System.Collections.Frozen;

namespace DiffEqLang.Grammar;

/// <summary>Names that look like other names, because they mix alphabets that share letter shapes.</summary>
internal static class Scripts
{
    /// <summary>Greek and Cyrillic letters that are drawn like a Latin one.</summary>
    private static readonly FrozenDictionary<char, char> LatinTwins = Pairs(
        "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧοАВЕЗКМНОРСТУХасеорхуіјѕһԁԛԝ",
        "ABEZHIKMNOPTYXoABE3KMHOPCTYXaceopxyijshdqw");

    /// <summary>The letter that makes a name confusable with one in Latin letters only, or null.</summary>
    /// <remarks>A name without Latin letters (`α`, `Δ_1`) is as meant; so is one whose other letters have no twin (`dθ`).</remarks>
    public static (char Letter, char Twin)? Confusable(string name)
    {
        if (!name.Any(char.IsAsciiLetter)) return null;
        foreach (var letter in name)
            if (LatinTwins.TryGetValue(letter, out var twin)) return (letter, twin);
        return null;
    }

    private static FrozenDictionary<char, char> Pairs(string letters, string twins) =>
        letters.Zip(twins).ToFrozenDictionary(pair => pair.First, pair => pair.Second);
}
