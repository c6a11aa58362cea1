/// From ANTLR's tree of an expression to ours. The grammar's chains are flat; precedence and associativity within
/// a chain are given their shape here, by folds, so that a sum of 20,000 terms needs no deep recursion.
module internal DiffEqLang.Compiler.Syntax.ExpressionReader

open System
open System.Globalization
open Antlr4.Runtime
open Antlr4.Runtime.Tree
open DiffEqLang.Contracts
open DiffEqLang.Grammar
open DiffEqLang.Compiler.Syntax.Tree

/// What reading a tree needs: where tokens stand, and where to report.
type Reading =
    { Positions: SourcePositions
      Errors: SyntaxErrors }

    member this.Report(descriptor, span: SourceSpan, message: string) =
        this.Errors.Add(descriptor, span, message)

    member this.Report(descriptor, span: SourceSpan, message: string, hint: string) =
        this.Errors.Add(descriptor, span, message, hint)

/// The operators of one chain at most. Later stages walk expressions recursively.
let maxChain = 25_000

/// The exponents or subscripts behind one another at most.
let maxSuffixes = 256

let missing: Expr = { Kind = Missing; Span = SourceSpan.None }

let ident (reading: Reading) (token: IToken) : Ident =
    { Name = Normalization.composeName token.Text
      Span = reading.Positions.Of token }

/// The name of a terminal that the parser may not have found.
let tryIdent reading (node: ITerminalNode) = if isNull node then None else Some(ident reading node.Symbol)

let spanOf (reading: Reading) (context: ParserRuleContext) =
    if isNull context.Start then SourceSpan.None
    elif isNull context.Stop then reading.Positions.Of context.Start
    else reading.Positions.Of(context.Start, context.Stop)

let private children (context: ParserRuleContext) =
    if isNull context.children then Seq.empty else context.children

let private symbol (node: IParseTree) = (node :?> ITerminalNode).Symbol

let private tooLong (reading: Reading) (context: ParserRuleContext) limit =
    reading.Report(
        DiagnosticCatalogue.NestedTooDeeply,
        spanOf reading context,
        $"this chains more than %d{limit} operators",
        "name the parts with `let`"
    )

    missing

let private binary reading left operator (token: IToken) right =
    { Kind = Binary(operator, left, reading.Positions.Of token, right)
      Span = left.Span.To right.Span }

let private binaryOperator (token: IToken) =
    match token.Type with
    | DeqParser.PLUS -> Add
    | DeqParser.MINUS -> Subtract
    | DeqParser.STAR -> Multiply
    | DeqParser.SLASH -> Divide
    | DeqParser.AT -> Contract
    | DeqParser.CARET -> Power
    | DeqParser.LESS -> Less
    | DeqParser.LESS_EQUAL -> LessOrEqual
    | DeqParser.GREATER -> Greater
    | DeqParser.GREATER_EQUAL -> GreaterOrEqual
    | DeqParser.EQUAL_EQUAL -> Equal
    | DeqParser.NOT_EQUAL -> NotEqual
    | DeqParser.AND -> And
    | DeqParser.OR -> Or
    | _ -> invalidOp $"the grammar has no operator `{token.Text}`"

let private unaryOperator (token: IToken) =
    match token.Type with
    | DeqParser.PLUS -> Plus
    | DeqParser.MINUS -> Minus
    | DeqParser.NOT -> Not
    | _ -> invalidOp $"the grammar has no sign `{token.Text}`"

/// `- + x`: the first sign is the outermost.
let private signed (reading: Reading) (signs: IToken list) operand =
    List.foldBack
        (fun (token: IToken) (operand: Expr) ->
            { Kind = Unary(unaryOperator token, operand)
              Span = (reading.Positions.Of token).To operand.Span })
        signs
        operand

