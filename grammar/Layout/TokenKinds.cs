using System.Collections.Frozen;
using Antlr4.Runtime;
using static Antlr4.Runtime.TokenConstants;
using static DiffEqLang.Grammar.DeqParser;

namespace DiffEqLang.Grammar;

/// <summary>What the layout asks about a token's type.</summary>
internal static class TokenKinds
{
    /// <summary>The declaration words, which are keywords only where they begin a declaration.</summary>
    public static readonly FrozenDictionary<string, int> Keywords = new Dictionary<string, int>
    {
        ["import"] = IMPORT, ["model"] = MODEL, ["dim"] = DIM, ["state"] = STATE, ["algebraic"] = ALGEBRAIC,
        ["param"] = PARAM, ["const"] = CONST, ["control"] = CONTROL, ["wiener"] = WIENER, ["jumps"] = JUMPS,
        ["sample"] = SAMPLE, ["let"] = LET, ["fn"] = FN, ["net"] = NET, ["output"] = OUTPUT, ["init"] = INIT,
        ["history"] = HISTORY, ["calculus"] = CALCULUS, ["implicit"] = IMPLICIT, ["when"] = WHEN, ["solve"] = SOLVE,
    }.ToFrozenDictionary();

    private static readonly FrozenSet<int> KeywordTypes = Keywords.Values.ToFrozenSet();

    /// <summary>Operators that stand between two operands, and the other tokens that need something on both sides.</summary>
    private static readonly FrozenSet<int> Infixes = new[]
    {
        PLUS, MINUS, STAR, SLASH, AT, CARET, EQUAL_EQUAL, NOT_EQUAL, LESS, LESS_EQUAL, GREATER, GREATER_EQUAL, AND, OR,
        EQUAL, COLON_EQUAL, TILDE, COLON, COMMA, ARROW, PIPE, DOTS,
    }.ToFrozenSet();

    public static bool IsKeyword(int type) => KeywordTypes.Contains(type);

    /// <summary>A name, or a word that is a name where it begins no declaration.</summary>
    public static bool IsName(int type) => type is ID or IN || IsKeyword(type);

    /// <summary>Whether a line that ends in this token goes on in the next.</summary>
    public static bool ContinuesLine(int type) => Infixes.Contains(type) || type is NOT or IF or THEN or ELSE;

    /// <summary>Whether a line that begins with this token belongs to the line above.</summary>
    public static bool ContinuesLineAbove(int type) => type is PIPE or THEN or ELSE or LBRACE;

    /// <summary>Whether a line that begins with this token was probably meant to belong to the line above.</summary>
    public static bool NeedsLeftSide(int type) => Infixes.Contains(type) || type is DOT or PRIME;

    /// <summary>Whether a statement may begin with this token.</summary>
    public static bool BeginsStatement(int type) =>
        IsName(type) || type is NUMBER or LPAREN or LBRACKET or IF or NOT or PLUS or MINUS or MISSING;

    /// <summary>Whether an operand may end with this token.</summary>
    public static bool EndsOperand(int type) => IsName(type) || type is NUMBER or PRIME or RPAREN or RBRACKET or MISSING;

    public static bool IsOpener(int type) => type is LPAREN or LBRACKET or LBRACE;

    public static bool IsCloser(int type) => type is RPAREN or RBRACKET or RBRACE;

    public static int CloserOf(int opener) => opener switch
    {
        LPAREN => RPAREN,
        LBRACKET => RBRACKET,
        _ => RBRACE,
    };

    /// <summary>A token without text, right behind another.</summary>
    public static CommonToken Virtual(int type, IToken? behind)
    {
        var place = behind is null ? 0 : behind.StopIndex + 1;
        return new CommonToken(type, "") { StartIndex = place, StopIndex = place - 1, Line = behind?.Line ?? 1 };
    }

    /// <summary>Whether nothing stands between two tokens.</summary>
    public static bool Touches(this IToken token, IToken previous) => previous.StopIndex + 1 == token.StartIndex;
}
