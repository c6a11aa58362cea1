/// From the tree as written to typed models: the last stage that may report a user's error, and it reports them all.
module internal DiffEqLang.Compiler.Checking.Check

open System
open DiffEqLang.Contracts
open DiffEqLang.Compiler.Syntax
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Typed
open DiffEqLang.Compiler.Checking.Errors
open DiffEqLang.Compiler.Checking.Context
open DiffEqLang.Compiler.Checking.Scope

/// A checked model, and what later expressions in its scope need (`deqc eval --expr`).
type CheckedModel = { Model: Model; Names: Context }

let private calculus (context: Context) =
    let found =
        context.Scope.Statements
        |> List.choose (fun (statement, declaration) ->
            match statement with
            | CalculusStatement name -> Some(name, declaration.Span)
            | InitialStatement _
            | HistoryStatement _
            | EquationStatement _
            | EventStatement _
            | SolveStatement _ -> None)

    for _, span in List.skip (min 1 found.Length) found do
        report context span (Structure(RepeatedSection("calculus", snd found.Head)))

    match found with
    | [] -> Ito
    | (name, _) :: _ ->
        match name.Name with
        | "ito"
        | "itô"
        | "Ito"
        | "Itô" -> Ito
        | "stratonovich"
        | "Stratonovich" -> Stratonovich
        | other ->
            let suggestion = Spelling.suggest other [ "ito"; "stratonovich" ]
            report context name.Span (Noise(UnknownCalculus(other, suggestion)))
            Ito

let private solveBlock (context: Context) =
    let found =
        context.Scope.Statements
        |> List.choose (fun (statement, declaration) ->
            match statement with
            | SolveStatement settings -> Some(settings, declaration.Span)
            | InitialStatement _
            | HistoryStatement _
            | EquationStatement _
            | EventStatement _
            | CalculusStatement _ -> None)

    for _, span in List.skip (min 1 found.Length) found do
        report context span (Structure(RepeatedSection("solve", snd found.Head)))

    found
    |> List.map fst
    |> List.tryHead
    |> Option.defaultValue []
    |> SolveBlock.check context

let private newContext (source: SourceFile) (lines: string[]) report scope : Context =
    { Source = source
      Lines = lines
      Report = report
      Delayed = DelayedStates()
      Scope = scope
      Globals = Map.empty
      Folded = Map.empty
      Locals = Map.empty
      Calls = [] }

/// What a file gives to each of its models.
type private File =
    { Source: SourceFile
      Lines: string[]
      Shared: Tree.Declaration list
      Unread: Tree.Unread
      Options: CompileOptions
      Report: Error -> unit }

let private givenDims (options: CompileOptions) =
    options.Dims |> Seq.map (fun pair -> pair.Key, pair.Value) |> Map.ofSeq

let private model (file: File) (written: Tree.Model) : CheckedModel =
    let scope = Scope.collect file.Report file.Unread file.Shared written.Declarations
    let resolution = Names.resolve file.Report Expressions.functionNames scope
    let context = newContext file.Source file.Lines file.Report scope

    let declarations =
        Declarations.check
            context
            { Given = givenDims file.Options; Orders = Equations.orders scope }
            resolution

    let context = declarations.Context

    if not (written.Declarations |> List.exists (fun d -> d.Kind.IsState)) then
        report context written.Name.Span (Structure(NoStates written.Name.Name))

    let equations = Equations.check context written.Declarations declarations.Algebraic
    let events = Events.check context

    let model =
        { Name = written.Name.Name
          Doc = written.Doc
          Span = written.Span
          Source = file.Source
          Dims = declarations.Dims
          Constants = declarations.Constants
          States = declarations.States
          Algebraic = declarations.Algebraic
          Parameters = declarations.Parameters
          Wiener = declarations.Wiener
          Calculus = calculus context
          Equations = equations
          Events = events
          Delays = Delays.usedBy context.Delayed equations
          Histories = GivenValues.histories context
          Outputs = declarations.Outputs
          Initials = GivenValues.initials context
          Solve = solveBlock context }

    MethodChoice.ofModel model |> Option.iter file.Report
    GradientChoice.ofModel model |> List.iter file.Report
    MethodChoice.ofConstraints model |> Option.iter file.Report
    Delays.ofModel model |> List.iter file.Report
    { Model = model; Names = context }

let private inFileOrder (diagnostics: Diagnostic seq) =
    diagnostics
    |> Seq.distinctBy (fun d -> struct (d.Span, d.Code, d.Message))
    |> Seq.sortWith (fun a b ->
        compare (a.Span.Line, a.Span.Column, a.Code) (b.Span.Line, b.Span.Column, b.Code))
    |> List.ofSeq

let private hasErrors (diagnostics: Diagnostic list) =
    diagnostics |> List.exists (fun d -> d.Severity = Severity.Error)

/// A place in the file as a whole.
let private wholeFile (source: SourceFile) = SourceSpan(source.Path, 0, 0, 0, 0)

