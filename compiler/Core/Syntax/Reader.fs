/// From the text of a file to the tree, with all its syntax errors.
module internal DiffEqLang.Compiler.Syntax.Reader

open System
open System.Collections.Generic
open Antlr4.Runtime
open Antlr4.Runtime.Tree
open DiffEqLang.Contracts
open DiffEqLang.Grammar
open DiffEqLang.Compiler.Syntax.Tree
open DiffEqLang.Compiler.Syntax.ExpressionReader

let private reportSpelling (reading: Reading) (word: Ident) message candidates =
    match Spelling.Nearest(word.Name, candidates) with
    | null -> reading.Report(DiagnosticCatalogue.MisspelledKeyword, word.Span, message)
    | near ->
        reading.Report(DiagnosticCatalogue.MisspelledKeyword, word.Span, message, $"did you mean `{near}`?")

// Relations

let private relationToken (context: DeqParser.AssignContext) =
    if isNull context || context.ChildCount = 0 then
        None
    else
        Some((context.GetChild 0 :?> ITerminalNode).Symbol)

/// `=`; reports what was written in its place.
let private expectEquals (reading: Reading) context =
    match relationToken context with
    | Some token when token.Type = DeqParser.TILDE ->
        reading.Report(
            DiagnosticCatalogue.TildeForEquals,
            reading.Positions.Of token,
            "`~` gives a parameter or a sample its distribution; it neither defines nor equates",
            "write `=`"
        )
    | Some token when token.Type = DeqParser.COLON_EQUAL ->
        reading.Report(
            DiagnosticCatalogue.MisplacedAssignment,
            reading.Positions.Of token,
            "`:=` changes a state in an event; elsewhere nothing is assigned",
            "write `=`"
        )
    | Some _
    | None -> ()

/// `:=` in an action.
let private expectAssignment (reading: Reading) context =
    match relationToken context with
    | Some token when token.Type <> DeqParser.COLON_EQUAL ->
        reading.Report(
            DiagnosticCatalogue.EquationInEvent,
            reading.Positions.Of token,
            $"`{token.Text}` holds always; an event changes a state at one time",
            "write `:=`"
        )
    | Some _
    | None -> ()

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

let private declarator reading (context: DeqParser.DeclaratorContext) =
    tryIdent reading (context.ID())
    |> Option.map (fun name -> { Name = name; Type = typeExpr reading (context.``type`` ()) })

let private declarators reading (context: DeqParser.DeclaratorsContext) =
    if isNull context then
        []
    else
        [ for d in context.declarator () do
              yield! Option.toList (declarator reading d) ]
        |> coverByTypes

let private distribution reading (context: DeqParser.DistributionContext) : Distribution option =
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

let private param reading (context: DeqParser.ParamDeclarationContext) =
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
let private wiener (reading: Reading) (context: DeqParser.WienerDeclarationContext) =
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

let private jumps (reading: Reading) (context: DeqParser.JumpsDeclarationContext) =
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

let private net reading (context: DeqParser.NetDeclarationContext) : DeclarationKind option =
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

let private fn reading (context: DeqParser.FnDeclarationContext) : DeclarationKind option =
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
let private initTarget (reading: Reading) (context: DeqParser.InitDeclarationContext) =
    tryIdent reading (context.ID())
    |> Option.map (fun (name: Ident) ->
        match context.PRIME() with
        | [||] -> { Kind = Name name.Name; Span = name.Span }
        | primes ->
            let last = reading.Positions.Of(primes[primes.Length - 1].Symbol)
            { Kind = Prime(name, primes.Length); Span = name.Span.To last })

// Equations

/// `dx` names the differential of `x`: the name without its first `skip` letters, and where it stands.
let private stateOf skip (name: string) (span: SourceSpan) : Ident =
    { Name = name.Substring skip
      Span = SourceSpan(span.File, span.Line, span.Column + skip, span.EndLine, span.EndColumn) }

