/// From ANTLR's tree of a declaration to ours.
module internal DiffEqLang.Compiler.Syntax.DeclarationReader

open Antlr4.Runtime
open DiffEqLang.Contracts
open DiffEqLang.Grammar
open DiffEqLang.Compiler.Syntax.Tree
open DiffEqLang.Compiler.Syntax.ExpressionReader
open DiffEqLang.Compiler.Syntax.Slips

// Types and declarators

let private typeExpr reading (context: DeqParser.TypeContext) : TypeExpr option =
    if isNull context then
        None
    else
        tryIdent reading (context.ID())
        |> Option.map (fun name ->
            { Base = name
              Dims = [ for d in context.expression () -> expression reading d ]
              Span = spanOf reading context })

/// `x, y : R[n], z`: the type covers x and y.
let private coverByTypes (declarators: Declarator list) =
    List.foldBack
        (fun (declarator: Declarator) (covered: Declarator list, current) ->
            let found = declarator.Type |> Option.orElse current
            { declarator with Type = found } :: covered, found)
        declarators
        ([], None)
    |> fst

let declarator reading (context: DeqParser.DeclaratorContext) =
    tryIdent reading (context.ID())
    |> Option.map (fun name -> { Name = name; Type = typeExpr reading (context.``type`` ()) })

let declarators reading (context: DeqParser.DeclaratorsContext) =
    if isNull context then
        []
    else
        [ for d in context.declarator () do
              yield! Option.toList (declarator reading d) ]
        |> coverByTypes

let distribution reading (context: DeqParser.DistributionContext) : Distribution option =
    if isNull context then
        None
    else
        tryIdent reading (context.ID())
        |> Option.map (fun name ->
            { Name = name
              Arguments = arguments reading (context.arguments ())
              Span = spanOf reading context })

let private interval reading (context: DeqParser.IntervalContext) : Interval =
    let ends = context.expression () |> Array.map (expression reading)

    { Low = if ends.Length > 0 then ends[0] else missing
      High = if ends.Length > 1 then ends[1] else missing
      LowClosed = not (isNull (context.LBRACKET()))
      HighClosed = not (isNull (context.RBRACKET()))
      Span = spanOf reading context }

// Declarations

let private setOnce (reading: Reading) what (context: ParserRuleContext) previous value =
    match previous with
    | None -> Some value
    | Some _ ->
        reading.Report(
            DiagnosticCatalogue.RepeatedClause,
            spanOf reading context,
            $"the parameter has {what} already"
        )

        previous

let private paramClause reading (declaration: ParamDecl) (context: DeqParser.ParamClauseContext) =
    if not (isNull (context.TILDE())) then
        match distribution reading (context.distribution ()) with
        | None -> declaration
        | Some given ->
            { declaration with
                Distribution = setOnce reading "a distribution" context declaration.Distribution given }
    elif not (isNull (context.interval ())) then
        let given = interval reading (context.interval ())

        { declaration with
            Interval = setOnce reading "an interval" context declaration.Interval given }
    else
        if not (isNull (context.COLON_EQUAL())) then
            reading.Report(
                DiagnosticCatalogue.MisplacedAssignment,
                reading.Positions.Of(context.COLON_EQUAL().Symbol),
                "`:=` changes a state in an event; elsewhere nothing is assigned",
                "write `=`"
            )

        match context.expression () with
        | null -> declaration
        | value ->
            { declaration with
                Value = setOnce reading "a value" context declaration.Value (expression reading value) }

let param reading (context: DeqParser.ParamDeclarationContext) =
    let first =
        context.ID()
        |> Array.tryHead
        |> Option.map (fun node ->
            { Declarator.Name = ident reading node.Symbol
              Type = typeExpr reading (context.``type`` ()) })

    let rest =
        [ for d in context.declarator () do
              yield! Option.toList (declarator reading d) ]

    let declaration =
        { Names = coverByTypes (Option.toList first @ rest)
          Depth = context.ID() |> Array.tryItem 1 |> Option.map (fun node -> ident reading node.Symbol)
          Distribution = None
          Value = None
          Interval = None }

    Array.fold (paramClause reading) declaration (context.paramClause ())

let private correlation reading (word: Ident) names value =
    if word.Name <> "correlation" then
        reportSpelling
            reading
            word
            $"a Brownian motion has no `{word.Name}`, only a `correlation`"
            [ "correlation" ]

    Wiener(names, Some(expression reading value))

/// The correlation's name is the last of the declarators where a comma stands before it.
let wiener (reading: Reading) (context: DeqParser.WienerDeclarationContext) =
    let names = declarators reading (context.declarators ())
    expectEquals reading (context.assign ())

    match context.expression (), tryIdent reading (context.ID()), List.tryLast names with
    | null, _, _ -> Wiener(names, None)
    | value, Some word, _ -> correlation reading word names value
    | value, None, Some { Name = word; Type = None } ->
        correlation reading word (names[.. names.Length - 2]) value
    | value, None, _ ->
        reading.Report(
            DiagnosticCatalogue.SyntaxError,
            spanOf reading value,
            "a Brownian motion has no value",
            "it may have a `correlation = C`"
        )

        Wiener(names, None)

let jumps (reading: Reading) (context: DeqParser.JumpsDeclarationContext) =
    match context.ID() |> Array.toList |> List.map (fun node -> ident reading node.Symbol) with
    | [] -> None
    | name :: kind ->
        for word in kind do
            if word.Name <> "rate" then
                reportSpelling
                    reading
                    word
                    "a Poisson process is declared by its intensity, `rate(...)`"
                    [ "rate" ]

        Some(Jumps(name, expression reading (context.expression ())))

let private stage reading (context: DeqParser.StageContext) : Stage option =
    tryIdent reading (context.ID())
    |> Option.map (fun name ->
        { Name = name
          Arguments = arguments reading (context.arguments ())
          HasArguments = not (isNull (context.arguments ()))
          Span = spanOf reading context })

let net reading (context: DeqParser.NetDeclarationContext) : DeclarationKind option =
    expectEquals reading (context.assign ())
    let types = context.``type`` () |> Array.map (typeExpr reading)
    let given i = if i < types.Length then types[i] else None

    match tryIdent reading (context.ID()), given 0, given 1 with
    | Some name, Some from, Some upTo ->
        let stages =
            [ for s in context.stage () do
                  yield! Option.toList (stage reading s) ]

        Some(Net { NetDecl.Name = name; From = from; To = upTo; Stages = stages })
    | _ -> None

let fn reading (context: DeqParser.FnDeclarationContext) : DeclarationKind option =
    expectEquals reading (context.assign ())

    match [ for node in context.ID() -> ident reading node.Symbol ] with
    | [] -> None
    | name :: parameters ->
        Some(
            Fn
                { FnDecl.Name = name
                  Parameters = parameters
                  Body = expression reading (context.expression ()) }
        )

/// `x` or `q'`
let initTarget (reading: Reading) (context: DeqParser.InitDeclarationContext) =
    tryIdent reading (context.ID())
    |> Option.map (fun (name: Ident) ->
        match context.PRIME() with
        | [||] -> { Kind = Name name.Name; Span = name.Span }
        | primes ->
            let last = reading.Positions.Of(primes[primes.Length - 1].Symbol)
            { Kind = Prime(name, primes.Length); Span = name.Span.To last })
