using Antlr4.Runtime;
using static Antlr4.Runtime.TokenConstants;
using static DiffEqLang.Grammar.DeqParser;

namespace DiffEqLang.Grammar;

/// <summary>An opening bracket that is not closed yet.</summary>
/// <param name="Token">The bracket.</param>
/// <param name="Statement">The type of the first token of the statement that it stands in.</param>
/// <param name="IsInterval">Whether it opens an interval, which either closing bracket may end: <c>in (0, 1]</c>.</param>
/// <param name="IsInvented">Whether the layout put it in, so that its not being closed is no news.</param>
/// <param name="IsDropped">Whether it is kept from the parser, and its closing bracket too.</param>
/// <param name="IsInExpression">Whether it is a brace around an expression, <c>implicit { ... }</c>: such are brackets like round ones.</param>
internal sealed record Opener(
    IToken Token, int Statement, bool IsInterval = false, bool IsInvented = false, bool IsDropped = false, bool IsInExpression = false)
{
    /// <summary>Whether it opens a block of statements.</summary>
    public bool IsBrace => Token.Type == LBRACE && !IsInExpression;

    public bool IsClosedBy(int closer) =>
        closer == TokenKinds.CloserOf(Token.Type) || (IsInterval && closer is RPAREN or RBRACKET && !IsBrace);
}

/// <summary>The brackets of a whole file, matched without regard to lines.</summary>
internal static class Brackets
{
    /// <summary>How deep brackets, signs and branches may nest: what the stack of any thread can take.</summary>
    public const int MaxNesting = 256;

    /// <summary>
    /// The opening brackets that have a closing one. Only for the others is it worth guessing from the lines where they
    /// were meant to end.
    /// </summary>
    public static HashSet<IToken> Closed(IReadOnlyList<IToken> tokens)
    {
        var closed = new HashSet<IToken>();
        var open = new List<Opener>();
        IToken? previous = null;
        foreach (var token in tokens)
        {
            if (TokenKinds.IsOpener(token.Type))
            {
                open.Add(new Opener(token, EOF, IsInterval: previous?.Type == IN));
            }
            else if (TokenKinds.IsCloser(token.Type))
            {
                var match = Match(open, token.Type);
                if (match >= 0)
                {
                    closed.Add(open[match].Token);
                    open.RemoveRange(match, open.Count - match);
                }
            }
            previous = token;
        }
        return closed;
    }

    /// <summary>
    /// The place in <paramref name="open"/> of what a closing bracket closes, or -1. A `)` never reaches over a `{`, and
    /// nothing reaches further than brackets may nest, so that hostile input takes no quadratic time.
    /// </summary>
    public static int Match(List<Opener> open, int closer)
    {
        var lowest = Math.Max(0, open.Count - MaxNesting);
        for (var i = open.Count - 1; i >= lowest; i--)
        {
            if (open[i].IsClosedBy(closer)) return i;
            if (open[i].IsBrace && closer != RBRACE) return -1;
        }
        return -1;
    }
}
