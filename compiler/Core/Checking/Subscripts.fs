/// `x[0]`, `A[i, 1..]`: positions count from 0, ranges are half-open.
module internal DiffEqLang.Compiler.Checking.Subscripts

open DiffEqLang.Contracts
open DiffEqLang.Compiler.Syntax
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Dim
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Checking.Errors
open DiffEqLang.Compiler.Checking.Context
open DiffEqLang.Compiler.Checking.Operators

/// Whether `a` is known to be less than `b`.
let private isLess (a: Dim) (b: Dim) =
    Dim.tryConstant (Dim.subtract b a) |> Option.exists (fun difference -> difference > 0L)

let private indexAt context (target: Operand) axis (subscript: Tree.Expr) (e: Expr) =
    let length = e.Shape[axis]

    match Dims.trySize context subscript |> Option.bind Dim.tryConstant with
    | None -> fail context subscript.Span (Shape(IndexNotConstant(textOf context subscript.Span)))
    | Some n when n < 0L || not (isLess (Dim.constant n) length) && (Dim.tryConstant length).IsSome ->
        fail context subscript.Span (Shape(IndexOutOfBounds(n, string length, target)))
    | Some n -> Some(Build.index axis (int n) e)

let private sliceEnd context (end': Tree.Expr option) otherwise =
    match end' with
    | None -> Some otherwise
    | Some end' ->
        match Dims.trySize context end' with
        | Some size -> Some size
        | None -> fail context end'.Span (Shape(IndexNotConstant(textOf context end'.Span)))

let private sliceFrom context (target: Operand) axis from upTo (span: SourceSpan) (e: Expr) =
    let length = e.Shape[axis]

    match sliceEnd context from Dim.zero, sliceEnd context upTo length with
    | Some from, Some upTo when isLess from Dim.zero || isLess length upTo || from = upTo || isLess upTo from ->
        fail context span (Shape(SliceOutOfBounds(string from, string upTo, string length, target)))
    | Some from, Some upTo -> Some(Build.slice axis from upTo e)
    | _ -> None

/// Applies subscripts from left to right: a position removes its axis, a range keeps it.
let apply context (target: Part) (subscripts: Tree.Subscript list) (span: SourceSpan) : Expr option =
    let shownTarget = shown context target

    let step state subscript =
        state
        |> Option.bind (fun (axis, e) ->
            match subscript with
            | Tree.At position ->
                indexAt context shownTarget axis position e |> Option.map (fun e -> axis, e)
            | Tree.Range(from, upTo, span) ->
                sliceFrom context shownTarget axis from upTo span e |> Option.map (fun e -> axis + 1, e))

    if not (isNumber context "[ ]" target) then
        None
    elif List.length subscripts > target.Expr.Shape.Length then
        fail context span (Shape(TooManySubscripts(shownTarget, List.length subscripts)))
    else
        subscripts |> List.fold step (Some(0, target.Expr)) |> Option.map snd