let private unsupportedItems report (items: Tree.TopLevel list) =
    for item in items do
        match item with
        | Tree.Derived(_, name, operation, _, _) ->
            report (
                error operation.Span (NotSupportedYet(FileItem(sprintf "the derived model `%s`" name.Name)))
            )
        | Tree.Import(_, span) -> report (error span (NotSupportedYet(FileItem "`import`")))
        | Tree.Model _
        | Tree.Shared _ -> ()

let private modelsOf (items: Tree.TopLevel list) =
    items
    |> List.choose (fun item ->
        match item with
        | Tree.Model m -> Some m
        | Tree.Derived _
        | Tree.Import _
        | Tree.Shared _ -> None)

let private sharedOf (items: Tree.TopLevel list) =
    items
    |> List.choose (fun item ->
        match item with
        | Tree.Shared d -> Some d
        | Tree.Model _
        | Tree.Derived _
        | Tree.Import _ -> None)

let private repeatedModels report (models: Tree.Model list) =
    for _, same in models |> List.groupBy _.Name.Name do
        for repeated in same.Tail do
            report (error repeated.Name.Span (Name(Redeclared(repeated.Name.Name, same.Head.Name.Span))))

/// The models that are asked for: all, or the one of a name.
let private chosen (options: CompileOptions) source report (models: Tree.Model list) =
    match Option.ofObj options.Model with
    | None -> models
    | Some name ->
        let chosen = models |> List.filter (fun m -> m.Name.Name = name)

        if chosen.IsEmpty then
            let suggestion = Spelling.suggest name (models |> List.map _.Name.Name)
            report (error (wholeFile source) (Name(UnknownModel(name, suggestion))))

        chosen

let private unknownDims (options: CompileOptions) source report (models: CheckedModel list) =
    let declared =
        models
        |> List.collect (fun m -> m.Names.Scope.Entities)
        |> List.filter (fun e -> kindOf e = DimName)
        |> List.map _.Name

    for pair in options.Dims do
        if not models.IsEmpty && not (List.contains pair.Key declared) then
            report (error (wholeFile source) (Name(UnknownDim(pair.Key, Spelling.suggest pair.Key declared))))

/// An expression in the scope of a model: every name of the model, its states and `t`. `source` is what it was
/// read from.
let expression (model: CheckedModel) (source: SourceFile) (tree: Tree.Expr) : Result<Expr, Diagnostic list> =
    let collector = Collector()

    let context =
        { model.Names with
            Source = source
            Lines = source.Text.Split '\n'
            Report = collector.Add }

    Names.resolveExpression collector.Add Expressions.functionNames context.Scope tree

    let value =
        Expressions.elaborate context tree
        |> Option.bind (Constants.requirePresent context tree "an expression of its own")

    match value, collector.Errors with
    | Some value, [] -> Ok value
    | _, errors -> Error(errors |> List.map Messages.Render.diagnostic |> inFileOrder)

/// The caller's further outputs, each a text of its own.
let private withExtraOutputs
    (options: CompileOptions)
    (model: CheckedModel)
    : CheckedModel * Diagnostic list =
    let folder (model: CheckedModel, diagnostics) (struct (name: string, text: string)) =
        let source = SourceFile(name, text)
        let tree, syntax = Reader.readExpression source

        match expression model source tree with
        | Ok value ->
            let output: OutputDecl = { Name = name; Value = value; Doc = ""; Span = tree.Span }

            let model =
                { model with
                    Model = { model.Model with Outputs = model.Model.Outputs @ [ output ] } }

            model, diagnostics @ syntax
        | Error errors -> model, diagnostics @ syntax @ errors

    options.ExtraOutputs |> Seq.fold folder (model, [])

/// The models of a file with everything that is wrong with them. Where a diagnostic is an error, there are none.
let models (options: CompileOptions) (file: Tree.File) : CheckedModel list * Diagnostic list =
    let collector = Collector()
    let written = modelsOf file.Items
    let shared = sharedOf file.Items

    let unit =
        { Source = file.Source
          Lines = file.Source.Text.Split '\n'
          Shared = shared
          Unread = file.Unread
          Options = options
          Report = collector.Add }

    unsupportedItems collector.Add file.Items
    repeatedModels collector.Add written

    let checkedModels = chosen options file.Source collector.Add written |> List.map (model unit)

    if written.IsEmpty then
        // Nobody uses the shared declarations: their names are checked all the same.
        Scope.collect collector.Add file.Unread shared []
        |> Names.resolve collector.Add Expressions.functionNames
        |> ignore

    unknownDims options file.Source collector.Add checkedModels

    let diagnostics =
        Consequences.without file collector.Errors
        |> List.map Messages.Render.diagnostic
        |> inFileOrder

    if hasErrors diagnostics then
        // What is wrong may be why something seems unused.
        [], diagnostics |> List.filter (fun d -> d.Severity = Severity.Error)
    else
        let extended = checkedModels |> List.map (withExtraOutputs options)
        let diagnostics = diagnostics @ List.collect snd extended
        (if hasErrors diagnostics then [] else List.map fst extended), diagnostics

/// The same, as the stages that follow take it.
let check (options: CompileOptions) (file: Tree.File) : Model list * Diagnostic list =
    let models, diagnostics = models options file
    List.map _.Model models, diagnostics
