using Antlr4.Runtime;
using static DiffEqLang.Contracts.DiagnosticCatalogue;
using static DiffEqLang.Grammar.DeqParser;

namespace DiffEqLang.Grammar;

/// <summary>
/// What people write who know other languages, or mathematics on paper, where the parser could only tell what it
/// expected. Each slip is told by the tokens around the place; the first that fits explains it.
/// </summary>
internal static class KnownSlips
{
    private static readonly Func<Mismatch, Explanation?>[] All =
    [
        DecimalComma, SeveralValues, ValueOfState, InitialTarget, StateOfTime, SizesInOtherBrackets, Method, DerivativeOperator,
        NetWithoutType, FunctionHead, Trigger, StagesByComma, Tuple, Range, QuotedWord, Choice, IntervalWithoutBrackets, UpdatingAssignment, Lambda, Product,
    ];

    /// <summary>The words for a slip that is known, or null.</summary>
    public static Explanation? Explain(Mismatch mismatch) =>
        All.Select(slip => slip(mismatch)).FirstOrDefault(explanation => explanation is not null);

    /// <summary>`0,5`</summary>
    private static Explanation? DecimalComma(Mismatch m) =>
        m is { Type: COMMA, Previous: { Type: NUMBER } whole } && m.After(1) is { Type: NUMBER } part && m.Offending.Touches(whole) && part.Touches(m.Offending)
            ? new Explanation(MalformedNumber, whole, $"`{whole.Text},{part.Text}` is no number", $"write `{whole.Text}.{part.Text}`")
            : null;

    /// <summary>`param a = 1, b = 2`</summary>
    private static Explanation? SeveralValues(Mismatch m)
    {
        var keyword = m.Statement?.Start.Text;
        var holdsOneValue = m.Statement is ParamDeclarationContext or ConstDeclarationContext or LetDeclarationContext or InitDeclarationContext
            or DimDeclarationContext or OutputDeclarationContext or HistoryDeclarationContext;
        return holdsOneValue && m.Type == COMMA && m.Context is FileContext or BlockContext && TokenKinds.IsName(m.After(1).Type)
            ? m.At(SeveralDeclarations, $"a value ends its `{keyword}`", $"write `{keyword} {m.After(1).Text} ...` on a line of its own")
            : null;
    }

    /// <summary>`state x = 1`</summary>
    private static Explanation? ValueOfState(Mismatch m) =>
        m.Statement is StateDeclarationContext state && m.Type is EQUAL or TILDE && state.declarators()?.declarator().LastOrDefault()?.ID() is { } name
            ? m.At(StateWithValue, "the declaration of a state holds no value", $"write `init {name.GetText()} = ...` on a line of its own")
            : null;

    /// <summary>`init x(0) = 1`</summary>
    private static Explanation? InitialTarget(Mismatch m) =>
        m.Statement is InitDeclarationContext && m.Type is LPAREN or LBRACKET && m.Previous is { Type: ID } state && m.Before(2) is { Type: INIT }
            ? m.At(SyntaxError, $"`init` takes the name of a state alone, found `{m.Offending.Text}`", $"write `init {state.Text} = ...`")
            : null;

    /// <summary>`state x(t)`</summary>
    private static Explanation? StateOfTime(Mismatch m) =>
        m is { Statement: StateDeclarationContext, Type: LPAREN, Previous: { Type: ID } state } && m.Before(2) is not { Type: COLON }
            ? m.At(SyntaxError, "a state is declared by its name alone, found `(`", $"write `state {state.Text}`, or `state {state.Text} : R[2]` for a vector")
            : null;

    /// <summary>`x : R(2)`, `x : R^2`</summary>
    private static Explanation? SizesInOtherBrackets(Mismatch m) =>
        m is { Type: LPAREN or CARET, Previous: { Type: ID } type } && m.Before(2) is { Type: COLON or ARROW }
            ? m.At(SyntaxError, $"sizes stand in square brackets, found `{m.Offending.Text}`", $"write `{type.Text}[...]`")
            : null;

    /// <summary>`torch.tanh(x)`, `x.sum()`</summary>
    private static Explanation? Method(Mismatch m) =>
        m is { Type: LPAREN, Previous: { Type: ID } method } && m.Before(2) is { Type: DOT } dot
            ? new Explanation(SyntaxError, dot, $"there are no methods such as `.{method.Text}(`", $"a function is called by its name: `{method.Text}(...)`")
            : null;

    /// <summary>`d/dt x`</summary>
    private static Explanation? DerivativeOperator(Mismatch m) =>
        TokenKinds.IsName(m.Type) && m is { Previous.Text: "dt" } && m.Before(2) is { Type: SLASH } && m.Before(3) is { Text: "d" } d
            ? new Explanation(SpacedDifferential, d, "a derivative is one quotient", $"write `d{m.Offending.Text}/dt`")
            : null;

    /// <summary>`net f = dense(10)`</summary>
    private static Explanation? NetWithoutType(Mismatch m) =>
        m is { Context: NetDeclarationContext, Type: EQUAL, Previous: { Type: ID } net }
            ? m.At(SyntaxError, "a network says what it takes and gives before `=`", $"write `net {net.Text} : R[2] -> R[3] = ...`")
            : null;

