/// What the checks of one model share: the source, where errors go, and the values found so far.
module internal DiffEqLang.Compiler.Checking.Context

open System.Collections.Generic
open DiffEqLang.Contracts
open DiffEqLang.Compiler.Syntax
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Dim
open DiffEqLang.Compiler.Ir.Shape
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Typed
open DiffEqLang.Compiler.Checking.Errors
open DiffEqLang.Compiler.Checking.Scope

/// What a name is worth where an expression uses it.
type Value =
    /// A tensor, whole.
    | Known of Expr
    | Size of Dim
    | Inlined of Tree.FnDecl
    | Network of Network
    /// An error about it is already reported: whatever uses it stays silent.
    | Poisoned

and Network =
    {
        Argument: Shape
        Result: Shape
        /// From an argument of the right shape.
        Apply: Expr -> Expr option
    }

/// The delayed states that a model's expressions ask for, each once.
type DelayedStates() =
    let found = ResizeArray<DelayDecl>()

    let textOf (delay: Expr) =
        match delay.Op with
        | Add
        | Subtract
        | Negate -> sprintf "(%s)" (Print.inlined delay)
        | _ -> Print.inlined delay

    /// A state by a delay.
    member _.Of(state: Symbol, delay: Expr, span: SourceSpan) : DelayDecl =
        match found |> Seq.tryFind (fun d -> d.State = state && d.Delay = delay) with
        | Some known -> known
        | None ->
            let name = sprintf "%s(t - %s)" state.Name (textOf delay)
            let symbol = { state with Name = name; Role = Delayed }
            found.Add { Symbol = symbol; State = state; Delay = delay; Span = span }
            found[found.Count - 1]

    member _.All = List.ofSeq found

type Context =
    {
        Source: SourceFile
        /// The source's lines, for the text of origins and messages.
        Lines: string[]
        Report: Error -> unit
        Delayed: DelayedStates
        Scope: Scope
        /// By name, for everything whose turn has come (see `Names.Resolution`).
        Globals: Map<string, Value>
        /// Constants by their declared values, where a number must be known when the model is compiled.
        Folded: Map<string, Value>
        /// The arguments of the function being inlined, which come first.
        Locals: Map<string, Value>
        /// Where the functions being inlined were called, innermost first.
        Calls: SourceSpan list
    }

/// Collects errors; of equal ones (a function inlined twice) the first stays.
type Collector() =
    let errors = ResizeArray<Error>()
    let seen = HashSet<SourceSpan * string>()

    member _.Add(error: Error) =
        if seen.Add(error.Span, sprintf "%A" error.Kind) then
            errors.Add error

    member _.Errors = List.ofSeq errors

let report (context: Context) span kind = context.Report { error span kind with Calls = context.Calls }

/// Reports, and gives the value that keeps follow-up errors away.
let fail (context: Context) span kind =
    report context span kind
    None

let lookup (context: Context) name =
    Map.tryFind name context.Locals
    |> Option.orElseWith (fun () -> Map.tryFind name context.Globals)

/// What the inputs of a value are, for values that must be fixed before the solve.
let kindOfRole role =
    match role with
    | Time -> BuiltinName
    | State
    | Delayed -> StateName
    | Parameter -> ParameterName
    | Constant -> ConstantName
    | Increment -> IncrementName
    | Control
    | Sample
    | Step
    | Cotangent
    | Tangent -> UnsupportedName

/// The source text of a region, on one line.
let textOf (context: Context) (span: SourceSpan) =
    let clip (line: string) from upTo =
        let from = min (max from 0) line.Length
        line.Substring(from, max 0 (min upTo line.Length - from))

    let part lineNumber =
        let line = context.Lines[lineNumber - 1]
        let from = if lineNumber = span.Line then span.Column - 1 else 0
        let upTo = if lineNumber = span.EndLine then span.EndColumn - 1 else line.Length
        (clip line from upTo).Trim()

    [ for n in max 1 span.Line .. min span.EndLine context.Lines.Length -> part n ]
    |> List.filter (fun p -> p <> "")
    |> String.concat " "

/// `W1 : R[50, 2]`
let label name shape = sprintf "%s : %s" name (Shape.print shape)

/// The declarations that an expression's shape comes from: those of its names that are no scalars, three at most.
let private declarationsOf (context: Context) (e: Tree.Expr) =
    Traversal.parts e
    |> List.choose (fun part ->
        match part.Kind with
        | Tree.Name name -> Some name
        | Tree.Number _
        | Tree.Prime _
        | Tree.Unary _
        | Tree.Binary _
        | Tree.Call _
        | Tree.Index _
        | Tree.Transpose _
        | Tree.Stack _
        | Tree.If _
        | Tree.Parenthesized _
        | Tree.ImplicitPart _
        | Tree.Quoted _
        | Tree.Missing -> None)
    |> List.distinct
    |> List.choose (fun name ->
        match lookup context name, Scope.tryFind name context.Scope with
        | Some(Known value), Some entity when not (Shape.isScalar value.Shape) ->
            Some { Label = label name value.Shape; At = entity.Span }
        | _ -> None)
    |> List.truncate 3

/// An operand as error messages show it.
let operand (context: Context) (tree: Tree.Expr) (shape: Shape) : Operand =
    { Shape = shape
      Text = textOf context tree.Span
      At = tree.Span
      Declarations = declarationsOf context tree }

/// Notes where a node comes from, for comments in generated code.
let recordOrigin (context: Context) (span: SourceSpan) (name: string option) (e: Expr) =
    Expr.recordOrigin { Span = span; Text = textOf context span; Name = name } e

    e
