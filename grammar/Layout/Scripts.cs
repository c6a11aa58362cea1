using System.Collections.Frozen;
using System.Text;

namespace DiffEqLang.Grammar;

/// <summary>Names that look like other names, because they mix alphabets that share letter shapes.</summary>
public static class Scripts
{
    /// <summary>Greek and Cyrillic letters that are drawn like a Latin one.</summary>
    private static readonly FrozenDictionary<char, char> LatinTwins = Pairs(
        "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧοАВЕЗКМНОРСТУХасеорхуіјѕһԁԛԝ",
        "ABEZHIKMNOPTYXoABE3KMHOPCTYXaceopxyijshdqw");

    /// <summary>Second forms of Greek letters.</summary>
    private static readonly FrozenDictionary<char, char> Variants = Pairs("µϵϑϰϕϱϖ", "μεθκφρπ");

    /// <summary>The letter that makes a name confusable with one in Latin letters only, or null.</summary>
    /// <remarks>A name without Latin letters (`α`, `Δ_1`) is as meant; so is one whose other letters have no twin (`dθ`).</remarks>
    public static (char Letter, char Twin)? Confusable(string name)
    {
        if (!name.Any(char.IsAsciiLetter)) return null;
        foreach (var letter in name)
            if (LatinTwins.TryGetValue(letter, out var twin)) return (letter, twin);
        return null;
    }

    /// <summary>Whether two names are drawn alike though their characters differ: `µ` and `μ`, a Cyrillic and a Latin `x`.</summary>
    public static bool LookAlike(string a, string b) => a != b && Drawn(a) == Drawn(b);

    private static string Drawn(string name) => string.Concat(name.EnumerateRunes().Select(Drawn));

    private static char Drawn(Rune letter)
    {
        var plain = letter.Value switch
        {
            >= 0x1D400 and <= 0x1D6A3 => LatinOf((letter.Value - 0x1D400) % 52),
            >= 0x1D6A8 and <= 0x1D7C9 => GreekOf((letter.Value - 0x1D6A8) % 58),
            <= char.MaxValue => (char)letter.Value,
            _ => char.MaxValue,
        };
        plain = Variants.GetValueOrDefault(plain, plain);
        return LatinTwins.GetValueOrDefault(plain, plain);
    }

    /// <summary>Of the mathematical alphabets (Unicode, U+1D400 on), each 26 capitals and 26 small letters.</summary>
    private static char LatinOf(int place) => (char)(place < 26 ? 'A' + place : 'a' + place - 26);

    /// <summary>The same for Greek: 25 capitals, nabla, 25 small letters, and seven variants.</summary>
    private static char GreekOf(int place) => place switch
    {
        < 25 => (char)('Α' + place),
        > 25 and < 51 => (char)('α' + place - 26),
        25 or 51 => char.MaxValue,
        _ => "ϵϑϰϕϱϖ"[place - 52],
    };

    private static FrozenDictionary<char, char> Pairs(string letters, string twins) =>
        letters.Zip(twins).ToFrozenDictionary(pair => pair.First, pair => pair.Second);
}
