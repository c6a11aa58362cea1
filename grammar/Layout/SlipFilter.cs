using System.Collections.Frozen;
using Antlr4.Runtime;
using DiffEqLang.Contracts;
using static DiffEqLang.Contracts.DiagnosticCatalogue;
using static Antlr4.Runtime.TokenConstants;
using static DiffEqLang.Grammar.DeqParser;

namespace DiffEqLang.Grammar;

/// <summary>A comment; one with two marks is here only where it stands above no statement.</summary>
public sealed record SourceComment(IToken Token, bool OwnLine);

/// <summary>
/// The first half of the layout: reads the lexer to its end, sets comments aside, and mends what is wrong within a line:
/// spellings of other languages, numbers without a digit before or behind the point, characters that mean nothing.
/// </summary>
internal sealed class SlipFilter(DeqLexer lexer, SourcePositions positions, SyntaxErrors errors)
{
    /// <summary>Mathematical characters that stand for a token of ours: its type and its spelling.</summary>
    private static readonly FrozenDictionary<string, (int Type, string Spelling)> Lookalikes =
        new Dictionary<string, (int, string)>
        {
            ["−"] = (MINUS, "-"), ["–"] = (MINUS, "-"), ["×"] = (STAR, "*"), ["·"] = (STAR, "*"), ["⋅"] = (STAR, "*"),
            ["∗"] = (STAR, "*"), ["÷"] = (SLASH, "/"), ["≤"] = (LESS_EQUAL, "<="), ["≥"] = (GREATER_EQUAL, ">="),
            ["≠"] = (NOT_EQUAL, "!="), ["→"] = (ARROW, "->"), ["′"] = (PRIME, "'"), ["’"] = (PRIME, "'"),
            ["≔"] = (COLON_EQUAL, ":="), ["∧"] = (AND, "and"), ["∨"] = (OR, "or"), ["¬"] = (NOT, "not"),
        }.ToFrozenDictionary();

    private readonly List<IToken> tokens = [];
    private readonly List<IToken> pendingDocumentation = [];
    private readonly List<IToken> unknownRun = [];

    /// <summary>All comments but documentation, in the order of the file.</summary>
    public List<SourceComment> Comments { get; } = [];

    /// <summary>The <c>##</c> lines above a token.</summary>
    public Dictionary<IToken, IReadOnlyList<IToken>> Documentation { get; } = [];

    private IToken? Last => tokens.Count > 0 ? tokens[^1] : null;

    /// <summary>The tokens that mean something, without the end of the file; a NEWLINE stands where a `;` stood.</summary>
    public List<IToken> Run()
    {
        for (var token = lexer.NextToken(); token.Type != EOF && !errors.IsFull; token = lexer.NextToken())
        {
            if (token.Type != UNKNOWN || !ExtendsUnknownRun(token)) FlushUnknownRun();
            Take(token);
        }
        FlushUnknownRun();
        AbandonDocumentation();
        return tokens;
    }

    private void Take(IToken token)
    {
        switch (token.Type)
        {
            case COMMENT: Comments.Add(new SourceComment(token, IsFirstOfLine(token))); break;
            case DOCUMENTATION: TakeDocumentation(token); break;
            case SLASH_COMMENT: TakeForeignComment(token); break;
            case UNKNOWN: TakeUnknown(token); break;
            case SEMICOLON: TakeSemicolon(token); break;
            case STAR_STAR: Respell(token, CARET, DoubleStar, "`^`"); break;
            case AND_AND: Respell(token, AND, ForeignLogic, "`and`"); break;
            case OR_OR: Respell(token, OR, ForeignLogic, "`or`"); break;
            case BANG: Respell(token, NOT, ForeignLogic, "`not`"); break;
            case UNCLOSED_STRING:
                errors.Add(UnclosedString, positions.Of(token), "this text is never closed", "add `\"` at its end");
                Append(token, STRING);
                break;
            case ID: TakeName(token); break;
            case NUMBER: TakeNumber(token); break;
            case DOT: TakeDot(token); break;
            default: Append(token); break;
        }
    }

    private void Append(IToken token, int? type = null)
    {
        if (type is { } other) ((CommonToken)token).Type = other;
        if (pendingDocumentation.Count > 0)
        {
            Documentation[token] = [.. pendingDocumentation];
            pendingDocumentation.Clear();
        }
        tokens.Add(token);
    }

    private void Respell(IToken token, int type, DiagnosticDescriptor descriptor, string spelling)
    {
        errors.Add(descriptor, positions.Of(token), $"`{token.Text}` is not an operator of the language", $"write {spelling}");
        Append(token, type);
    }

    // Comments

    private bool IsFirstOfLine(IToken token) => Last is null || Last.Line < token.Line;

