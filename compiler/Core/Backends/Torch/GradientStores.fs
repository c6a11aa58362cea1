/// What a vector-Jacobian product adds to the gradients of parameters.
module internal DiffEqLang.Compiler.Backends.Torch.GradientStores

open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Printing.CSharp
open DiffEqLang.Compiler.Backends.CSharp.Literals
open DiffEqLang.Compiler.Backends.Torch.Batching
open DiffEqLang.Compiler.Backends.Torch.Context
open DiffEqLang.Compiler.Backends.Torch.Writer

let private scaled (factor: float) value =
    match factor with
    | 1.0 -> value
    | -1.0 -> Prefix("-", value)
    | factor -> Infix(scalar factor, "*", value)

/// Whether a contraction is a sum of outer products of the last axes: the leading ones are summed up with the batch.
let private isOuterProducts left right (a: Expr.Expr) (b: Expr.Expr) =
    let isSummed (axes: int list) (operand: Expr.Expr) =
        axes = [ 0 .. operand.Shape.Length - 2 ] && batching operand = PerSample

    isSummed left a && isSummed right b

/// Terms summed into one gradient are stored one by one; an outer product of two vectors goes by without being made.
let rec store (writer: Writer) position (factor: float) (e: Expr.Expr) : Statement list =
    let isInlined (e: Expr.Expr) = (writer.Place.Named e).IsNone
    let add name values = [ statement (Do(invokeMethod (Name "into") name (integer position :: values))) ]
    let storeOuter left right = add "AddOuter" [ scaled factor (writer.Lower left); writer.Lower right ]

    match e.Op, e.Args with
    | BatchSum, [ inner ] -> store writer position factor inner
    | Add, [ a; b ] when isInlined e && a.Shape = b.Shape ->
        store writer position factor a @ store writer position factor b
    | Subtract, [ a; b ] when isInlined e && a.Shape = b.Shape ->
        store writer position factor a @ store writer position -factor b
    | Negate, [ a ] when isInlined e -> store writer position -factor a
    | Multiply, [ { Op = Number c }; a ] when isInlined e -> store writer position (c * factor) a
    | Contract(left, right), [ a; b ] when isInlined e && isOuterProducts left right a b -> storeOuter a b
    | Permute [ 1; 0 ], [ { Op = Contract(left, right); Args = [ a; b ] } as product ] when
        isInlined e && isInlined product && isOuterProducts left right a b
        ->
        storeOuter b a
    | _ -> add "Add" [ scaled factor (writer.Lower e) ]