/// `dx / dt`, `d2q / dt2`: the state and the order, or None.
let private (|Leibniz|_|) (expr: Expr) =
    match expr.Kind with
    | Binary(Divide, { Kind = Name above; Span = span }, _, { Kind = Name below }) when
        above.Length > 1 && above[0] = 'd'
        ->
        let digits = below.Substring(min 2 below.Length)

        match below.StartsWith("dt", StringComparison.Ordinal), Int32.TryParse digits with
        | true, _ when digits = "" -> Some(stateOf 1 above span, 1)
        | true, (true, order) when
            order > 0
            && above.StartsWith("d" + digits, StringComparison.Ordinal)
            && above.Length > 1 + digits.Length
            ->
            Some(stateOf (1 + digits.Length) above span, order)
        | _ -> None
    | _ -> None

let private target (expr: Expr) =
    match expr.Kind with
    | _ when expr.Kind.IsBinary ->
        match expr with
        | Leibniz(state, order) -> Derivative(state, order)
        | _ -> Other expr
    | Prime(state, order) -> Derivative(state, order)
    | Name name when name.Length > 1 && name[0] = 'd' -> Differential(stateOf 1 name expr.Span)
    | Number(0.0, _) -> Zero expr.Span
    | _ -> Other expr

let private equation (reading: Reading) (context: DeqParser.EquationContext) =
    let sides = [ for side in context.expression () -> expression reading side ]
    expectEquals reading (context.assign ())

    match sides with
    | [ left; right ] -> Some(Equation(target left, right))
    | [ left ] ->
        if not (reading.Errors.AnyOn context.Start.Line) && not left.Kind.IsMissing then
            reading.Report(
                DiagnosticCatalogue.MissingEquals,
                spanOf reading context,
                "this is no declaration, and no equation without `=`"
            )

        None
    | _ -> None

// Events and the solve block

let private eventKinds =
    dict [ "rising", Rising; "falling", Falling; "crossing", Crossing; "every", Every ]

let private action (reading: Reading) (context: DeqParser.ActionContext) =
    expectAssignment reading (context.assign ())

    match [ for e in context.expression () -> expression reading e ] with
    | [ target; value ] -> Some(Assign(target, value, spanOf reading context))
    | [ { Kind = Name "stop"; Span = span } ] -> Some(Stop span)
    | [ only ] when not (reading.Errors.AnyOn context.Start.Line) && not only.Kind.IsMissing ->
        reading.Report(DiagnosticCatalogue.SyntaxError, only.Span, "an event does `x := ...` or `stop`")
        None
    | _ -> None

let private event reading (context: DeqParser.EventContext) =
    let trigger = context.trigger ()

    match if isNull trigger then None else tryIdent reading (trigger.ID()) with
    | None -> None
    | Some word ->
        let kind =
            match eventKinds.TryGetValue word.Name with
            | true, kind -> kind
            | false, _ ->
                reportSpelling
                    reading
                    word
                    $"`{word.Name}` is no kind of event; there are `rising`, `falling`, `crossing` and `every`"
                    eventKinds.Keys

                Crossing

        let actions =
            [ for a in context.action () do
                  yield! Option.toList (action reading a) ]

        Some(Event(kind, expression reading (trigger.expression ()), actions))

/// `cuda:1` is one word here.
let private settingValue (context: DeqParser.SettingContext) (values: Expr list) (span: SourceSpan) =
    match values, context.NUMBER() with
    | [ from; upTo ], _ -> TimeSpan(from, upTo)
    | [ { Kind = Name device } as value ], device' when not (isNull device') ->
        Single
            { value with
                Kind = Name $"{device}:{device'.GetText()}"
                Span = value.Span.To span }
    | value :: _, _ -> Single value
    | [], _ -> Single missing

let private setting (reading: Reading) (context: DeqParser.SettingContext) : Setting option =
    expectEquals reading (context.assign ())
    let span = spanOf reading context
    let values = [ for e in context.expression () -> expression reading e ]

    tryIdent reading (context.ID())
    |> Option.map (fun name -> { Name = name; Value = settingValue context values span; Span = span })

// Statements

/// `##` lines without their marks.
let private documentationText (lines: IReadOnlyList<IToken>) =
    lines
    |> Seq.map (fun line ->
        let text = line.Text.Substring(2).TrimEnd()
        if text.StartsWith ' ' then text.Substring 1 else text)
    |> String.concat "\n"

