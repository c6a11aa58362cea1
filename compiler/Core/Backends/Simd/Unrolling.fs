/// Which axes are written out and which become loops, and what that asks to be stored.
module internal DiffEqLang.Compiler.Backends.Simd.Unrolling

open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Dim
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Backends.Simd.Registers

/// Axes up to this length are written out.
let longestUnrolled = 8

let sizesOf (e: Expr) =
    e.Shape
    |> List.map (fun d ->
        match Dim.tryConstant d with
        | Some n -> int n
        | None -> Build.internalError "The size %s of a register kernel is open." (string d))

/// A size that is known: those of kernels all are.
let constant (d: Dim) =
    match Dim.tryConstant d with
    | Some n -> int n
    | None -> Build.internalError "The size %s of a register kernel is open." (string d)

let sizeOf (e: Expr) = List.fold (*) 1 (sizesOf e)
let isLong n = n > longestUnrolled
let hasLoops (e: Expr) = List.exists isLong (sizesOf e)

/// Whether elements of an operand are computed once for several elements of the node.
let repeats (node: Expr) position =
    let operand = node.Args[position]

    let others axes (e: Expr) =
        sizesOf e |> List.indexed |> List.filter (fun (i, _) -> not (List.contains i axes))

    let isMany sizes = List.exists (fun (_, n) -> n > 1) sizes

    match node.Op with
    | Power ->
        position = 0
        && match node.Args[1] with
           | Build.Uniform p -> isRepeated p
           | _ -> false
    | Contract(left, right) ->
        if position = 0 then
            isMany (others right node.Args[1])
        else
            isMany (others left node.Args[0])
    | Broadcast(_, axes) -> isMany (others axes node)
    | Add
    | Subtract
    | Multiply
    | Divide
    | Op.Call _
    | Compare _
    | And
    | Or
    | Op.Select -> operand.Shape.IsEmpty && sizeOf node > 1
    | Op.Number _
    | Input _
    | Negate
    | Not
    | Permute _
    | Reduce _
    | Op.Index _
    | Slice _
    | Pad _
    | Stack
    | Concat
    | Reshape _
    | Diagonal
    | DiagonalMatrix
    | Identity _
    | Derivative _
    | BatchSum -> false

/// Made of pieces that no single expression of a loop variable gives.
let isPiecewise (e: Expr) =
    let sizes = sizesOf e

    match e.Op with
    | Stack
    | Concat -> isLong sizes.Head
    | Pad(axis, _, _) -> isLong sizes[axis]
    // Elements in variables have no place that a loop could count.
    | Reshape _ -> hasLoops e && not (hasLoops e.Args.Head)
    | DiagonalMatrix
    | Identity _ -> isLong (List.last sizes)
    | _ -> false
