/// Axes exchanged, repeated, cut and put together.
module internal DiffEqLang.Compiler.Backends.Torch.Arrangement

open System
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Dim
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Printing.CSharp
open DiffEqLang.Compiler.Backends.CSharp.Literals
open DiffEqLang.Compiler.Backends.Torch.Batching
open DiffEqLang.Compiler.Backends.Torch.Context

/// The matrix whose axes are exchanged.
let transposed (context: Context) (matrix: Expr.Expr) =
    match matrix.Op, matrix.Args with
    | Permute [ 1; 0 ], [ inner ] when context.IsInlined matrix -> context.Lower inner
    | _ -> Member(context.Lower matrix, (if batching matrix = Single then "T" else "mT"))

let permute (context: Context) axes (a: Expr.Expr) =
    match axes with
    | [ 1; 0 ] -> transposed context a
    | _ when batching a = Single -> call (context.Lower a) "permute" (axes |> List.map integer)
    | _ ->
        let letters = axes |> List.map (fun i -> char (int 'i' + i))
        let source = String [| for i in 0 .. axes.Length - 1 -> char (int 'i' + i) |]

        invoke
            "einsum"
            [ Literal(sprintf "\"...%s->...%s\"" source (String(List.toArray letters)))
              context.Lower a ]

/// New axes of length one where the shape has more.
let aligned (context: Context) (shape: Shape.Shape) axes (a: Expr.Expr) =
    let value = context.Lower a

    let missing =
        [ 0 .. shape.Length - 1 ] |> List.filter (fun axis -> not (List.contains axis axes))

    if a.Shape.IsEmpty && batching a = Single then
        value
    else
        // From the last axis on, so that positions from the end are final.
        missing
        |> List.rev
        |> List.fold (fun value axis -> call value "unsqueeze" [ integer (axis - shape.Length) ]) value

let broadcast (context: Context) shape axes (a: Expr.Expr) =
    // Time may or may not have the batch's axes: it gets them here.
    let isBatched = batching a <> Single
    call (aligned context shape axes a) "expand" [ sizes context.Place isBatched shape ]

/// A repeated tensor that is written where it is used.
let isRepeated (context: Context) (e: Expr.Expr) =
    match e.Op with
    | Broadcast _ -> context.IsInlined e
    | _ -> false

/// One position of an axis.
let index (context: Context) axis position (a: Expr.Expr) =
    call (context.Lower a) "select" [ integer (axis - a.Shape.Length); integer position ]

let slice (context: Context) axis from upTo (a: Expr.Expr) =
    let start, length = dim context from, dim context (Dim.subtract upTo from)
    call (context.Lower a) "narrow" [ integer (axis - a.Shape.Length); start; length ]

let pad (context: Context) axis from size (a: Expr.Expr) =
    let rank = a.Shape.Length
    let behind = Dim.subtract size (Dim.add from a.Shape[axis])
    let untouched = List.replicate (2 * (rank - 1 - axis)) (integer 0)
    invoke "pad" [ context.Lower a; Collection(untouched @ [ dim context from; dim context behind ]) ]

/// Flattening and views of vectors need no batch; anything else names the whole shape.
let reshape (context: Context) (shape: Shape.Shape) (a: Expr.Expr) =
    let value = context.Lower a

    match a.Shape.Length, shape.Length, batching a with
    | 0, 1, _ -> unsqueezed 1 value
    | 1, 0, _ -> call value "squeeze" [ integer -1 ]
    | 1, 1, _ -> value
    | rank, 1, _ -> call value "flatten" [ integer -rank ]
    | _, _, Single -> call value "reshape" [ sizes context.Place false shape ]
    | _, _, PerSample -> call value "reshape" [ sizes context.Place true shape ]
    | _, _, PerTime ->
        call
            (call value "expand" [ sizes context.Place true a.Shape ])
            "reshape"
            [ sizes context.Place true shape ]