/// The documentation above statements; each is taken once, the rest are comments.
type private Documents(all: IReadOnlyDictionary<IToken, IReadOnlyList<IToken>>) =
    let taken = HashSet<IToken>()

    member _.Above(context: ParserRuleContext) : Documentation =
        match all.TryGetValue context.Start with
        | true, lines when taken.Add context.Start -> documentationText lines
        | _ -> ""

    member _.Rest =
        all
        |> Seq.filter (fun entry -> not (taken.Contains entry.Key))
        |> Seq.collect (fun entry -> entry.Value)

let private named reading (name: ITerminalNode) (assign: DeqParser.AssignContext) value make =
    expectEquals reading assign
    let value = expression reading value
    tryIdent reading name |> Option.map (fun name -> make name value)

let private declarationKind reading (documents: Documents) (context: IParseTree) : DeclarationKind option =
    let implicitEquation (context: DeqParser.EquationContext) =
        let doc = documents.Above context

        equation reading context
        |> Option.map (fun kind -> { Doc = doc; Kind = kind; Span = spanOf reading context })

    match context with
    | :? DeqParser.DimDeclarationContext as c ->
        expectEquals reading (c.assign ())

        let value =
            if isNull (c.expression ()) then
                None
            else
                Some(expression reading (c.expression ()))

        tryIdent reading (c.ID()) |> Option.map (fun name -> Dim(name, value))
    | :? DeqParser.StateDeclarationContext as c -> Some(State(declarators reading (c.declarators ())))
    | :? DeqParser.AlgebraicDeclarationContext as c -> Some(Algebraic(declarators reading (c.declarators ())))
    | :? DeqParser.ParamDeclarationContext as c -> Some(Param(param reading c))
    | :? DeqParser.ConstDeclarationContext as c ->
        expectEquals reading (c.assign ())
        let value = expression reading (c.expression ())
        let name = c.declarator () |> Option.ofObj |> Option.bind (declarator reading)
        name |> Option.map (fun name -> Const(name, value))
    | :? DeqParser.ControlDeclarationContext as c -> Some(Control(declarators reading (c.declarators ())))
    | :? DeqParser.WienerDeclarationContext as c -> Some(wiener reading c)
    | :? DeqParser.JumpsDeclarationContext as c -> jumps reading c
    | :? DeqParser.SampleDeclarationContext as c ->
        let names = declarators reading (c.declarators ())
        distribution reading (c.distribution ()) |> Option.map (fun given -> Sample(names, given))
    | :? DeqParser.LetDeclarationContext as c ->
        named reading (c.ID()) (c.assign ()) (c.expression ()) (fun name value -> Let(name, value))
    | :? DeqParser.FnDeclarationContext as c -> fn reading c
    | :? DeqParser.NetDeclarationContext as c -> net reading c
    | :? DeqParser.OutputDeclarationContext as c ->
        named reading (c.ID()) (c.assign ()) (c.expression ()) (fun name value -> Output(name, value))
    | :? DeqParser.InitDeclarationContext as c ->
        expectEquals reading (c.assign ())
        let value = expression reading (c.expression ())
        initTarget reading c |> Option.map (fun target -> Init(target, value))
    | :? DeqParser.HistoryDeclarationContext as c ->
        named reading (c.ID()) (c.assign ()) (c.expression ()) (fun name value -> History(name, value))
    | :? DeqParser.CalculusDeclarationContext as c -> tryIdent reading (c.ID()) |> Option.map Calculus
    | :? DeqParser.ImplicitBlockContext as c ->
        Some(
            Implicit
                [ for e in c.equation () do
                      yield! Option.toList (implicitEquation e) ]
        )
    | :? DeqParser.EventContext as c -> event reading c
    | :? DeqParser.SolveBlockContext as c ->
        Some(
            Solve
                [ for s in c.setting () do
                      yield! Option.toList (setting reading s) ]
        )
    | :? DeqParser.EquationContext as c -> equation reading c
    | _ -> None

let private declaration
    reading
    (documents: Documents)
    (context: DeqParser.StatementContext)
    : Declaration option =
    let doc = documents.Above context

    declarationKind reading documents (context.GetChild 0)
    |> Option.map (fun kind -> { Doc = doc; Kind = kind; Span = spanOf reading context })

let private reportPlace (reading: Reading) (context: ParserRuleContext) message =
    reading.Report(DiagnosticCatalogue.OutsideModel, reading.Positions.Of context.Start, message)

