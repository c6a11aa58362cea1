/// Writes out the functions that are no function of single elements, and says which models this back end takes.
///
///     softmax(x)      becomes      r = exp(x - max(x)),  r * (1 / sum(r))
module internal DiffEqLang.Compiler.Backends.Simd.Written

open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Dim
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Builtins
open DiffEqLang.Compiler.Builtins.Builtin

/// The axes that a call folds: the one it names, or all.
let private axesOf attributes (x: Expr) = knownAxes attributes x.Shape (Build.allAxes x)

/// A reduction of x, repeated to the shape of x.
let private restored axes x reduced = Tangent.restore x axes reduced

let private softmax attributes (x: Expr) =
    let axes = knownAxes attributes x.Shape [ x.Shape.Length - 1 ]
    let raised = Build.elementwise "exp" [ Build.sub x (restored axes x (Build.max axes x)) ]
    Build.div raised (restored axes x (Build.sum axes raised))

/// An infinite maximum is left out of the exponent: inf - inf has no value.
let private logSumExp attributes (x: Expr) =
    let axes = axesOf attributes x
    let top = Build.max axes x

    let isInfinite =
        Build.compare Equal (Build.elementwise "abs" [ top ]) (Build.filled top.Shape infinity)

    let finite = Build.select isInfinite (Build.zeros top.Shape) top
    let raised = Build.elementwise "exp" [ Build.sub x (restored axes x finite) ]
    Build.add (Build.elementwise "log" [ Build.sum axes raised ]) finite

let private norm attributes (x: Expr) =
    Build.elementwise "sqrt" [ Build.sum (axesOf attributes x) (Build.mul x x) ]

let private lowerTriangle (x: Expr) =
    let rank = x.Shape.Length

    match x.Shape |> List.skip (rank - 2) |> List.map Dim.tryConstant with
    | [ Some rows; Some columns ] ->
        let mask =
            [ for i in 0L .. rows - 1L ->
                  Build.stack [ for j in 0L .. columns - 1L -> Build.number (if j > i then 0.0 else 1.0) ] ]
            |> Build.stack
            |> Build.broadcast x.Shape [ rank - 2; rank - 1 ]

        Some(Build.select (Build.compare Equal mask (Build.ones x.Shape)) x (Build.zeros x.Shape))
    | _ -> None

/// Several elements divided by one number: a product by its reciprocal, since a division takes as long as ten products.
let private scaledByReciprocal (dividend: Expr) (divisor: Expr) =
    Build.mul dividend (Build.div (Build.number 1.0) divisor)

let private isOneForMany (dividend: Expr) (divisor: Expr) =
    match divisor.Op with
    | Number _ -> false
    | _ ->
        divisor.Shape.IsEmpty
        && dividend.Shape |> List.exists (fun d -> Dim.tryConstant d <> Some 1L)

let private isElementwiseCall name = Catalogue.find name |> isElementwise

/// Functions of whole matrices that the runtime has over registers (`Matrices.fs`).
let isOfMatrices (e: Expr) =
    match e.Op with
    | Call(name, _) -> List.contains name [ "det"; "inv"; "solve"; "cholesky" ]
    | _ -> false

/// The expressions with such calls written out; calls that have no such form stay.
let expand (roots: Expr list) : Expr list =
    roots
    |> rewrite (fun node args ->
        match node.Op, args with
        | Call("softmax", attributes), [ x ] -> softmax attributes x
        | Call("logsumexp", attributes), [ x ] -> logSumExp attributes x
        | Call("norm", attributes), [ x ] -> norm attributes x
        | Divide, [ a; b ] when isOneForMany a b -> scaledByReciprocal a b
        | Call("tril", _), [ x ] -> lowerTriangle x |> Option.defaultValue (Rebuild.rebuild node args)
        | _ -> Rebuild.rebuild node args)

/// Why expanded expressions cannot be compiled for registers; None where they can.
let obstacle (roots: Expr list) : string option =
    topological roots
    |> List.tryPick (fun e ->
        match e.Op with
        | Call(name, _) when not (isElementwiseCall name || isOfMatrices e) ->
            Some(sprintf "`%s` has no form over registers" name)
        | _ ->
            e.Shape
            |> List.tryPick (fun d -> if (Dim.tryConstant d).IsNone then Some d else None)
            |> Option.map (fun d -> sprintf "the size `%s` is left to the caller" (string d)))
