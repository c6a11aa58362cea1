/// A node again over other operands, through the constructors: what rewriting passes call.
module internal DiffEqLang.Compiler.Builtins.Rebuild

open System.Collections.Generic
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Build

/// The operation of `node` over `args`. With the node's own operands it is the node itself.
let rebuild (node: Expr) (args: Expr list) : Expr =
    match node.Op, args with
    | _ when List.forall2 (=) node.Args args -> node
    | Add, [ a; b ] -> add a b
    | Subtract, [ a; b ] -> sub a b
    | Multiply, [ a; b ] -> mul a b
    | Divide, [ a; b ] -> div a b
    | Power, [ a; b ] -> pow a b
    | Negate, [ a ] -> neg a
    | Call(name, attributes), args -> Catalogue.call name attributes args
    | Compare comparison, [ a; b ] -> compare comparison a b
    | And, [ a; b ] -> logicalAnd a b
    | Or, [ a; b ] -> logicalOr a b
    | Not, [ a ] -> logicalNot a
    | Select, [ condition; a; b ] -> select condition a b
    | Contract(left, right), [ a; b ] -> contract left right a b
    | Permute axes, [ a ] -> permute axes a
    | Reduce(reduction, axes), [ a ] -> reduce reduction axes a
    | Broadcast(shape, axes), [ a ] -> broadcast shape axes a
    | Index(axis, position), [ a ] -> index axis position a
    | Slice(axis, from, upTo), [ a ] -> slice axis from upTo a
    | Pad(axis, from, size), [ a ] -> pad axis from size a
    | Stack, args -> stack args
    | Concat, args -> concat args
    | Reshape shape, [ a ] -> reshape shape a
    | Diagonal, [ a ] -> diagonal a
    | DiagonalMatrix, [ a ] -> diagonalMatrix a
    | Derivative operator, [ f; x ] -> DerivativeOperators.apply operator f x None
    | Derivative operator, [ f; x; v ] -> DerivativeOperators.apply operator f x (Some v)
    | BatchSum, [ a ] -> batchSum a
    | (Number _ | Input _ | Identity _), _
    | (Add | Subtract | Multiply | Divide | Power | Negate | Compare _ | And | Or | Not | Select | Contract _),
      _
    | (Permute _ | Reduce _ | Broadcast _ | Index _ | Slice _ | Pad _ | Reshape _ | Diagonal | DiagonalMatrix),
      _
    | (Derivative _ | BatchSum), _ -> internalError "%A with %d operands." node.Op args.Length

/// Puts expressions in for nodes, wherever they occur.
let substitute (replacements: IReadOnlyDictionary<Expr, Expr>) (roots: Expr list) : Expr list =
    rewrite
        (fun node args ->
            match replacements.TryGetValue node with
            | true, replacement -> replacement
            | _ -> rebuild node args)
        roots
