/// Random expressions over a few small inputs, with values for them, and derivatives by differences.
module DiffEqLang.Tests.Support.RandomExpr

open System
open DiffEqLang.Compiler
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Dim
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Tensor
open DiffEqLang.Compiler.Builtins

/// Seeds from a wide range, so that runs differ in the expressions they draw.
let widelySeeded =
    { Expecto.FsCheckConfig.defaultConfig with maxTest = 300; endSize = 100_000 }

let internal shapeOf (sizes: int list) : Shape.Shape = sizes |> List.map (int64 >> Dim.constant)

let internal symbol name sizes : Symbol = { Name = name; Role = State; Shape = shapeOf sizes }

let internal variable name sizes = Build.input (symbol name sizes)

let internal sizesOf (shape: Shape.Shape) =
    shape |> List.map (fun d -> int (Dim.tryConstant d).Value) |> List.toArray

/// Reproducible values in [low, high] for every input, by name and seed; the same for the same.
let internal valuesWithin low high (seed: int) (s: Symbol) =
    let hash = s.Name |> Seq.fold (fun h c -> (h * 31 + int c) % 1000003) (abs seed % 1000003)
    let random = Random hash
    let shape = sizesOf s.Shape
    ofArray shape (Array.init (sizeOf shape) (fun _ -> low + (high - low) * random.NextDouble()))

let internal evaluate inputs root = Evaluate.run inputs Map.empty [ root ] |> List.head

/// The largest difference, relative where values are above one; not-a-numbers and equal infinities agree.
let internal distance (a: Tensor) (b: Tensor) =
    if a.Shape <> b.Shape then
        infinity
    else
        Seq.zip a.Data b.Data
        |> Seq.map (fun (x, y) ->
            if x = y || Double.IsNaN x && Double.IsNaN y then 0.0
            elif Double.IsNaN x || Double.IsNaN y then infinity
            else abs (x - y) / max 1.0 (max (abs x) (abs y)))
        |> Seq.fold max 0.0

/// Central differences of fourth order of f along direction v, the input s moving.
let internal differenceAlong (f: Expr) (inputs: Symbol -> Tensor) (s: Symbol) (v: Tensor) =
    let h = 1e-3

    let at k =
        evaluate
            (fun other -> if other = s then map2 (fun x d -> x + k * h * d) (inputs s) v else inputs other)
            f

    let far, near = map2 (-) (at 2.0) (at -2.0), map2 (-) (at 1.0) (at -1.0)
    map2 (fun n f -> (8.0 * n - f) / (12.0 * h)) near far

/// An expression of the asked shape over s : R, x and y : R[3], A and B : R[3, 3], smooth and of moderate size.
let rec internal generate (random: Random) depth (sizes: int list) : Expr =
    let again sizes = generate random (depth - 1) sizes
    let pick (options: (unit -> Expr) list) = options[random.Next options.Length]()
    let name = sizes |> List.map string |> String.concat "x"
    let unary f = fun () -> Catalogue.call f [] [ again sizes ]

    let leaves =
        [ (fun () -> variable (sprintf "a%s" name) sizes)
          (fun () -> variable (sprintf "b%s" name) sizes)
          (fun () -> Build.filled (shapeOf sizes) (float (random.Next(-2, 4)) / 2.0)) ]

    let anyShape =
        [ (fun () -> Build.add (again sizes) (again sizes))
          (fun () -> Build.sub (again sizes) (again sizes))
          (fun () -> Build.mul (again sizes) (again sizes))
          (fun () -> Build.mul (again []) (again sizes))
          (fun () -> Build.neg (again sizes))
          (fun () -> Build.scale (float (random.Next(-3, 4))) (again sizes))
          (fun () -> Build.square (Catalogue.call "sin" [] [ again sizes ]))
          (fun () -> Build.div (again sizes) (Build.add (Build.number 2.0) (Build.square (again sizes))))
          (fun () ->
              Build.pow
                  (Build.add (Build.number 1.5) (Catalogue.call "sigmoid" [] [ again sizes ]))
                  (again []))
          (fun () ->
              let a, b = again sizes, again sizes
              Build.select (Build.compare Less (variable (sprintf "a%s" name) sizes) (Build.number 9.0)) a b)
          unary "tanh"
          unary "sin"
          unary "cos"
          unary "gelu"
          unary "softplus" ]

    let scalars =
        [ (fun () -> Build.sumAll (again [ 3 ]))
          (fun () -> Catalogue.call "dot" [] [ again [ 3 ]; again [ 3 ] ])
          (fun () -> Catalogue.call "logsumexp" [] [ again [ 3; 3 ] ])
          (fun () -> Build.trace (Build.matmul (again [ 3; 3 ]) (again [ 3; 3 ])))
          (fun () -> Build.index 0 (random.Next 3) (again [ 3 ]))
          (fun () -> Build.prod [ 0 ] (Catalogue.call "tanh" [] [ again [ 3 ] ]))
          (fun () -> Catalogue.call "mean" [] [ again [ 3; 3 ] ]) ]

    let vectors =
        [ (fun () -> Build.matmul (again [ 3; 3 ]) (again [ 3 ]))
          (fun () -> Build.matmul (again [ 3 ]) (again [ 3; 3 ]))
          (fun () -> Build.stack [ again []; again []; again [] ])
          (fun () -> Build.concat [ Build.slice 0 Dim.one (Dim.constant 3L) (again [ 3 ]); again [] ])
          (fun () -> Build.diagonal (again [ 3; 3 ]))
          (fun () -> Build.sum [ random.Next 2 ] (again [ 3; 3 ]))
          (fun () -> Build.index (random.Next 2) (random.Next 3) (again [ 3; 3 ]))
          (fun () ->
              Build.pad 0 Dim.one (Dim.constant 3L) (Build.slice 0 Dim.zero (Dim.constant 2L) (again [ 3 ])))
          (fun () -> Build.broadcast (shapeOf sizes) [] (again []))
          (fun () -> Catalogue.call "softmax" [] [ again [ 3 ] ]) ]

    let matrices =
        [ (fun () -> Build.outer (again [ 3 ]) (again [ 3 ]))
          (fun () -> Build.matmul (again [ 3; 3 ]) (again [ 3; 3 ]))
          (fun () -> Build.transpose (again [ 3; 3 ]))
          (fun () -> Build.diagonalMatrix (again [ 3 ]))
          (fun () -> Build.broadcast (shapeOf sizes) [ random.Next 2 ] (again [ 3 ]))
          (fun () -> Build.stack [ again [ 3 ]; again [ 3 ]; again [ 3 ] ])
          (fun () -> Build.reshape (shapeOf sizes) (Build.reshape (shapeOf [ 9 ]) (again sizes)))
          (fun () -> Catalogue.call "softmax" [ 0 ] [ again sizes ])
          (fun () -> Build.add (Build.identity (Dim.constant 3L)) (again sizes)) ]

    if depth = 0 then
        pick leaves
    else
        let special =
            match sizes with
            | [] -> scalars
            | [ _ ] -> vectors
            | _ -> matrices

        pick (if random.Next 2 = 0 then anyShape else special)
