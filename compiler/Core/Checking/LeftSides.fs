/// What stands on the left of an equation and is no derivative: what it was most likely meant for.
module internal DiffEqLang.Compiler.Checking.LeftSides

open System
open DiffEqLang.Compiler.Syntax
open DiffEqLang.Compiler.Checking.Errors
open DiffEqLang.Compiler.Checking.Context
open DiffEqLang.Compiler.Checking.Scope

let stateNames scope = scope.Entities |> List.filter (fun e -> kindOf e = StateName) |> List.map _.Name

/// The state that `ẋ` or `ẍ` is about, with one dot or two on its last letter, and the order.
let private dotted states word =
    List.allPairs states [ "\u0307", 1; "\u0308", 2 ]
    |> List.tryPick (fun (state, (dots, order)) ->
        if Normalization.composeName (state + dots) = word then
            Some(state, order)
        else
            None)

/// The words that a left side holds.
let private words (target: Tree.Expr) =
    Traversal.parts target
    |> List.collect (fun part ->
        match part.Kind with
        | Tree.Name name -> [ name ]
        | Tree.Call(callee, _) -> [ callee.Name ]
        | Tree.Prime(name, _) -> [ name.Name ]
        | Tree.Number _
        | Tree.Unary _
        | Tree.Binary _
        | Tree.Index _
        | Tree.Transpose _
        | Tree.Stack _
        | Tree.If _
        | Tree.Parenthesized _
        | Tree.ImplicitPart _
        | Tree.Quoted _
        | Tree.Missing -> [])

/// The state that a word is about: `x`, `dx`, `d2x`, `ẋ`, and the order.
let private meantState states (word: string) =
    let ofDifferential =
        if word.StartsWith 'd' then
            let digits = word.Substring(1) |> Seq.takeWhile Char.IsAsciiDigit |> Seq.toArray |> String
            let order = if digits = "" then 1 else int (digits.Substring(0, min 2 digits.Length))
            [ word.Substring(1 + digits.Length), order ]
        else
            []

    (word, 1) :: ofDifferential
    |> List.tryFind (fun (name, _) -> List.contains name states)
    |> Option.orElseWith (fun () -> dotted states word)

let private derivative state order =
    if order = 1 then
        sprintf "d%s/dt" state
    else
        sprintf "d%d%s/dt%d" order state order

let private ofName (context: Context) states (name: string) =
    match tryFind name context.Scope |> Option.map kindOf, dotted states name with
    | Some StateName, _ -> sprintf "write `d%s/dt = ...`, or `init %s = ...` for its initial value" name name
    | Some AlgebraicName, _ ->
        sprintf "what determines an algebraic unknown is a constraint: `0 = ... - %s`" name
    | Some ParameterName, _ -> sprintf "a parameter's value stands in its declaration: `param %s = ...`" name
    | Some ConstantName, _ -> sprintf "a constant's value stands in its declaration: `const %s = ...`" name
    | Some DimName, _ -> sprintf "a dim's value stands in its declaration: `dim %s = ...`" name
    | Some(LetName | OutputName | FunctionName | NetworkName | NetworkParameterName | WienerName | IncrementName),
      _
    | Some(ArgumentName | BuiltinName | UnsupportedName), _ -> sprintf "`%s` has its value already" name
    | None, Some(state, order) -> sprintf "a derivative is written `%s = ...`" (derivative state order)
    | None, None ->
        let isInitial = List.contains (name.TrimEnd('0').TrimEnd('_')) states && name.EndsWith '0'

        if isInitial then
            sprintf "an initial value is `init %s = ...`" (name.TrimEnd('0').TrimEnd('_'))
        else
            sprintf "write `let %s = ...` to name an expression" name

let private hint context states (meant: (string * int) list) (target: Tree.Expr) =
    match (Expressions.withoutParentheses target).Kind, meant with
    | Tree.Name name, _ -> ofName context states name
    | Tree.Call(callee, [ { Value = { Kind = Tree.Number _ } } ]), _ when List.contains callee.Name states ->
        sprintf "an initial value is `init %s = ...`" callee.Name
    | Tree.Index _, (state, _) :: _ when words target |> List.contains state ->
        sprintf "a state has one equation, for all its elements: `d%s/dt = ...`" state
    | _, (state, order) :: _ when Traversal.parts target |> List.exists _.Kind.IsIndex ->
        sprintf "a state has one equation, for all its elements: `%s = ...`" (derivative state order)
    | _, (state, order) :: _ ->
        sprintf "derivatives are by the time `t`: write `%s = ...`" (derivative state order)
    | _, [] -> "the left side is a derivative such as `dx/dt`, or a differential such as `dX`"

/// Reports the left side of what is no equation.
let report (context: Context) (target: Tree.Expr) =
    let states = stateNames context.Scope
    let meant = words target |> List.choose (meantState states) |> List.distinct
    let text = textOf context target.Span
    let hint = hint context states meant target
    report context target.Span (Structure(NotAnEquation(text, hint, meant |> List.map fst)))