/// `a - b + c`: operands and operators by turns, folded from the left.
let private leftChain reading (read: 'Operand -> Expr) (context: ParserRuleContext) =
    let parts = context.children

    if isNull parts || parts.Count = 0 then
        missing
    elif parts.Count / 2 > maxChain then
        tooLong reading context maxChain
    else
        let mutable result = read (parts[0] :?> 'Operand)

        for i in 1..2 .. parts.Count - 2 do
            let operator = symbol parts[i]

            result <-
                binary reading result (binaryOperator operator) operator (read (parts[i + 1] :?> 'Operand))

        result

let private number (reading: Reading) (token: IToken) =
    let value =
        Double.Parse(token.Text.Replace("_", ""), NumberStyles.Float, CultureInfo.InvariantCulture)

    let span = reading.Positions.Of token

    if Double.IsInfinity value then
        reading.Report(
            DiagnosticCatalogue.NumberTooLarge,
            span,
            $"`{token.Text}` is beyond the range of float64 (about 1.8e308)",
            "infinity is written `inf`"
        )

    { Kind = Number(value, token.Text); Span = span }

let rec expression reading (context: DeqParser.ExpressionContext) : Expr =
    if isNull context then
        missing
    elif not (isNull (context.conditional ())) then
        conditional reading (context.conditional ())
    else
        disjunction reading (context.disjunction ())

/// `if a then b else if c then d else e`: the branches behind the first are nested from the right.
and private conditional reading (context: DeqParser.ConditionalContext) =
    let parts = context.expression () |> Array.map (expression reading)
    let last = disjunction reading (context.disjunction ())
    let part i = if i < parts.Length then parts[i] else missing

    let nest i otherwise =
        let condition, value = part (2 * i), part (2 * i + 1)

        { Kind = If(condition, value, otherwise)
          Span = condition.Span.To(value.Span).To(otherwise.Span) }

    let whole = List.foldBack nest [ 0 .. (parts.Length + 1) / 2 - 1 ] last

    if whole.Kind.IsMissing then
        missing
    else
        { whole with Span = spanOf reading context }

and private disjunction reading (context: DeqParser.DisjunctionContext) =
    if isNull context then
        missing
    else
        leftChain reading (conjunction reading) context

and private conjunction reading (context: DeqParser.ConjunctionContext) =
    leftChain reading (negation reading) context

and private negation reading (context: DeqParser.NegationContext) =
    if isNull (context.comparison ()) then
        missing
    else
        let signs = [ for node in context.NOT() -> node.Symbol ]
        signed reading signs (comparison reading (context.comparison ()))

and private comparison reading (context: DeqParser.ComparisonContext) =
    let operators = (Seq.length (children context) - 1) / 2

    if operators > 1 then
        reading.Report(
            DiagnosticCatalogue.ChainedComparison,
            spanOf reading context,
            "comparisons do not chain",
            "join two of them: `a < b and b < c`"
        )

    leftChain reading (sum reading) context

and private sum reading (context: DeqParser.SumContext) = leftChain reading (product reading) context

and private product reading (context: DeqParser.ProductContext) =
    leftChain reading (signedPower reading) context

and private signsOf (signs: DeqParser.SignContext array) =
    [ for sign in signs do
          if sign.ChildCount > 0 then
              symbol (sign.GetChild 0) ]

and private signedPower reading (context: DeqParser.SignedContext) =
    signed reading (signsOf (context.sign ())) (power reading (context.power ()))

/// `a^-b^c` is `a^(-(b^c))`: folded from the right, a sign standing before the whole tower behind it.
and private power reading (context: DeqParser.PowerContext) =
    if isNull context then
        missing
    else
        let exponents = context.exponent ()
        let carets = context.CARET()

        if exponents.Length > maxSuffixes then
            tooLong reading context maxSuffixes
        elif exponents.Length = 0 then
            postfix reading (context.postfix ())
        else
            let raised i above =
                let signs = signsOf (exponents[i].sign())
                let operand = postfix reading (exponents[i].postfix())

                match above with
                | None -> Some(signed reading signs operand)
                | Some above ->
                    Some(signed reading signs (binary reading operand Power carets[i + 1].Symbol above))

            let tower = List.foldBack raised [ 0 .. exponents.Length - 1 ] None |> Option.get
            binary reading (postfix reading (context.postfix ())) Power carets[0].Symbol tower

and private postfix reading (context: DeqParser.PostfixContext) =
    if isNull context then
        missing
    else
        let suffixes = context.suffix ()

        if suffixes.Length > maxSuffixes then
            tooLong reading context maxSuffixes
        else
            Array.fold (suffix reading) (primary reading (context.primary ())) suffixes

and private suffix reading target (context: DeqParser.SuffixContext) =
    let span = target.Span.To(spanOf reading context)

    if not (isNull (context.subscripts ())) then
        { Kind = Index(target, [ for s in context.subscripts().subscript() -> subscript reading s ])
          Span = span }
    elif not (isNull (context.PRIME())) then
        primed reading target span
    else
        property reading target (context.ID()) span

and private primed reading target span =
    match target.Kind with
    | Name name -> { Kind = Prime({ Name = name; Span = target.Span }, 1); Span = span }
    | Prime(name, order) when order < maxSuffixes -> { Kind = Prime(name, order + 1); Span = span }
    | _ ->
        reading.Report(
            DiagnosticCatalogue.MisplacedPrime,
            span,
            "a prime stands behind the name of a state only: `x'` is its derivative",
            "the transpose of a matrix is `A.T`"
        )

        target

and private property reading target name span =
    match tryIdent reading name with
    | None -> target
    | Some { Name = "T" } -> { Kind = Transpose target; Span = span }
    // A method's call: the parser has answered it.
    | Some other when reading.Errors.LeftOutOn other.Span.Line -> target
    | Some other ->
        reading.Report(
            DiagnosticCatalogue.SyntaxError,
            span,
            $"nothing has a part `.{other.Name}`",
            "the transpose is `.T`"
        )

        target

and private subscript reading (context: DeqParser.SubscriptContext) =
    match [ for e in context.expression () -> expression reading e ], tryDots context with
    | [ at ], None -> At at
    | [ from; upTo ], Some _ -> Range(Some from, Some upTo, spanOf reading context)
    | [ only ], Some dots when
        only.Span.EndColumn <= (reading.Positions.Of dots).Column
        && only.Span.EndLine <= dots.Line
        ->
        Range(Some only, None, spanOf reading context)
    | [ only ], Some _ -> Range(None, Some only, spanOf reading context)
    | _, Some _ -> Range(None, None, spanOf reading context)
    | _, None -> At missing

and private tryDots (context: DeqParser.SubscriptContext) : IToken option =
    match context.DOTS() with
    | null -> None
    | node -> Some node.Symbol

and private primary reading (context: DeqParser.PrimaryContext) =
    let inner () = [ for e in context.expression () -> expression reading e ]

    if
        isNull context
        || not (isNull context.``exception``)
           && isNull (context.LPAREN())
           && isNull (context.LBRACKET())
           && isNull (context.LBRACE())
    then
        missing
    elif not (isNull (context.NUMBER())) then
        number reading (context.NUMBER().Symbol)
    elif not (isNull (context.ID())) then
        let name = ident reading (context.ID().Symbol)

        match context.arguments () with
        | null -> { Kind = Name name.Name; Span = name.Span }
        | given -> { Kind = Call(name, arguments reading given); Span = spanOf reading context }
    elif not (isNull (context.LPAREN())) then
        { Kind = Parenthesized(List.tryHead (inner ()) |> Option.defaultValue missing)
          Span = spanOf reading context }
    elif not (isNull (context.MARK())) then
        { Kind = ImplicitPart(List.tryHead (inner ()) |> Option.defaultValue missing)
          Span = spanOf reading context }
    elif not (isNull (context.LBRACKET())) then
        { Kind = Stack(inner ()); Span = spanOf reading context }
    else
        missing

and arguments reading (context: DeqParser.ArgumentsContext) : Argument list =
    if isNull context then
        []
    else
        [ for a in context.argument () -> argument reading a ]

/// `axis = 0`: what stands before the `=` must be a name.
and private argument reading (context: DeqParser.ArgumentContext) =
    match [ for e in context.expression () -> expression reading e ] with
    | [ { Kind = Name name; Span = span }; value ] ->
        { Name = Some { Name = name; Span = span }; Value = value }
    | [ other; value ] ->
        reading.Report(
            DiagnosticCatalogue.SyntaxError,
            other.Span,
            "the name of an argument is one word, as in `axis = 0`"
        )

        { Name = None; Value = value }
    | [ value ] -> { Name = None; Value = value }
    | _ when not (isNull (context.STRING())) ->
        let text = context.STRING().GetText().Trim '"'
        { Name = None; Value = { Kind = Quoted text; Span = spanOf reading context } }
    | _ -> { Name = None; Value = missing }
