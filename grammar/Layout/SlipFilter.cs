using System.Collections.Frozen;
using System.Globalization;
using System.Text;
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

    /// <summary>What to write for a character that stands for no single token of ours.</summary>
    private static readonly FrozenDictionary<string, string> Advice =
        new Dictionary<string, string>
        {
            ["|"] = "stages of a network are joined by `|>`, and the absolute value is `abs(x)`",
            ["?"] = "a choice is written `if c then a else b`",
            ["%"] = "a comment begins with `#`",
            ["“"] = "quotation marks are straight: `\"`", ["”"] = "quotation marks are straight: `\"`",
            ["∂"] = "a derivative by time is `dx/dt`, any other `grad(f, x)` or `jac(f, x)`",
            ["∇"] = "a gradient is written `grad(f, x)`",
            ["∞"] = "write `inf`", ["√"] = "write `sqrt(x)`", ["∑"] = "write `sum(x)`", ["∏"] = "write `prod(x)`",
            ["\\"] = "a name is written without a backslash: `alpha` or `α`",
        }.ToFrozenDictionary();

    private const string Superscripts = "⁰¹²³⁴⁵⁶⁷⁸⁹", Subscripts = "₀₁₂₃₄₅₆₇₈₉";

    private readonly List<IToken> tokens = [];
    private readonly List<IToken> pendingDocumentation = [];
    private readonly List<IToken> unknownRun = [];
    private readonly HashSet<(int Line, string Text)> reportedRuns = [];

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
        if (DigitsOfUnknownRun(Superscripts) is { } exponent) TakeExponent(exponent);
        else if (DigitsOfUnknownRun(Subscripts) is { } index && Last is { Type: ID } name && unknownRun[0].Touches(name)) TakeSubscript(name, index);
        else LeaveOutUnknownRun();
        unknownRun.Clear();
    }

    /// <summary>The run in plain digits, where it consists of raised or of lowered ones.</summary>
    private string? DigitsOfUnknownRun(string alphabet) =>
        unknownRun.All(token => alphabet.Contains(token.Text, StringComparison.Ordinal))
            ? string.Concat(unknownRun.Select(token => alphabet.IndexOf(token.Text, StringComparison.Ordinal)))
            : null;

    /// <summary>`x₁` for `x1`.</summary>
    private void TakeSubscript(IToken name, string digits)
    {
        var merged = new CommonToken(name) { Text = name.Text + digits, StopIndex = unknownRun[^1].StopIndex };
        errors.Add(UnexpectedCharacter, positions.Of(unknownRun[0], unknownRun[^1]), "a name holds no lowered digits", $"write `{merged.Text}`");
        if (Documentation.Remove(name, out var lines)) Documentation[merged] = lines;
        tokens[^1] = merged;
    }

    /// <summary>`x²` for `x^2`.</summary>
    private void TakeExponent(string digits)
    {
        errors.Add(UnexpectedCharacter, positions.Of(unknownRun[0], unknownRun[^1]), $"`{string.Concat(unknownRun.Select(token => token.Text))}` is no exponent", $"write `^{digits}`");
        Append(TokenKinds.Virtual(CARET, Last));
        Append(new CommonToken(unknownRun[0]) { Type = NUMBER, Text = digits, StopIndex = unknownRun[^1].StopIndex });
    }

    /// <summary>Reports each character or run once a line.</summary>
    private void LeaveOutUnknownRun()
    {
        var line = unknownRun[0].Line;
        errors.LeaveOut(Last is { } last && last.Line == line ? last : unknownRun[0]);
        if (!reportedRuns.Add((line, string.Concat(unknownRun.Select(token => token.Text))))) return;
        var shown = string.Concat(unknownRun.Take(12).Select(t => Visible(t.Text)));
        var message = unknownRun.Count switch
        {
            1 => $"unexpected character `{shown}`",
            <= 12 => $"unexpected characters `{shown}`",
            _ => $"unexpected characters `{shown}…`",
        };
        errors.Add(UnexpectedCharacter, positions.Of(unknownRun[0], unknownRun[^1]), message, Advice.GetValueOrDefault(unknownRun[0].Text) ?? (unknownRun.All(token => IsInvisible(token.Text)) ? "it is invisible: delete it" : null));
    }

    private static bool IsInvisible(string character) =>
        Rune.GetRuneAt(character, 0) is var rune && (Rune.IsControl(rune) || Rune.GetUnicodeCategory(rune) is UnicodeCategory.Format);

    /// <summary>A control or invisible character as its code point.</summary>
    private static string Visible(string character) =>
        IsInvisible(character) ? $"U+{Rune.GetRuneAt(character, 0).Value:X4}" : character;

    private void TakeSemicolon(IToken token)
    {
        if (IsInBrackets(token.Line))
        {
            errors.Add(Semicolon, positions.Of(token), "`;` does not begin a row", "a matrix is a stack of its rows: `[[1, 2], [3, 4]]`");
            errors.LeaveOut(token);
            Append(token, COMMA);
            return;
        }
        errors.Add(Semicolon, positions.Of(token), "`;` does not end a statement", "a statement ends with its line: leave `;` out");
        tokens.Add(TokenKinds.Virtual(NEWLINE, Last));
    }

    /// <summary>Whether a bracket of this line is still open.</summary>
    private bool IsInBrackets(int line)
    {
        var depth = 0;
        for (var i = tokens.Count - 1; i >= 0 && tokens[i].Line == line && depth >= 0; i--)
            depth += tokens[i].Type is RPAREN or RBRACKET ? 1 : tokens[i].Type is LPAREN or LBRACKET ? -1 : 0;
        return depth < 0;
    }

    // Names and numbers

    private void TakeName(IToken token)
    {
        var name = token.Text;
        if (name[0] == '_')
            errors.Add(NameBeginning, positions.Of(token), $"the name `{name}` begins with `_`", "a name begins with a letter");
        WarnOfConfusable(token, name);
        if (Last is { Type: NUMBER } order && token.Touches(order) && EndsIn(("d", ID), (null, CARET), (null, NUMBER)))
        {
            var spelling = $"d{order.Text}{name}";
            token = Merge(3, token, spelling, $"write `{spelling}/dt{order.Text}`");
        }
        else if (Last is { Type: NUMBER } digits && token.Touches(digits) && tokens.Count > 1 && TokenKinds.IsKeyword(tokens[^2].Type) && tokens[^2].Line == token.Line)
        {
            tokens.RemoveAt(tokens.Count - 1);
            token = new CommonToken(token) { StartIndex = digits.StartIndex, Text = digits.Text + name };
            errors.Add(NameBeginning, positions.Of(token), $"the name `{token.Text}` begins with a digit", "a name begins with a letter");
        }
        else if (Last is { Type: NUMBER } number && token.Touches(number))
        {
            errors.Add(ImpliedMultiplication, positions.Of(number, token), $"`{number.Text}{name}` is no number and no name", $"write `{number.Text}*{name}`");
            Append(TokenKinds.Virtual(STAR, number));
        }
        else if (Last is { Type: ID, Text: "d" } d && d.Line == token.Line)
        {
            token = Merge(1, token, "d" + name, $"write `d{name}`");
        }
        Append(token);
    }

    /// <summary>Whether the last tokens have these texts (or any) and types.</summary>
    private bool EndsIn(params ReadOnlySpan<(string? Text, int Type)> last)
    {
        if (tokens.Count < last.Length) return false;
        for (var i = 0; i < last.Length; i++)
        {
            var token = tokens[tokens.Count - last.Length + i];
            if (token.Type != last[i].Type || (last[i].Text is { } text && token.Text != text)) return false;
        }
        return true;
    }

    /// <summary>Makes one word of the last <paramref name="count"/> tokens and the one at hand: `d x`, `d^2x`, `dt^2`.</summary>
    private CommonToken Merge(int count, IToken token, string spelling, string hint)
    {
        var first = tokens[^count];
        if (!errors.AnyOn(token.Line)) errors.Add(SpacedDifferential, positions.Of(first, token), "a differential is written as one word", hint);
        tokens.RemoveRange(tokens.Count - count, count);
        var merged = new CommonToken(token) { Type = ID, StartIndex = first.StartIndex, Text = spelling };
        if (Documentation.Remove(first, out var lines)) Documentation[merged] = lines;
        return merged;
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
        if (EndsIn((null, SLASH), ("dt", ID), (null, CARET))) token = Merge(2, token, "dt" + token.Text, $"write `dt{token.Text}`");
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
