/// One expression of the IR as TorchSharp calls.
///
/// A value of shape [n] is a tensor [..., n]: axes are counted from the end and the batch stands before them. What
/// does not vary over the batch (parameters, constants) has its own shape alone, and broadcasts. A scalar that varies
/// meets a tensor as `x.unsqueeze(-1)`; expansion to the batch happens only where a stack or a concatenation needs it.
module internal DiffEqLang.Compiler.Backends.Torch.Lowering

open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Printing
open DiffEqLang.Compiler.Printing.CSharp
open DiffEqLang.Compiler.Backends.CSharp.Literals
open DiffEqLang.Compiler.Backends.Torch.Arrangement
open DiffEqLang.Compiler.Backends.Torch.Collection
open DiffEqLang.Compiler.Backends.Torch.Context
open DiffEqLang.Compiler.Backends.Torch.Contraction
open DiffEqLang.Compiler.Backends.Torch.Elementwise

let private operation (context: Context) (e: Expr.Expr) : CSharp.Expr =
    match e.Op, e.Args with
    | Number _, _ -> uniform context e
    | Op.Input s, _ -> invalidOp (sprintf "The input %s has no name here." s.Name)
    | Add, [ a; b ] -> sum context e a b
    | Subtract, _ -> difference context e
    | Multiply, _ -> product context e
    | Divide, _ -> quotient context e
    | Power, [ basis; exponent ] -> power context e basis exponent
    | Negate, [ a ] -> Prefix("-", context.Lower a)
    | Op.Call(name, attributes), args -> builtin context e name attributes args
    | Compare c, _ -> compare context e c
    | And, _ -> logicalAnd context e
    | Or, _ -> logicalOr context e
    | Not, [ a ] -> call (context.Lower a) "logical_not" []
    | Op.Select, [ condition; a; b ] -> select context e condition a b
    | Contract(left, right), [ a; b ] -> contract context left right a b
    | Permute axes, [ a ] -> permute context axes a
    | Op.Reduce(reduction, axes), [ a ] -> reduce context reduction axes a
    | Broadcast(shape, axes), [ a ] -> broadcast context shape axes a
    | Op.Index(axis, position), [ a ] -> index context axis position a
    | Op.Slice(axis, from, upTo), [ a ] -> slice context axis from upTo a
    | Pad(axis, from, size), [ a ] -> pad context axis from size a
    | Stack, args -> stack context e args
    | Concat, args -> concat context e args
    | Reshape shape, [ a ] -> reshape context shape a
    | Op.Diagonal, [ a ] -> call (context.Lower a) "diagonal" [ integer 0; integer -2; integer -1 ]
    | DiagonalMatrix, [ a ] -> call (context.Lower a) "diag_embed" []
    | Identity n, _ -> Invoke(Name "eye", argument (dim context n) :: context.Place.Placement)
    | BatchSum, [ a ] -> context.Lower a
    | op, args -> Build.internalError "The torch back end met %A with %d operands." op args.Length

let rec lower (place: Place) (e: Expr.Expr) : CSharp.Expr =
    let context = { Place = place; Lower = lower place }

    match place.Named e, e with
    | Some name, _ -> name
    | None, Build.Uniform _ -> uniform context e
    | None, _ -> operation context e
