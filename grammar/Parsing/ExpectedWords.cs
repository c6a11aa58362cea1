using Antlr4.Runtime;
using Antlr4.Runtime.Misc;
using static Antlr4.Runtime.TokenConstants;
using static DiffEqLang.Grammar.DeqParser;

namespace DiffEqLang.Grammar;

/// <summary>What the parser found and expected, in a person's words.</summary>
internal static class ExpectedWords
{
    private const int LongestQuote = 30;

    /// <summary>The token that should not have stood there.</summary>
    public static string Found(IToken token) => token.Type switch
    {
        NEWLINE => "the end of the line",
        EOF => "the end of the file",
        _ when token.Text.Length > LongestQuote => $"`{token.Text[..LongestQuote]}…`",
        _ => $"`{token.Text}`",
    };

    /// <summary>What could have stood there.</summary>
    public static string Expected(IntervalSet tokens)
    {
        if (tokens.Contains(NUMBER)) return "an expression";
        if (tokens.Contains(NEWLINE) && tokens.Contains(COMMA)) return "a comma or the end of the line";
        if (tokens.Contains(NEWLINE)) return "the end of the line";
        if (tokens.Contains(ID)) return "a name";
        var spellings = tokens.ToArray().Select(type => DefaultVocabulary.GetLiteralName(type)).OfType<string>();
        var quoted = spellings.Select(literal => $"`{literal.Trim('\'').Replace("\\'", "'", StringComparison.Ordinal)}`").ToArray();
        return quoted.Length switch
        {
            0 => "something else",
            1 => quoted[0],
            _ => $"{string.Join(", ", quoted[..^1])} or {quoted[^1]}",
        };
    }
}
