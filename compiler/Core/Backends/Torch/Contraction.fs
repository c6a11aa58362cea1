/// Sums of products: matrix products, affine maps, reductions.
module internal DiffEqLang.Compiler.Backends.Torch.Contraction

open System
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Printing
open DiffEqLang.Compiler.Printing.CSharp
open DiffEqLang.Compiler.Backends.CSharp.Literals
open DiffEqLang.Compiler.Backends.Torch.Arrangement
open DiffEqLang.Compiler.Backends.Torch.Batching
open DiffEqLang.Compiler.Backends.Torch.Context

/// Letters for the axes of an einsum.
let private einsum (left: int list) (right: int list) (a: Expr.Expr) (b: Expr.Expr) =
    let letters = [ 'i' .. 'z' ]
    let leftAxes = letters |> List.take a.Shape.Length

    let rightAxes =
        b.Shape
        |> List.mapi (fun axis _ ->
            match List.tryFindIndex ((=) axis) right with
            | Some pair -> leftAxes[left[pair]]
            | None -> letters[a.Shape.Length + axis])

    let others paired axes =
        axes
        |> List.indexed
        |> List.filter (fun (i, _) -> not (List.contains i paired))
        |> List.map snd

    let text axes = String(List.toArray axes)

    sprintf
        "\"...%s,...%s->...%s\""
        (text leftAxes)
        (text rightAxes)
        (text (others left leftAxes @ others right rightAxes))

let contract (context: Context) left right (a: Expr.Expr) (b: Expr.Expr) =
    let matrixVector (matrix: Expr.Expr) axis (vector: Expr.Expr) =
        if batching matrix = Single then
            let m = if axis = 1 then transposed context matrix else context.Lower matrix
            call (context.Lower vector) "matmul" [ m ]
        else
            let m = if axis = 1 then context.Lower matrix else transposed context matrix

            if batching vector = Single then
                call m "matmul" [ context.Lower vector ]
            else
                call (call m "matmul" [ unsqueezed 1 (context.Lower vector) ]) "squeeze" [ integer -1 ]

    match a.Shape.Length, b.Shape.Length, left, right with
    | 1, 1, [ 0 ], [ 0 ] -> call (Infix(context.Lower a, "*", context.Lower b)) "sum" [ integer -1 ]
    | 2, 1, [ axis ], [ 0 ] -> matrixVector a axis b
    | 1, 2, [ 0 ], [ axis ] -> matrixVector b axis a
    | 2, 2, [ i ], [ j ] ->
        let l = if i = 1 then context.Lower a else transposed context a
        let r = if j = 0 then context.Lower b else transposed context b
        call l "matmul" [ r ]
    // The leading axes join the batch's: one product.
    | _, 2, [ last ], [ axis ] when last = a.Shape.Length - 1 && batching b = Single ->
        call (context.Lower a) "matmul" [ (if axis = 0 then context.Lower b else transposed context b) ]
    | 1, 1, [], [] ->
        Infix(
            call (context.Lower a) "unsqueeze" [ integer -1 ],
            "*",
            call (context.Lower b) "unsqueeze" [ integer -2 ]
        )
    | 2, 2, [ 0; 1 ], [ 0; 1 ]
    | 2, 2, [ 1; 0 ], [ 1; 0 ] ->
        call (Infix(context.Lower a, "*", context.Lower b)) "sum" [ integer -2; integer -1 ]
    | _ -> invoke "einsum" [ Literal(einsum left right a b); context.Lower a; context.Lower b ]

/// `W @ x + b` in one call, where W and b are shared by the batch.
let affine (context: Context) (product: Expr.Expr) (bias: Expr.Expr) =
    let isBias =
        bias.Shape.Length = 1
        && batching bias = Single
        && isTensor bias
        && not (isRepeated context bias)

    match product.Op, product.Args with
    | Contract(left, right), [ a; b ] when isBias && context.IsInlined product ->
        let linear (weight: CSharp.Expr) input =
            Some(invoke "linear" [ context.Lower input; weight; context.Lower bias ])

        match a.Shape.Length, b.Shape.Length, left, right with
        | 2, 1, [ 1 ], [ 0 ] when batching a = Single -> linear (context.Lower a) b
        | 2, 1, [ 0 ], [ 0 ] when batching a = Single -> linear (transposed context a) b
        | 1, 2, [ 0 ], [ 0 ] when batching b = Single -> linear (transposed context b) a
        | 1, 2, [ 0 ], [ 1 ] when batching b = Single -> linear (context.Lower b) a
        | _ -> None
    | _ -> None

let reduce (context: Context) reduction axes (a: Expr.Expr) =
    let value () = context.Lower a
    let fromEnd = axes |> List.map (fun axis -> axis - a.Shape.Length)

    match reduction, a with
    | Reduction.Sum, Build.One when a.Shape.Length = 1 ->
        context.Place.Filled (Collection []) (dim context a.Shape[0])
    | Reduction.Sum, _ when axes.Length <= 3 -> call (value ()) "sum" (fromEnd |> List.map integer)
    | Reduction.Sum, _ -> call (value ()) "sum" [ Collection(fromEnd |> List.map integer) ]
    | Product, _ ->
        // From the last axis on: the others keep their positions from the end as axes disappear behind them.
        fromEnd |> List.fold (fun value axis -> call value "prod" [ integer axis ]) (value ())
    | Maximum, _ -> call (value ()) "amax" (fromEnd |> List.map integer)
    | Minimum, _ -> call (value ()) "amin" (fromEnd |> List.map integer)
