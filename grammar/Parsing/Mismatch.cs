using Antlr4.Runtime;
using Antlr4.Runtime.Misc;
using DiffEqLang.Contracts;
using static Antlr4.Runtime.TokenConstants;
using static DiffEqLang.Grammar.DeqParser;

namespace DiffEqLang.Grammar;

/// <summary>An error of the parser in words.</summary>
/// <param name="From">The first token of the place, which goes on to the token that did not fit.</param>
internal sealed record Explanation(DiagnosticDescriptor Descriptor, IToken From, string Message, string? Hint);

/// <summary>A token that does not fit where it stands.</summary>
/// <param name="Context">The rule at hand.</param>
/// <param name="Expected">What would have fitted.</param>
/// <param name="Offending">The token.</param>
/// <param name="Tokens">All tokens.</param>
internal sealed record Mismatch(RuleContext Context, IntervalSet Expected, IToken Offending, ITokenStream Tokens)
{
    public int Type => Offending.Type;

    /// <summary>The token before it.</summary>
    public IToken? Previous => Before(1);

    /// <summary>The declaration that it stands in, or right behind.</summary>
    public ParserRuleContext? Statement
    {
        get
        {
            for (var context = Context; context is not null; context = context.Parent)
            {
                if (context is FileContext or BlockContext) return LastStatement((ParserRuleContext)context);
                if (context.Parent is StatementContext) return (ParserRuleContext)context;
            }
            return null;
        }
    }

    /// <summary>The token so many places before it, or null.</summary>
    public IToken? Before(int count) => Offending.TokenIndex >= count ? Tokens.Get(Offending.TokenIndex - count) : null;

    /// <summary>The token so many places behind it.</summary>
    public IToken After(int count) => Tokens.Get(Math.Min(Offending.TokenIndex + count, Tokens.Size - 1));

    /// <summary>Words for the place of the token itself.</summary>
    public Explanation At(DiagnosticDescriptor descriptor, string message, string? hint = null) =>
        new(descriptor, Offending, message, hint);

    /// <summary>Whether it would begin an operand, and stands right behind one.</summary>
    public bool FollowsOperand =>
        (TokenKinds.IsName(Type) || Type is NUMBER or LPAREN or LBRACKET) && Previous is { } previous && TokenKinds.EndsOperand(previous.Type);

    /// <summary>Whether a list goes on without a comma.</summary>
    public bool IsCommaMissing() => FollowsOperand && Context switch
    {
        ArgumentsContext or SubscriptsContext or TypeContext => Expected.Contains(RPAREN) || Expected.Contains(RBRACKET),
        PrimaryContext => Expected.Contains(RBRACKET),
        FnDeclarationContext => Expected.Contains(RPAREN),
        IntervalContext => Expected.Contains(COMMA),
        SolveBlockContext => Expected.Contains(COMMA),
        FileContext or BlockContext => Expected.Contains(NEWLINE) && TokenKinds.IsName(Type)
            && Statement is StateDeclarationContext or AlgebraicDeclarationContext or ControlDeclarationContext,
        _ => false,
    };

    /// <summary>Whether an operator would have fitted: an expression stands before the token.</summary>
    public bool IsOperatorMissing()
    {
        var followsExpression = Previous is { } previous && TokenKinds.EndsOperand(previous.Type)
            && (Context is not (FileContext or BlockContext) || EndsInExpression(Statement));
        var closesExpression = Expected.Contains(NEWLINE) || Expected.Contains(RPAREN) || Expected.Contains(RBRACKET) || Expected.Contains(THEN) || Expected.Contains(ELSE);
        return followsExpression && closesExpression && !Expected.Contains(NUMBER);
    }

    /// <summary>What would have fitted, in words.</summary>
    public string ExpectedText()
    {
        var words = ExpectedWords.Expected(Expected);
        return IsOperatorMissing() ? $"an operator or {words}" : words;
    }

    private static bool EndsInExpression(ParserRuleContext? statement) =>
        statement is not (null or StateDeclarationContext or AlgebraicDeclarationContext or ControlDeclarationContext
            or WienerDeclarationContext or ImportFileContext or ModelContext or CalculusDeclarationContext or JumpsDeclarationContext
            or EventContext or SolveBlockContext or ImplicitBlockContext or SampleDeclarationContext);

    /// <summary>What the statement read last declares.</summary>
    private static ParserRuleContext? LastStatement(ParserRuleContext context)
    {
        for (var i = context.ChildCount - 1; i >= 0; i--)
            if (context.GetChild(i) is StatementContext statement)
                return statement.ChildCount > 0 ? statement.GetChild(0) as ParserRuleContext : null;
        return null;
    }
}
