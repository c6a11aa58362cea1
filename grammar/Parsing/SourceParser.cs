using Antlr4.Runtime;
using Antlr4.Runtime.Atn;
using DiffEqLang.Contracts;

namespace DiffEqLang.Grammar;

/// <summary>What reading a text gave: ANTLR's tree, and all that the tree leaves out.</summary>
/// <param name="Tree">The tree, or null where the text had too many errors to go on.</param>
/// <param name="Comments">Comments that document nothing.</param>
/// <param name="Documentation">The <c>##</c> lines above a token.</param>
/// <param name="Positions">Where the tokens stand.</param>
/// <param name="Errors">What was wrong so far; reading the tree may add to it.</param>
/// <param name="Unread">The statements that the tree does not hold as they were written.</param>
public sealed record ParsedSource<TTree>(
    TTree? Tree,
    IReadOnlyList<SourceComment> Comments,
    IReadOnlyDictionary<IToken, IReadOnlyList<IToken>> Documentation,
    SourcePositions Positions,
    SyntaxErrors Errors,
    UnreadStatements Unread)
    where TTree : ParserRuleContext;

/// <summary>The way from text to ANTLR's tree: lexer, layout, parser.</summary>
public static class SourceParser
{
    /// <summary>Parses a whole file.</summary>
    public static ParsedSource<DeqParser.FileContext> ParseFile(SourceFile source) =>
        Parse(source, parser => parser.file());

    /// <summary>Parses a text that is one expression.</summary>
    public static ParsedSource<DeqParser.LoneExpressionContext> ParseExpression(SourceFile source) =>
        Parse(source, parser => parser.loneExpression());

    private static ParsedSource<TTree> Parse<TTree>(SourceFile source, Func<DeqParser, TTree> rule)
        where TTree : ParserRuleContext
    {
        var positions = new SourcePositions(source);
        var errors = new SyntaxErrors();
        var lexer = new DeqLexer(CharStreams.fromString(source.Text));
        lexer.RemoveErrorListeners();

        var slips = new SlipFilter(lexer, positions, errors);
        var words = slips.Run();
        var tokens = new NewlineFilter(words, positions, errors).Run();

        var (tree, all) = Parse(tokens, rule, positions, errors);
        return new ParsedSource<TTree>(tree, slips.Comments, slips.Documentation, positions, all, UnreadStatements.Of(tokens, positions, all));
    }

    /// <summary>
    /// SLL prediction first, which is cheaper and nearly always enough; where it finds an error, the verdict is left to
    /// full LL prediction (Parr, Harwell, Fisher, "Adaptive LL(*) parsing", OOPSLA 2014).
    /// </summary>
    private static (TTree? Tree, SyntaxErrors Errors) Parse<TTree>(
        List<IToken> tokens, Func<DeqParser, TTree> rule, SourcePositions positions, SyntaxErrors layoutErrors)
        where TTree : ParserRuleContext
    {
        if (layoutErrors.IsFull) return (null, layoutErrors);
        var stream = new CommonTokenStream(new ListTokenSource(tokens));
        var quick = Attempt(PredictionMode.SLL);
        return quick.Errors.Count > layoutErrors.Count ? Attempt(PredictionMode.LL) : quick;

        (TTree? Tree, SyntaxErrors Errors) Attempt(PredictionMode mode)
        {
            stream.Seek(0);
            var errors = layoutErrors.Copy();
            var parser = new DeqParser(stream) { ErrorHandler = new StatementErrorStrategy(positions, errors) };
            parser.RemoveErrorListeners();
            parser.Interpreter.PredictionMode = mode;
            try
            {
                return (rule(parser), errors);
            }
            catch (TooManyErrorsException)
            {
                return (null, errors);
            }
        }
    }
}