    /// <summary>`dense(10), tanh`</summary>
    private static Explanation? StagesByComma(Mismatch m) =>
        m is { Statement: NetDeclarationContext, Type: COMMA or SLASH or STAR or ARROW }
            ? m.At(SyntaxError, $"expected `|>` or the end of the line, found `{m.Offending.Text}`", "the stages of a network are joined by `|>`")
            : null;

    /// <summary>`(a, b)`, `{a, b}`</summary>
    private static Explanation? Tuple(Mismatch m) =>
        (m is { Context: PrimaryContext, Type: COMMA } && m.Expected.Contains(RPAREN)) || (m.Type == LBRACE && m.Expected.Contains(NUMBER))
            ? m.At(SyntaxError, $"expected {m.ExpectedText()}, found `{m.Offending.Text}`", "a vector is written `[a, b]`")
            : null;

    /// <summary>`x[0:2]`</summary>
    private static Explanation? Range(Mismatch m) =>
        m is { Context: SubscriptContext or SubscriptsContext, Type: COLON }
            ? m.At(SyntaxError, "expected `..` or `]`, found `:`", "a range of positions is written `x[0..2]`")
            : null;

    /// <summary>`method = "rk4"`</summary>
    private static Explanation? QuotedWord(Mismatch m) =>
        m.Type == STRING && m.Context is not ImportFileContext
            ? m.At(SyntaxError, $"expected {m.ExpectedText()}, found {ExpectedWords.Found(m.Offending)}", "only the path of an `import` and the file of `rk` stand in quotation marks")
            : null;

    /// <summary>`if x > 0 { ... }`, and `if` without `else`</summary>
    private static Explanation? Choice(Mismatch m) =>
        m.Context is ConditionalContext && m.Type == EQUAL
            ? m.At(DoubleEquals, "`=` defines or equates; it does not compare", "write `==`")
            : m.Context is ConditionalContext
            ? m.At(SyntaxError, $"expected {m.ExpectedText()}, found {ExpectedWords.Found(m.Offending)}", "a choice is an expression: `if c then a else b`")
            : null;

    /// <summary>`let f(x) = x^2`, `fn f = x^2`, `fn f(x : R) = x^2`, `fn f(x) { x^2 }`</summary>
    private static Explanation? FunctionHead(Mismatch m) => m switch
    {
        { Statement: LetDeclarationContext, Type: LPAREN, Previous: { Type: ID } f } when m.Before(2) is { Type: LET } =>
            m.At(SyntaxError, "`let` names a value, found `(`", $"a function is declared by `fn {f.Text}(x) = ...`"),
        { Statement: FnDeclarationContext, Type: LBRACE } =>
            m.At(MissingEquals, "`=` is missing before `{`", "a function is declared by `fn f(x) = ...`"),
        { Context: FnDeclarationContext, Type: EQUAL } =>
            m.At(SyntaxError, $"expected {m.ExpectedText()}, found `{m.Offending.Text}`", "a function is declared by `fn f(x) = ...`"),
        { Context: FnDeclarationContext, Type: COLON } =>
            m.At(SyntaxError, "the arguments of a function have no types, found `:`", "it is inlined for any shape: `fn f(x) = ...`"),
        _ => null,
    };

    /// <summary>`when x > 1 { ... }`</summary>
    private static Explanation? Trigger(Mismatch m) =>
        m.Context is TriggerContext
            ? m.At(SyntaxError, $"expected {m.ExpectedText()}, found {ExpectedWords.Found(m.Offending)}", "an event is `when rising(x - 1) { ... }`")
            : null;

    /// <summary>`in 0..1`</summary>
    private static Explanation? IntervalWithoutBrackets(Mismatch m) =>
        m.Context is IntervalContext && m.Expected.Contains(LPAREN)
            ? m.At(SyntaxError, $"expected {m.ExpectedText()}, found {ExpectedWords.Found(m.Offending)}", "an interval is written `in (0, 1)`")
            : null;

    /// <summary>`dx/dt += x`</summary>
    private static Explanation? UpdatingAssignment(Mismatch m) =>
        m is { Type: EQUAL, Previous: { Type: PLUS or MINUS or STAR or SLASH } sign } && m.Offending.Touches(sign)
            ? new Explanation(SyntaxError, sign, $"`{sign.Text}=` updates a variable, and the language has none", "an equation gives the whole right side: `dx/dt = ...`")
            : null;

    /// <summary>`f = lambda x: x^2`</summary>
    private static Explanation? Lambda(Mismatch m) =>
        m is { Previous.Text: "lambda" } && TokenKinds.IsName(m.Type)
            ? new Explanation(SyntaxError, m.Previous, "there is no `lambda`", $"a function is declared: `fn f({m.Offending.Text}) = ...`")
            : null;

    /// <summary>`k x`</summary>
    private static Explanation? Product(Mismatch m) =>
        m.FollowsOperand && m.IsOperatorMissing() && !m.IsCommaMissing()
            ? m.At(SyntaxError, $"expected {m.ExpectedText()}, found {ExpectedWords.Found(m.Offending)}", "a product is written `a*b`, a call `f(x)`")
            : null;
}
