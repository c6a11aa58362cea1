/// Numbers that must be known when the model is compiled: options, intervals, distributions.
module internal DiffEqLang.Compiler.Checking.Constants

open DiffEqLang.Compiler.Syntax
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Checking.Errors
open DiffEqLang.Compiler.Checking.Context

/// The number that a scalar expression of numbers, dims and constants is; None, without a word, for anything else.
let tryNumber (context: Context) (tree: Tree.Expr) : float option =
    let silent =
        { context with
            Report = ignore
            Globals =
                Map.fold (fun globals name value -> Map.add name value globals) context.Globals context.Folded }

    match Expressions.elaborate silent tree with
    | Some { Op = Number x } -> Some x
    | _ -> None

/// The number, or an error that says what had to be one.
let number context what (tree: Tree.Expr) =
    match tryNumber context tree with
    | Some x when not (System.Double.IsNaN x) -> Some x
    | _ when Dims.isPoisoned context tree -> None
    | _ -> fail context tree.Span (Structure(NotANumber(what, textOf context tree.Span)))

/// Refuses a value that depends on more than the given roles.
let requireRoles context (tree: Tree.Expr) what allowedText (allowed: Role list) (value: Expr) =
    let others =
        Expr.inputs [ value ] |> List.filter (fun s -> not (List.contains s.Role allowed))

    if others.IsEmpty then
        Some value
    else
        let names = others |> List.map (fun s -> s.Name, kindOfRole s.Role)
        fail context tree.Span (Structure(DependsOn(what, allowedText, names)))

/// Refuses a value that asks for the past, where that is not known.
let requirePresent context (tree: Tree.Expr) where (value: Expr) =
    match Expr.inputs [ value ] |> List.tryFind (fun s -> s.Role = Delayed) with
    | Some delayed -> fail context tree.Span (Delay(DelayOutside(delayed.Name, where)))
    | None -> Some value

/// A value for a declared shape; a scalar fills it.
let fill context (tree: Tree.Expr) (target: Declared) (shape: Shape.Shape) (value: Expr) =
    if value.IsBoolean then
        fail context tree.Span (Shape(NumberIsCondition(target.Label, textOf context tree.Span)))
    elif value.Shape = shape || Shape.isScalar value.Shape then
        Some(Build.broadcastTo shape value)
    else
        fail context tree.Span (Shape(ValueShape(target, shape, operand context tree value.Shape)))
