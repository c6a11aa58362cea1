using Antlr4.Runtime;
using DiffEqLang.Contracts;
using static DiffEqLang.Grammar.DeqParser;

namespace DiffEqLang.Grammar;

/// <summary>
/// The statements of which something was left out after an error. What they were meant to say is unknown, so nothing is
/// to be concluded from what they do not say.
/// </summary>
/// <param name="Spans">Where they stand.</param>
/// <param name="Names">The names that they may have been meant to declare or to determine.</param>
public sealed record UnreadStatements(IReadOnlyList<SourceSpan> Spans, IReadOnlySet<string> Names)
{
    /// <summary>Looks through the parser's input.</summary>
    internal static UnreadStatements Of(IReadOnlyList<IToken> tokens, SourcePositions positions, SyntaxErrors errors)
    {
        var spans = new List<SourceSpan>();
        var names = new HashSet<string>();
        if (errors.IsAllRead) return new UnreadStatements(spans, names);
        var behind = 0;
        foreach (var statement in Statements(tokens))
        {
            var (first, last) = (behind, statement[^1].StopIndex + 1);
            behind = last + 1;
            if (!errors.LeftOutBetween(first, last)) continue;
            spans.Add(positions.Of(statement[0], statement[^1]));
            // An equation determines what stands on its left; a declaration may have been meant to declare any of its names.
            var declared = TokenKinds.IsKeyword(statement[0].Type) ? statement : statement.TakeWhile(token => token.Type != EQUAL);
            names.UnionWith(declared.Where(token => TokenKinds.IsName(token.Type)).Select(token => token.Text));
        }
        return new UnreadStatements(spans, names);
    }

    /// <summary>The tokens between line ends and braces; in the braces of `solve` and of an event, commas separate too.</summary>
    private static IEnumerable<IReadOnlyList<IToken>> Statements(IReadOnlyList<IToken> tokens)
    {
        var statement = new List<IToken>();
        var (commasSeparate, depth) = (false, 0);
        foreach (var token in tokens)
        {
            depth += token.Type is LPAREN or LBRACKET ? 1 : token.Type is RPAREN or RBRACKET ? -1 : 0;
            var separates = token.Type is NEWLINE or LBRACE or RBRACE or TokenConstants.EOF || (token.Type == COMMA && commasSeparate && depth == 0);
            if (token.Type == LBRACE) commasSeparate = statement is [{ Type: SOLVE or WHEN }, ..];
            if (token.Type == RBRACE) commasSeparate = false;
            if (!separates)
            {
                statement.Add(token);
                continue;
            }
            if (statement.Count > 0) yield return [.. statement];
            statement.Clear();
        }
    }
}
