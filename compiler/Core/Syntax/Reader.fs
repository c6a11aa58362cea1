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
open DiffEqLang.Compiler.Syntax.Slips
open DiffEqLang.Compiler.Syntax.DeclarationReader
open DiffEqLang.Compiler.Syntax.EquationReader
open DiffEqLang.Compiler.Syntax.BlockReader

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

let private reportInside (reading: Reading) (statement: DeqParser.StatementContext) =
    reading.Report(
        DiagnosticCatalogue.OutsideModel,
        reading.Positions.Of statement.Start,
        $"`{statement.Start.Text}` cannot stand inside a model"
    )

/// The first statement outside a model is reported; others stand there for the same reason.
let private reportOutside (reading: Reading) (first: DeqParser.StatementContext) =
    reading.Report(
        DiagnosticCatalogue.OutsideModel,
        reading.Positions.Of first.Start,
        $"`{first.Start.Text}` stands outside a model",
        "a model is `model Name { ... }`"
    )

let private isModelOrImport (statement: DeqParser.StatementContext) =
    not (isNull (statement.model ())) || not (isNull (statement.importFile ()))

let private body (reading: Reading) documents (block: DeqParser.BlockContext) =
    [ for statement in block.statement () do
          if isModelOrImport statement then
              reportInside reading statement
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

/// What a statement of a file is, or the statement itself where it belongs into a model.
let private topLevel reading documents (statement: DeqParser.StatementContext) =
    match statement.GetChild 0 with
    | :? DeqParser.ModelContext as c -> Ok(model reading documents c)
    | :? DeqParser.ImportFileContext as c -> Ok(import reading c)
    | _ ->
        match declaration reading documents statement with
        | None -> Ok None
        | Some declaration ->
            match declaration.Kind with
            | Fn _
            | Net _
            | Const _
            | Dim _ -> Ok(Some(Shared declaration))
            | State _
            | Algebraic _
            | Param _
            | Control _
            | Wiener _
            | Jumps _
            | Sample _
            | Let _
            | Output _
            | Init _
            | History _
            | Calculus _
            | Equation _
            | Implicit _
            | Event _
            | Solve _ -> Error statement

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

    let read =
        match parsed.Tree with
        | null -> []
        | tree -> [ for s in tree.statement () -> topLevel reading documents s ]

    let items = read |> List.choose (Result.defaultValue None)

    read
    |> List.tryPick (function
        | Error statement -> Some statement
        | Ok _ -> None)
    |> Option.iter (reportOutside reading)

    if items.IsEmpty && reading.Errors.Count = 0 then
        reading.Report(
            DiagnosticCatalogue.EmptyFile,
            SourceSpan(source.Path, 1, 1, 1, 1),
            "the file declares nothing",
            "a model is `model Name { ... }`"
        )

    let diagnostics = List.ofSeq reading.Errors.InOrder

    let unread: Unread =
        { Reported = diagnostics |> List.filter (fun d -> d.Severity = Severity.Error) |> List.map _.Span
          Statements = List.ofSeq parsed.Unread.Spans
          Names = parsed.Unread.Names |> Seq.map Normalization.composeName |> Set.ofSeq }

    { Source = source
      Items = items
      Comments = comments reading parsed.Comments documents
      Unread = unread },
    diagnostics

/// The tree of a text that is one expression, as on a command line.
let readExpression (source: SourceFile) : Expr * Diagnostic list =
    let parsed = SourceParser.ParseExpression source
    let reading = { Positions = parsed.Positions; Errors = parsed.Errors }

    let value =
        match parsed.Tree with
        | null -> missing
        | tree -> expression reading (tree.expression ())

    value, List.ofSeq reading.Errors.InOrder