    private void TakeDocumentation(IToken token)
    {
        // A ruler of `####`, and `##` behind something else on the line, document nothing.
        var isRuler = token.Text.StartsWith("###", StringComparison.Ordinal);
        if (isRuler || !IsFirstOfLine(token))
            Comments.Add(new SourceComment(token, IsFirstOfLine(token)));
        else
            pendingDocumentation.Add(token);
    }

    private void AbandonDocumentation() =>
        Comments.AddRange(pendingDocumentation.Select(token => new SourceComment(token, OwnLine: true)));

    private void TakeForeignComment(IToken token)
    {
        var opening = token.Text[..2];
        errors.Add(ForeignComment, positions.Of(token), $"`{opening}` does not begin a comment", "a comment begins with `#`");
    }

    // Characters

    private bool ExtendsUnknownRun(IToken token) =>
        unknownRun.Count > 0 && token.Touches(unknownRun[^1]) && !Lookalikes.ContainsKey(token.Text);

    private void TakeUnknown(IToken token)
    {
        if (Lookalikes.TryGetValue(token.Text, out var meant))
        {
            errors.Add(UnexpectedCharacter, positions.Of(token), $"unexpected character `{token.Text}`", $"write `{meant.Spelling}`");
            Append(token, meant.Type);
        }
        else
        {
            unknownRun.Add(token);
        }
    }

    private void FlushUnknownRun()
    {
        if (unknownRun.Count == 0) return;
        var shown = string.Concat(unknownRun.Take(12).Select(t => Visible(t.Text)));
        var message = unknownRun.Count switch
        {
            1 => $"unexpected character `{shown}`",
            <= 12 => $"unexpected characters `{shown}`",
            _ => $"unexpected characters `{shown}…`",
        };
        errors.Add(UnexpectedCharacter, positions.Of(unknownRun[0], unknownRun[^1]), message);
        unknownRun.Clear();
    }

    /// <summary>A control or invisible character as its code point.</summary>
    private static string Visible(string character) =>
        System.Text.Rune.GetRuneAt(character, 0) is var rune
        && (System.Text.Rune.IsControl(rune) || System.Text.Rune.GetUnicodeCategory(rune) is System.Globalization.UnicodeCategory.Format)
            ? $"U+{rune.Value:X4}"
            : character;

    private void TakeSemicolon(IToken token)
    {
        errors.Add(Semicolon, positions.Of(token), "`;` does not end a statement", "a statement ends with its line: leave `;` out");
        tokens.Add(TokenKinds.Virtual(NEWLINE, Last));
    }

    // Names and numbers

    private void TakeName(IToken token)
    {
        var name = token.Text;
        if (name[0] == '_')
            errors.Add(NameBeginning, positions.Of(token), $"the name `{name}` begins with `_`", "a name begins with a letter");
        WarnOfConfusable(token, name);
        if (Last is { Type: NUMBER } number && token.Touches(number))
        {
            errors.Add(ImpliedMultiplication, positions.Of(number, token), $"`{number.Text}{name}` is no number and no name", $"write `{number.Text}*{name}`");
            Append(TokenKinds.Virtual(STAR, number));
        }
        else if (Last is { Type: ID } d && d.StartIndex == d.StopIndex && d.Line == token.Line && d.Text == "d")
        {
            errors.Add(SpacedDifferential, positions.Of(d, token), "a differential is written as one word", $"write `d{name}`");
            tokens.RemoveAt(tokens.Count - 1);
            var merged = new CommonToken(token) { StartIndex = d.StartIndex, Text = "d" + name };
            if (Documentation.Remove(d, out var lines)) Documentation[merged] = lines;
            token = merged;
        }
        Append(token);
    }

    private void WarnOfConfusable(IToken token, string name)
    {
        if (!System.Text.Ascii.IsValid(name) && Scripts.Confusable(name) is var (letter, twin))
            errors.Add(
                MixedScripts,
                positions.Of(token),
                $"the name `{name}` mixes alphabets: its `{letter}` (U+{(int)letter:X4}) looks like the Latin `{twin}`");
    }

    private void TakeNumber(IToken token)
    {
        var pointStandsAlone = Last is { Type: DOT } point && token.Touches(point)
            && (tokens.Count < 2 || !point.Touches(tokens[^2]) || !TokenKinds.EndsOperand(tokens[^2].Type));
        if (pointStandsAlone)
        {
            errors.Add(MalformedNumber, positions.Of(Last!, token), "a number begins with a digit", $"write `0.{token.Text}`");
            tokens.RemoveAt(tokens.Count - 1);
        }
        Append(token);
    }

    private void TakeDot(IToken token)
    {
        if (Last is { Type: NUMBER } number && token.Touches(number))
            errors.Add(MalformedNumber, positions.Of(number, token), "a number ends with a digit", $"write `{number.Text}.0`");
        else
            Append(token);
    }
}
