using Antlr4.Runtime;
using DiffEqLang.Contracts;
using static DiffEqLang.Contracts.DiagnosticCatalogue;
using static Antlr4.Runtime.TokenConstants;
using static DiffEqLang.Grammar.DeqParser;
using static DiffEqLang.Grammar.TokenKinds;

namespace DiffEqLang.Grammar;

/// <summary>
/// The second half of the layout: gives the parser one NEWLINE behind every statement and none elsewhere, balanced
/// brackets of bounded depth, and keywords only where they begin a declaration.
/// </summary>
/// <remarks>
/// A line goes on in the next inside `()` and `[]`, where it ends in an operator, a comma, `=` or `|>`, and where the next
/// begins with `|>`, `then`, `else` or `{`. Braces hold statements, so newlines count in them; but those of `implicit { ... }` within an
/// expression hold a part of it.
/// </remarks>
internal sealed class NewlineFilter(
    IReadOnlyList<IToken> tokens, SourcePositions positions, SyntaxErrors errors)
{
    private readonly HashSet<IToken> closed = Brackets.Closed(tokens);
    private readonly List<IToken> output = new(tokens.Count + tokens.Count / 4);
    private readonly List<Opener> open = [];

    /// <summary>The keywords that words at the beginning of statements were meant for, each looked up once.</summary>
    private readonly Dictionary<string, string?> meant = [];

    private int index;

    /// <summary>The type of the first token of the statement at hand.</summary>
    private int statement;

    /// <summary>Whether the statement at hand has had its `=` (or what was meant for one).</summary>
    private bool hasRelation;

    /// <summary>Branches of `if` that the statement at hand has open, and signs in a row.</summary>
    private int branches, signs;

    /// <summary>Above zero (or at zero, within the too deep part) while tokens are passed over; null otherwise.</summary>
    private int? skipped;

    private IToken? Last => output.Count > 0 ? output[^1] : null;

    private bool AtStatementStart => Last is null or { Type: NEWLINE } || (Last.Type == LBRACE && !InsideExpression);

    private bool InsideExpression => open.Count > 0 && open[^1].IsInExpression;

    private bool InsideRoundOrSquare => open.Count > 0 && !open[^1].IsBrace;

    /// <summary>The parser's input, closed by an end-of-file token.</summary>
    public List<IToken> Run()
    {
        var brokenBySemicolon = false;
        for (index = 0; index < tokens.Count && !errors.IsFull; index++)
        {
            var token = tokens[index];
            if (token.Type == NEWLINE)
            {
                brokenBySemicolon = true;
                continue;
            }
            if (brokenBySemicolon || (index > 0 && token.Line > tokens[index - 1].Line)) BreakLine(token);
            brokenBySemicolon = false;
            if (skipped is null) Place(token);
            else Skip(token);
        }
        CloseFile();
        return output;
    }

    // Lines

    private void BreakLine(IToken next)
    {
        if (skipped is not null && (!BeginsDeclarationOrEquation(index) && (skipped > 0 || InsideRoundOrSquare))) return;
        skipped = null;
        if (AtStatementStart) return;
        if (InsideRoundOrSquare)
        {
            if (closed.Contains(open[^1].Token) || !BeginsDeclarationOrEquation(index)) return;
            CloseUnclosed(RoundAndSquareFrom());
        }
        else if (next.Type is RBRACE || ContinuesLineAbove(next.Type))
        {
            return;
        }
        else if (ContinuesLine(Last!.Type))
        {
            if (!BeginsDeclarationOrEquation(index)) return;
        }
        else if (NeedsLeftSide(next.Type))
        {
            errors.Add(LeadingOperator, positions.Of(next), $"a line does not begin with `{next.Text}`", $"end the line above with `{next.Text}`");
            return;
        }
        EndStatement();
    }

    /// <summary>
    /// Whether the token looks like the first of a statement, to tell a forgotten bracket or operand at the end of a line
    /// from a line that goes on. It must never say so of a line that rightly goes on.
    /// </summary>
    private bool BeginsDeclarationOrEquation(int at)
    {
        if (!IsName(TypeAt(at))) return false;
        var next = at + 1;
        if (TypeAt(next) == PRIME)
        {
            while (TypeAt(next) == PRIME) next++;
            return TypeAt(next) == EQUAL;
        }
        if (TypeAt(next) == SLASH) return IsName(TypeAt(next + 1)) && TypeAt(next + 2) == EQUAL;
        if (TypeAt(next) is EQUAL or COLON_EQUAL) return Last?.Type is not (COMMA or LPAREN or LBRACE);
        if (BeginsMark(at)) return BeginsDeclarationOrEquation(next + 1);
        return IsKeyword(TypeAt(at))
            && (TypeAt(next) == LBRACE || (TypeAt(next) != IN && IsName(TypeAt(next)) && tokens[next].Line == tokens[at].Line));
    }

    /// <summary>Whether `implicit {` stands there: around a part of an expression, or around equations where it begins a statement.</summary>
    private bool BeginsMark(int at) => TypeAt(at) == IMPLICIT && TypeAt(at + 1) == LBRACE;

    private int TypeAt(int at) => at < tokens.Count ? tokens[at].Type : EOF;

    private void EndStatement()
    {
        output.Add(Virtual(NEWLINE, Last));
        (hasRelation, branches, signs) = (false, 0, 0);
    }

    private void CloseFile()
    {
        if (errors.IsFull) open.Clear();
        if (open.Count > 0) CloseUnclosed(0);
        if (!AtStatementStart) EndStatement();
        output.Add(Virtual(EOF, Last));
    }

    // Tokens

    private void Place(IToken token)
    {
        if (AtStatementStart && token.Type != RBRACE && !BeginStatement((CommonToken)token)) return;
        if (IsKeyword(token.Type) || token.Type == IN) SettleKeyword((CommonToken)token);
        if (IsTooDeep(token)) return;
        if (IsOpener(token.Type)) Open(token);
        else if (IsCloser(token.Type)) Close(token);
        else output.Add(token);
        MendRelation((CommonToken)token);
        MendModelHead((CommonToken)token);
    }

    /// <summary>False where the token can begin no statement; it is then reported and left out.</summary>
    private bool BeginStatement(CommonToken token)
    {
        if (token.Type == ID) MendKeyword(token);
        if (IsKeyword(token.Type) && IsOperatorOfEquation(TypeAt(index + 1))) token.Type = ID;
        if (token.Type == MODEL) CloseModelAbove(token);
        statement = token.Type;
        if (BeginsStatement(token.Type)) return true;
        if (IsCloser(token.Type))
        {
            Close(token);
        }
        else
        {
            if (IsOpener(token.Type)) open.Add(new Opener(token, statement, IsDropped: true));
            if (!errors.LeftOutOn(token.Line)) errors.Add(SyntaxError, positions.Of(token), $"expected a declaration or an equation, found `{token.Text}`");
            errors.LeaveOut(token);
        }
        return false;
    }

    /// <summary>What stands behind a word that is a name, not a keyword: <c>state = ..</c>, <c>model' = ..</c>.</summary>
    private static bool IsOperatorOfEquation(int next) =>
        NeedsLeftSide(next) && next != COLON || next is LPAREN or LBRACKET;

    private void SettleKeyword(CommonToken token)
    {
        var isKeyword = token.Type == IN
            ? statement == PARAM && !InsideRoundOrSquare && Last is not null && EndsOperand(Last.Type)
            : AtStatementStart;
        if (!isKeyword) token.Type = BeginsMark(index) ? MARK : ID;
    }

    /// <summary>`modle Foo {`: two names in a row begin no equation, so the first was meant for a keyword.</summary>
    private void MendKeyword(CommonToken token)
    {
        var next = index + 1 < tokens.Count ? tokens[index + 1] : null;
        if (next is null || next.Line != token.Line || !(IsName(next.Type) || next.Type == STRING)) return;
        if (!meant.TryGetValue(token.Text, out var keyword)) meant[token.Text] = keyword = Spelling.Keyword(token.Text);
        if (Spelling.IsLoop(token.Text))
            errors.Add(SyntaxError, positions.Of(token), $"there is no loop `{token.Text}`", "an equation holds for all elements of its state: `dx/dt = ...`");
        if (keyword is null) return;
        errors.Add(MisspelledKeyword, positions.Of(token), $"`{token.Text}` begins no declaration", $"did you mean `{keyword}`?");
        token.Type = Keywords[keyword];
    }

    /// <summary>The first `==` of a statement, where no `=` came before, was meant for one.</summary>
    private void MendRelation(CommonToken token)
    {
        if (InsideRoundOrSquare) return;
        if (token.Type == COMMA) hasRelation = false;
        if (hasRelation || token.Type is not (EQUAL or EQUAL_EQUAL or COLON_EQUAL)) return;
        hasRelation = true;
        if (token.Type != EQUAL_EQUAL) return;
        var inAction = open.Count > 0 && open[^1].Statement == WHEN;
        errors.Add(
            DoubleEquals,
            positions.Of(token),
            "`==` compares; it neither defines nor equates",
            inAction ? "write `:=`" : "write `=`");
        token.Type = inAction ? COLON_EQUAL : EQUAL;
    }

    // Models

    /// <summary>Where a model begins inside another that is never closed, the `}` above is missing.</summary>
    private void CloseModelAbove(IToken token)
    {
        if (open.Count == 0 || closed.Contains(open[0].Token) || !IsName(TypeAt(index + 1)) || TypeAt(index + 2) is not (LBRACE or EQUAL)) return;
        CloseUnclosed(0);
        if (!AtStatementStart) EndStatement();
    }

    /// <summary>`model Name` and the end of the line: its `{` was forgotten, or is a `:` as in Python.</summary>
    private void MendModelHead(CommonToken token)
    {
        if (token.Type == COLON && statement == MODEL && open.Count == 0 && output.Count > 2 && output[^3].Type == MODEL && TypeAt(index + 1) is not (LBRACE or EOF) && tokens[index + 1].Line > token.Line)
        {
            errors.Add(MissingBrace, positions.Of(token), "expected `{`, found `:`", "a model is `model Name { ... }`");
            token.Type = LBRACE;
            open.Add(new Opener(token, statement, IsInvented: true));
            return;
        }
        var isHead = statement == MODEL && output.Count > 1 && output[^2].Type == MODEL && IsName(token.Type) && Last == token;
        if (!isHead || open.Count > 0 || TypeAt(index + 1) is LBRACE or EQUAL or EOF) return;
        if (tokens[index + 1].Line == token.Line) return;
        errors.Add(MissingBrace, positions.After(token), $"`{{` is missing behind `model {token.Text}`");
        var brace = Virtual(LBRACE, token);
        output.Add(brace);
        open.Add(new Opener(brace, statement, IsInvented: true));
    }

    // Brackets

    private void Open(IToken token)
    {
        var isInterval = Last?.Type == IN;
        var isInExpression = token.Type == LBRACE && Last?.Type == MARK;
        output.Add(token);
        open.Add(new Opener(token, statement, isInterval, IsInExpression: isInExpression));
    }

    private void Close(IToken token)
    {
        var match = Brackets.Match(open, token.Type);
        if (match < 0)
        {
            errors.Add(UnmatchedBracket, positions.Of(token), $"`{token.Text}` closes nothing", "leave it out, or open it above");
            return;
        }
        if (match < open.Count - 1) CloseUnclosed(match + 1);
        var opener = open[^1];
        open.RemoveAt(open.Count - 1);
        if (opener.IsDropped) return;
        if (opener.IsBrace && Last is not { Type: NEWLINE or LBRACE or COMMA }) EndStatement();
        output.Add(token);
    }

    private int RoundAndSquareFrom() => open.FindLastIndex(o => o.IsBrace) + 1;

    /// <summary>Reports the brackets from <paramref name="first"/> on as unclosed, and closes them.</summary>
    private void CloseUnclosed(int first)
    {
        var reportedRound = false;
        for (var i = open.Count - 1; i >= first; i--)
        {
            var opener = open[i];
            open.RemoveAt(i);
            // One report for the brackets of an expression: the innermost; the others are most likely its fault.
            if (!opener.IsInvented && !opener.IsDropped && (opener.IsBrace || !reportedRound)) ReportUnclosed(opener);
            reportedRound |= !opener.IsBrace;
            if (opener.IsDropped) continue;
            if (opener.IsBrace && !AtStatementStart && Last!.Type != COMMA) EndStatement();
            output.Add(Virtual(CloserOf(opener.Token.Type), Last));
        }
    }

    private void ReportUnclosed(Opener opener)
    {
        var closer = opener.Token.Type switch { LPAREN => ")", LBRACKET => "]", _ => "}" };
        // Where the bracket was to close is a guess.
        if (!opener.IsBrace) errors.LeaveOut(opener.Token);
        errors.Add(UnclosedBracket, positions.Of(opener.Token), $"`{opener.Token.Text}` is never closed: `{closer}` is missing");
    }

    // Depth

    /// <summary>
    /// Brackets, signs and branches beyond the limit are passed over, an expression left in their place; so neither the
    /// parser nor any later stage can run out of stack on hostile input.
    /// </summary>
    private bool IsTooDeep(IToken token)
    {
        signs = token.Type is PLUS or MINUS or NOT ? signs + 1 : 0;
        if (token.Type == IF && Last?.Type != ELSE) branches++;
        if (token.Type == ELSE && TypeAt(index + 1) != IF) branches--;
        var isTooDeep = (IsOpener(token.Type) && open.Count >= Brackets.MaxNesting)
            || signs > Brackets.MaxNesting
            || branches > Brackets.MaxNesting;
        if (!isTooDeep) return false;
        errors.Add(
            NestedTooDeeply,
            positions.Of(token),
            $"this is nested more than {Brackets.MaxNesting} levels deep",
            "name the inner parts with `let`");
        (signs, branches) = (0, 0);
        if (!EndsOperand(Last!.Type)) output.Add(Virtual(MISSING, Last));
        // The brackets around it may well be unclosed too; that is not worth a second message.
        for (var i = 0; i < open.Count; i++) open[i] = open[i] with { IsInvented = true };
        skipped = IsOpener(token.Type) ? 1 : 0;
        return true;
    }

    private void Skip(IToken token)
    {
        if (IsOpener(token.Type))
        {
            skipped++;
        }
        else if (IsCloser(token.Type))
        {
            skipped--;
            if (skipped >= 0) return;
            skipped = null;
            Place(token);
        }
    }
}