let private isModelOrImport (statement: DeqParser.StatementContext) =
    not (isNull (statement.model ())) || not (isNull (statement.importFile ()))

let private body (reading: Reading) documents (block: DeqParser.BlockContext) =
    [ for statement in block.statement () do
          if isModelOrImport statement then
              reportPlace reading statement $"`{statement.Start.Text}` cannot stand inside a model"
          else
              yield! Option.toList (declaration reading documents statement) ]

let private model reading (documents: Documents) (context: DeqParser.ModelContext) : TopLevel option =
    let doc = documents.Above context
    let span = spanOf reading context

    let name =
        context.modelName ()
        |> Option.ofObj
        |> Option.bind (fun name -> tryIdent reading (name.ID()))

    match name, context.block () with
    | name, null ->
        expectEquals reading (context.assign ())

        match name, tryIdent reading (context.ID()) with
        | Some name, Some operation ->
            Some(Derived(doc, name, operation, arguments reading (context.arguments ()), span))
        | _ -> None
    | name, block ->
        // The body is read even where the name is wrong: its own errors count too.
        let declarations = body reading documents block

        name
        |> Option.map (fun name -> Model { Doc = doc; Name = name; Declarations = declarations; Span = span })

let private import (reading: Reading) (context: DeqParser.ImportFileContext) =
    let span = spanOf reading context

    match context.STRING() with
    | null when context.ID().Length = 0 -> None
    | null ->
        let path =
            String.Join("", context.children |> Seq.skip 1 |> Seq.map (fun node -> node.GetText()))

        reading.Report(
            DiagnosticCatalogue.UnquotedPath,
            span,
            "a path stands in quotation marks",
            $"write `import \"{path}\"`"
        )

        Some(Import(path, span))
    | path -> Some(Import(path.GetText().Trim '"', span))

let private topLevel reading documents (statement: DeqParser.StatementContext) : TopLevel option =
    match statement.GetChild 0 with
    | :? DeqParser.ModelContext as c -> model reading documents c
    | :? DeqParser.ImportFileContext as c -> import reading c
    | _ ->
        declaration reading documents statement
        |> Option.bind (fun declaration ->
            match declaration.Kind with
            | Fn _
            | Net _
            | Const _
            | Dim _ -> Some(Shared declaration)
            | _ ->
                reportPlace reading statement $"`{statement.Start.Text}` stands outside a model"
                None)

// Files

let private comments (reading: Reading) (inText: SourceComment seq) (documents: Documents) =
    let comment ownLine (token: IToken) : Comment =
        { Text = token.Text.TrimEnd()
          Span = reading.Positions.Of token
          OwnLine = ownLine }

    Seq.append
        (inText |> Seq.map (fun c -> comment c.OwnLine c.Token))
        (documents.Rest |> Seq.map (comment true))
    |> Seq.distinctBy _.Span
    |> Seq.sortBy (fun c -> c.Span.Line, c.Span.Column)
    |> List.ofSeq

/// The tree of a whole file, and everything wrong with its form, in the order of the file.
let read (source: SourceFile) : File * Diagnostic list =
    let parsed = SourceParser.ParseFile source
    let reading = { Positions = parsed.Positions; Errors = parsed.Errors }
    let documents = Documents parsed.Documentation

    let items =
        match parsed.Tree with
        | null -> []
        | tree ->
            [ for s in tree.statement () do
                  yield! Option.toList (topLevel reading documents s) ]

    if items.IsEmpty && reading.Errors.Count = 0 then
        reading.Report(
            DiagnosticCatalogue.EmptyFile,
            SourceSpan(source.Path, 1, 1, 1, 1),
            "the file declares nothing",
            "a model is `model Name { ... }`"
        )

    { Source = source
      Items = items
      Comments = comments reading parsed.Comments documents },
    List.ofSeq reading.Errors.InOrder

/// The tree of a text that is one expression, as on a command line.
let readExpression (source: SourceFile) : Expr * Diagnostic list =
    let parsed = SourceParser.ParseExpression source
    let reading = { Positions = parsed.Positions; Errors = parsed.Errors }

    let value =
        match parsed.Tree with
        | null -> missing
        | tree -> expression reading (tree.expression ())

    value, List.ofSeq reading.Errors.InOrder
