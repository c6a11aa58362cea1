/// The reference interpreter: float64 arrays, one sample, no cleverness. It is the oracle of every back end.
module internal DiffEqLang.Compiler.Evaluate

open System
open System.Collections.Generic
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Dim
open DiffEqLang.Compiler.Ir.Shape
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Tensor
open DiffEqLang.Compiler.Builtins

let private truth condition = if condition then 1.0 else 0.0

let private folding reduction : (float -> float -> float) * float =
    match reduction with
    | Sum -> (+), 0.0
    | Product -> (*), 1.0
    | Maximum -> (fun a b -> Math.Max(a, b)), Double.NegativeInfinity
    | Minimum -> (fun a b -> Math.Min(a, b)), Double.PositiveInfinity

let private choose (condition: Tensor) a b =
    let whole = if rank condition = 0 then filled a.Shape condition.Data[0] else condition

    { a with
        Data = Array.map3 (fun c x y -> if c <> 0.0 then x else y) whole.Data a.Data b.Data }

/// The value of one operation over its operands' values.
let private operation (input: Symbol -> Tensor) (size: Dim -> int) op (args: Tensor list) : Tensor =
    let sizes (shape: Shape) = shape |> List.map size |> List.toArray

    match op, args with
    | Number x, _ -> Tensor.scalar x
    | Input symbol, _ -> input symbol
    | Identity n, _ -> Tensor.identity (size n)
    | Add, [ a; b ] -> map2 (+) a b
    | Subtract, [ a; b ] -> map2 (-) a b
    | Multiply, [ a; b ] -> map2 (*) a b
    | Divide, [ a; b ] -> map2 (/) a b
    | Power, [ a; b ] -> map2 (fun x p -> Math.Pow(x, p)) a b
    | Negate, [ a ] -> map (~-) a
    | Call(name, attributes), _ -> (Catalogue.findPrimitive name).Value attributes args
    | Compare comparison, [ a; b ] -> map2 (fun x y -> truth (Build.compareNumbers comparison x y)) a b
    | And, [ a; b ] -> map2 (fun x y -> truth (x <> 0.0 && y <> 0.0)) a b
    | Or, [ a; b ] -> map2 (fun x y -> truth (x <> 0.0 || y <> 0.0)) a b
    | Not, [ a ] -> map (fun x -> truth (x = 0.0)) a
    | Select, [ condition; a; b ] -> choose condition a b
    | Contract(left, right), [ a; b ] -> contract (List.toArray left) (List.toArray right) a b
    | Permute axes, [ a ] -> permute (List.toArray axes) a
    | Reduce(reduction, axes), [ a ] ->
        let combine, start = folding reduction
        reduce combine start (List.toArray axes) a
    | Broadcast(shape, axes), [ a ] -> broadcast (sizes shape) (List.toArray axes) a
    | Index(axis, position), [ a ] -> index axis position a
    | Slice(axis, from, upTo), [ a ] -> slice axis (size from) (size upTo) a
    | Pad(axis, from, length), [ a ] -> pad axis (size from) (size length) a
    | Stack, _ -> stack args
    | Concat, _ -> concat args
    | Reshape shape, [ a ] -> reshape (sizes shape) a
    | Diagonal, [ a ] -> diagonal a
    | DiagonalMatrix, [ a ] -> diagonalMatrix a
    | BatchSum, [ a ] -> a
    | Derivative _, _ -> Build.internalError "A derivative operator reached the interpreter."
    | (Add | Subtract | Multiply | Divide | Power | Negate | Compare _ | And | Or | Not | Select | Contract _ | Permute _),
      _
    | (Reduce _ | Broadcast _ | Index _ | Slice _ | Pad _ | Reshape _ | Diagonal | DiagonalMatrix | BatchSum),
      _ -> Build.internalError "%A with %d operands." op args.Length

/// The values of `roots`, from the values of inputs and of open dims. Each node is computed once; depth is no limit.
let run (inputs: Symbol -> Tensor) (dims: Map<string, int64>) (roots: Expr list) : Tensor list =
    let values = Dictionary<Expr, Tensor>(HashIdentity.Reference)
    let size (d: Dim) = int (Dim.evaluate dims d)

    for node in topological roots do
        values[node] <- operation inputs size node.Op (node.Args |> List.map (fun a -> values[a]))

    roots |> List.map (fun root -> values[root])
