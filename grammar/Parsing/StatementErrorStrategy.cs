using Antlr4.Runtime;
using static Antlr4.Runtime.TokenConstants;
using static DiffEqLang.Contracts.DiagnosticCatalogue;
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

    private void SeekStatementEnd(Antlr4.Runtime.Parser recognizer, bool pastNewlines)
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

    private void Advance(Antlr4.Runtime.Parser recognizer)
    {
        errors.LeaveOut(recognizer.CurrentToken);
        recognizer.InputStream.Seek(recognizer.CurrentToken.TokenIndex + 1);
    }

    // Wording

    private void Report(Antlr4.Runtime.Parser recognizer, IToken offending)
    {
        var tokens = (ITokenStream)recognizer.InputStream;
        var previous = offending.TokenIndex > 0 ? tokens.Get(offending.TokenIndex - 1) : null;
        var span = offending.Type is NEWLINE or EOF && previous is not null ? positions.After(previous) : positions.Of(offending);
        errors.LeaveOut(offending.Type is NEWLINE or EOF && previous is not null ? previous : offending);

        // What the layout has reported on this line is most likely the cause; the next reading will tell.
        if (errors.AnyOn(span.Line)) return;
        var mismatch = new Mismatch(recognizer.Context, recognizer.GetExpectedTokens(), offending, tokens);
        var (descriptor, first, message, hint) = KnownSlips.Explain(mismatch) ?? Plain(mismatch);
        errors.Add(descriptor, first == offending ? span : positions.Of(first, offending), message, hint);
    }

    private static Explanation Plain(Mismatch mismatch)
    {
        var (expected, found) = (mismatch.Expected, ExpectedWords.Found(mismatch.Offending));
        if (mismatch.IsCommaMissing()) return mismatch.At(MissingComma, $"a comma is missing before {found}");
        if (expected.Contains(LBRACE)) return mismatch.At(MissingBrace, $"expected `{{`, found {found}");
        if (expected.Contains(EQUAL) && !expected.Contains(NEWLINE)) return mismatch.At(MissingEquals, $"`=` is missing before {found}");
        return mismatch.At(SyntaxError, $"expected {mismatch.ExpectedText()}, found {found}");
    }
}
