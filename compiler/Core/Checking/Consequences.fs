/// Errors that follow from others. One slip gets one message: a name that was to be declared by a statement that did not
/// parse is no unknown name, and a state whose equation has a wrong left side is not one without an equation.
module internal DiffEqLang.Compiler.Checking.Consequences

open System.Collections.Generic
open DiffEqLang.Contracts
open DiffEqLang.Compiler.Syntax
open DiffEqLang.Compiler.Checking.Errors

let private isWithin (inner: SourceSpan) (outer: SourceSpan) = outer.Contains inner

/// The name whose absence an error is about.
let private missingName (error: Error) =
    match error.Kind with
    | Name(UnknownName(name, _) | UnknownSize name | UnknownFunction(name, _))
    | Structure(MissingEquation name | EquationForUndeclared(name, _)) -> Some name
    | Noise(UnknownDifferential(differential, _)) -> Some(differential.Substring 1)
    | Name _
    | Structure _
    | Noise _
    | Shape _
    | Event _
    | Solve _
    | NotSupportedYet _ -> None

/// Whether a statement that could not be read may have been about a name: `dx` and `d2x` are about `x`.
let private isDoubtful (unread: Tree.Unread) name =
    [ name; "d" + name; "d2" + name ] |> List.exists unread.Names.Contains

/// What uses a name, and a constraint that is missing, may be what was not read.
let private lacksSomething (error: Error) =
    match error.Kind with
    | Name(Unused _)
    | Structure(ConstraintCount _) -> true
    | Name _
    | Structure _
    | Noise _
    | Shape _
    | Event _
    | Solve _
    | NotSupportedYet _ -> false

/// Names that an import may bring along; those that resemble a name of the file are slips all the same.
let private mayBeImported (error: Error) =
    match error.Kind with
    | Name(UnknownName(_, None) | UnknownFunction(_, None))
    | Structure(UnknownStage(_, None)) -> true
    | Name _
    | Structure _
    | Noise _
    | Shape _
    | Event _
    | Solve _
    | NotSupportedYet _ -> false

let private followsFromSyntax (unread: Tree.Unread) (error: Error) =
    List.exists (isWithin error.Span) unread.Statements
    || not unread.Reported.IsEmpty && lacksSomething error
    || List.exists (isWithin error.Span) unread.Reported
    || (missingName error |> Option.exists (isDoubtful unread))

/// The states that an equation was meant for, though it does not reach them.
let private meantStates (errors: Error list) =
    errors
    |> List.collect (fun error ->
        match error.Kind with
        | Structure(NotAnEquation(_, _, states)) -> states
        | Structure(EquationForUndeclared(_, Some state)) -> [ state ]
        | Name _
        | Structure _
        | Noise _
        | Shape _
        | Event _
        | Solve _
        | NotSupportedYet _ -> [])
    |> Set.ofList

/// An undeclared name that resembles no other is reported once, at its equation where it has one: the mend, its
/// declaration, is one.
let private reportedOnce (errors: Error list) =
    let undeclared (error: Error) =
        match error.Kind with
        | Structure(EquationForUndeclared(name, None)) -> Some(name, 0)
        | Name(UnknownName(name, None) | UnknownSize name) -> Some(name, 1)
        | Name _
        | Structure _
        | Noise _
        | Shape _
        | Event _
        | Solve _
        | NotSupportedYet _ -> None

    let first =
        errors
        |> List.choose (fun e -> undeclared e |> Option.map (fun (name, rank) -> name, (rank, e)))
        |> List.groupBy fst
        |> List.map (fun (_, same) ->
            same
            |> List.map snd
            |> List.minBy (fun (rank, e) -> rank, e.Span.Line, e.Span.Column)
            |> snd)

    let kept = HashSet<Error>(first, HashIdentity.Reference)
    fun error -> (undeclared error).IsNone || kept.Contains error

let private followsFromOthers (errors: Error list) =
    let meant = meantStates errors
    let isKept = reportedOnce errors

    // `dense(10, tanh)`
    let wrongStages =
        errors
        |> List.filter (fun e ->
            match e.Kind with
            | Structure(StageArguments _) -> true
            | _ -> false)
        |> List.map _.Span

    let hasUndeclaredState =
        errors
        |> List.exists (fun e ->
            match e.Kind with
            | Structure(EquationForUndeclared _) -> true
            | _ -> false)

    fun (error: Error) ->
        match error.Kind with
        | Structure(MissingEquation state) -> meant.Contains state
        | Structure(NoStates _) -> hasUndeclaredState
        | Name(NotAValue _) -> List.exists (isWithin error.Span) wrongStages
        | Name _
        | Structure _
        | Noise _
        | Shape _
        | Event _
        | Solve _
        | NotSupportedYet _ -> not (isKept error)

/// Of errors at one place the first; of differentials where none can stand, the first of a line.
let private onePerPlace (errors: Error list) =
    let seen = HashSet<struct (SourceSpan * int)>()
    let linesOfDifferentials = HashSet<int>()

    errors
    |> List.filter (fun error ->
        match error.Kind with
        | Noise(DifferentialOutside _) -> linesOfDifferentials.Add error.Span.Line
        | Name _
        | Structure _
        | Noise _
        | Shape _
        | Event _
        | Solve _
        | NotSupportedYet _ -> error.Span.Line = 0 || seen.Add(struct (error.Span, error.Calls.Length)))

/// The errors that are explained neither by what the reader reported, nor by others of the same model.
let without (file: Tree.File) (errors: Error list) : Error list =
    let models =
        file.Items
        |> List.choose (fun item ->
            match item with
            | Tree.Model m -> Some m.Span
            | Tree.Derived _
            | Tree.Import _
            | Tree.Shared _ -> None)

    let hasImports = file.Items |> List.exists _.IsImport

    errors
    |> List.filter (fun error ->
        not (followsFromSyntax file.Unread error || hasImports && mayBeImported error))
    |> List.groupBy (fun error -> List.tryFindIndex (isWithin error.Span) models)
    |> List.collect (fun (_, ofModel) ->
        let follows = followsFromOthers ofModel
        ofModel |> List.filter (follows >> not) |> onePerPlace)
