using Antlr4.Runtime;
using Antlr4.Runtime.Misc;
using DiffEqLang.Contracts;
using static Antlr4.Runtime.TokenConstants;
using static DiffEqLang.Grammar.DeqParser;

namespace DiffEqLang.Grammar;

/// <summary>Ends the parse of a file whose errors nobody would read to the end.</summary>
internal sealed class TooManyErrorsException : Exception;

/// <summary>
/// Reports the first error of a statement and goes on behind its end: no token is guessed, so no error follows from a
/// guess. The layout has balanced the brackets, so the end of a statement is always found.
/// </summary>
internal sealed class StatementErrorStrategy(SourcePositions positions, SyntaxErrors errors) : DefaultErrorStrategy
{
    /// <summary>Does nothing: errors surface where a token does not match.</summary>
    public override void Sync(Antlr4.Runtime.Parser recognizer)
    {
    }

    public override void ReportError(Antlr4.Runtime.Parser recognizer, RecognitionException e)
    {
        if (InErrorRecoveryMode(recognizer)) return;
        BeginErrorCondition(recognizer);
        Report(recognizer, recognizer.CurrentToken);
        if (errors.IsFull) throw new TooManyErrorsException();
    }

    /// <summary>Goes to the end of the statement, or behind the `}` where the broken rule had opened a `{`.</summary>
    public override void Recover(Antlr4.Runtime.Parser recognizer, RecognitionException e)
    {
        var hasOpenBrace = recognizer.Context is BlockContext or EventContext or SolveBlockContext or ImplicitBlockContext
            && recognizer.RuleContext is ParserRuleContext context
            && context.GetToken(LBRACE, 0) is not null;
        if (hasOpenBrace)
        {
            while (recognizer.CurrentToken.Type is not (RBRACE or EOF)) SeekStatementEnd(recognizer, pastNewlines: true);
            if (recognizer.CurrentToken.Type == RBRACE) Advance(recognizer);
        }
        else
        {
            SeekStatementEnd(recognizer, pastNewlines: false);
        }
    }

    /// <summary>Behind a statement, text is left over: it is reported here, so that the block around it goes on.</summary>
    public override IToken RecoverInline(Antlr4.Runtime.Parser recognizer)
    {
        if (!recognizer.GetExpectedTokens().Contains(NEWLINE)) throw new InputMismatchException(recognizer);
        if (!InErrorRecoveryMode(recognizer)) ReportError(recognizer, new InputMismatchException(recognizer));
        SeekStatementEnd(recognizer, pastNewlines: false);
        var token = recognizer.CurrentToken;
        if (token.Type == NEWLINE)
        {
            ReportMatch(recognizer);
            recognizer.Consume();
        }
        return token;
    }

    // Moving on. Tokens passed over are kept out of the tree, where they could be taken for what the rule wanted.

    private static void SeekStatementEnd(Antlr4.Runtime.Parser recognizer, bool pastNewlines)
    {
        var depth = 0;
        var stopsAtBrace = IsInHead(recognizer.Context);
        while (true)
        {
            switch (recognizer.CurrentToken.Type)
            {
                case EOF:
                case NEWLINE when depth == 0 && !pastNewlines:
                case RBRACE when depth == 0:
                case LBRACE when depth == 0 && stopsAtBrace:
                    return;
                case LBRACE: depth++; break;
                case RBRACE: depth--; break;
            }
            Advance(recognizer);
        }
    }

    /// <summary>Whether the statement's own `{` is still to come, so that its content can yet be read.</summary>
    private static bool IsInHead(RuleContext? context)
    {
        for (; context is not (null or StatementContext); context = context.Parent)
            if (context is ModelNameContext or TriggerContext) return true;
        return false;
    }

    private static void Advance(Antlr4.Runtime.Parser recognizer) =>
        recognizer.InputStream.Seek(recognizer.CurrentToken.TokenIndex + 1);

    // Wording

    private void Report(Antlr4.Runtime.Parser recognizer, IToken offending)
    {
        var expected = recognizer.GetExpectedTokens();
        var previous = offending.TokenIndex > 0 ? ((ITokenStream)recognizer.InputStream).Get(offending.TokenIndex - 1) : null;
        var span = offending.Type is NEWLINE or EOF && previous is not null ? positions.After(previous) : positions.Of(offending);
        var found = ExpectedWords.Found(offending);

        // What the layout has reported on this line is most likely the cause; the next reading will tell.
        if (errors.AnyOn(span.Line)) return;
        if (IsCommaMissing(recognizer.Context, expected, offending, previous))
            errors.Add(DiagnosticCatalogue.MissingComma, span, $"a comma is missing before {found}");
        else if (expected.Contains(LBRACE))
            errors.Add(DiagnosticCatalogue.MissingBrace, span, $"expected `{{`, found {found}");
        else if (expected.Contains(EQUAL) && !expected.Contains(NEWLINE))
            errors.Add(DiagnosticCatalogue.MissingEquals, span, $"`=` is missing before {found}");
        else
            errors.Add(DiagnosticCatalogue.SyntaxError, span, $"expected {Expected(recognizer.Context, expected, previous)}, found {found}");
    }

    private static string Expected(RuleContext context, IntervalSet expected, IToken? previous)
    {
        var words = ExpectedWords.Expected(expected);
        var followsExpression = previous is not null && TokenKinds.EndsOperand(previous.Type)
            && (context is not (FileContext or BlockContext) || EndsInExpression(context));
        var closesExpression = expected.Contains(NEWLINE) || expected.Contains(RPAREN) || expected.Contains(RBRACKET) || expected.Contains(THEN) || expected.Contains(ELSE);
        return followsExpression && closesExpression && !expected.Contains(NUMBER) ? $"an operator or {words}" : words;
    }

    private static bool IsCommaMissing(RuleContext context, IntervalSet expected, IToken offending, IToken? previous)
    {
        var beginsOperand = TokenKinds.IsName(offending.Type) || offending.Type is NUMBER or LPAREN or LBRACKET;
        if (!beginsOperand || previous is null || !TokenKinds.EndsOperand(previous.Type)) return false;
        return context switch
        {
            ArgumentsContext or SubscriptsContext or TypeContext => expected.Contains(RPAREN) || expected.Contains(RBRACKET),
            PrimaryContext => expected.Contains(RBRACKET),
            FnDeclarationContext => expected.Contains(RPAREN),
            IntervalContext => expected.Contains(COMMA),
            SolveBlockContext => expected.Contains(COMMA),
            FileContext or BlockContext => expected.Contains(NEWLINE) && LastStatement(context) is StateDeclarationContext or AlgebraicDeclarationContext or ControlDeclarationContext,
            _ => false,
        };
    }

    private static bool EndsInExpression(RuleContext context) =>
        LastStatement(context) is not (null or StateDeclarationContext or AlgebraicDeclarationContext or ControlDeclarationContext
            or WienerDeclarationContext or ImportFileContext or ModelContext or CalculusDeclarationContext or JumpsDeclarationContext
            or EventContext or SolveBlockContext or ImplicitBlockContext or SampleDeclarationContext);

    /// <summary>What the statement read last declares.</summary>
    private static ParserRuleContext? LastStatement(RuleContext context)
    {
        for (var i = context.ChildCount - 1; i >= 0; i--)
            if (((ParserRuleContext)context).GetChild(i) is StatementContext statement)
                return statement.ChildCount > 0 ? statement.GetChild(0) as ParserRuleContext : null;
        return null;
    }
}
