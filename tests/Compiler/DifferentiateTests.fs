module DiffEqLang.Tests.Compiler.DifferentiateTests

open System
open Expecto
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Dim
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Tensor
open DiffEqLang.Compiler.Ir.Build
open DiffEqLang.Compiler.Builtins
open DiffEqLang.Compiler.Passes
open DiffEqLang.Tests.Support.RandomExpr

let private tensorLike (random: Random) (shape: int[]) =
    ofArray shape (Array.init (sizeOf shape) (fun _ -> random.NextDouble() - 0.5))

let private product a b = Array.fold2 (fun sum p q -> sum + p * q) 0.0 a.Data b.Data

/// Values of the generated inputs, and of the vectors v and w by name.
let private withVectors seed (vectors: (string * Tensor) list) (s: Symbol) =
    match List.tryFind (fun (name, _) -> name = s.Name) vectors with
    | Some(_, t) -> t
    | None -> valuesWithin -1.0 1.0 seed s

/// A random function of shape `sizes` with one of the inputs it uses, both vectors drawn.
type private Case =
    { F: Expr
      X: Symbol
      Values: Symbol -> Tensor
      V: Expr * Tensor
      W: Expr * Tensor }

let private draw (seed: int) depth =
    let random = Random seed
    let f = generate random depth ([ []; [ 3 ]; [ 3; 3 ] ][random.Next 3])
    let symbols = inputs [ f ]

    let x =
        if symbols.IsEmpty then
            symbol "a3" [ 3 ]
        else
            symbols[random.Next symbols.Length]

    let v, w = tensorLike random (sizesOf x.Shape), tensorLike random (sizesOf f.Shape)

    { F = f
      X = x
      Values = withVectors seed [ "v", v; "w", w ]
      V = input { x with Name = "v" }, v
      W = variable "w" (List.ofArray w.Shape), w }

let private close tolerance (a: float) (b: float) (f: Expr) =
    Expect.isLessThan (distance (Tensor.scalar a) (Tensor.scalar b)) tolerance (Print.inlined f)

let private expandOne operator f x =
    Differentiate.expand [ DerivativeOperators.apply operator f x None ] |> List.head

let private propertyTests =
    [ testPropertyWithConfig widelySeeded "reverse mode against differences"
      <| fun (seed: int) ->
          let c = draw seed 4
          let g = Differentiate.vjp [ c.F, fst c.W ] [ input c.X ] |> List.head
          Expect.isEmpty (Validate.check [ g ]) "sound"

          close
              1e-6
              (product (evaluate c.Values g) (snd c.V))
              (product (snd c.W) (differenceAlong c.F c.Values c.X (snd c.V)))
              c.F
      testPropertyWithConfig widelySeeded "forward mode is the adjoint of reverse mode"
      <| fun (seed: int) ->
          let c = draw seed 5
          let forward = Differentiate.jvp [ c.F ] [ input c.X, fst c.V ] |> List.head
          let reverse = Differentiate.vjp [ c.F, fst c.W ] [ input c.X ] |> List.head
          Expect.isEmpty (Validate.check [ forward ]) "sound"

          close
              1e-10
              (product (evaluate c.Values forward) (snd c.W))
              (product (evaluate c.Values reverse) (snd c.V))
              c.F
      test "sums of products of more than two axes keep the axes that are not summed" {
          // Found by the property below, which then ended in an internal error.
          let c = draw 2086 5
          let jacobian = expandOne Jacobian c.F (input c.X)
          Expect.equal jacobian.Shape (c.F.Shape @ c.X.Shape) "shape"
      }
      testPropertyWithConfig widelySeeded "columns of the Jacobian are forward tangents"
      <| fun (seed: int) ->
          let c = draw seed 5
          let forward = Differentiate.jvp [ c.F ] [ input c.X, fst c.V ] |> List.head
          let jacobian = expandOne Jacobian c.F (input c.X)
          let axes = [| c.F.Shape.Length .. c.F.Shape.Length + c.X.Shape.Length - 1 |]

          let alongV =
              Tensor.contract axes [| 0 .. c.X.Shape.Length - 1 |] (evaluate c.Values jacobian) (snd c.V)

          Expect.isEmpty (Validate.check [ jacobian ]) "sound"
          Expect.isLessThan (distance alongV (evaluate c.Values forward)) 1e-10 (Print.inlined c.F)
      testPropertyWithConfig widelySeeded "the divergence is the trace of the Jacobian"
      <| fun (seed: int) ->
          let f = generate (Random seed) 4 [ 3 ]
          let x = variable "a3" [ 3 ]
          let values = valuesWithin -1.0 1.0 seed
          let jacobian = evaluate values (Differentiate.jacobian f x)
          let divergence = evaluate values (expandOne Divergence f x)

          Expect.isLessThan
              (distance (Tensor.sum [| 0 |] (Tensor.diagonal jacobian)) divergence)
              1e-10
              (Print.inlined f)
      testPropertyWithConfig widelySeeded "the Hessian is symmetric and the laplacian its trace"
      <| fun (seed: int) ->
          let f = generate (Random seed) 3 []
          let x = variable "a3" [ 3 ]
          let values = valuesWithin -1.0 1.0 seed
          let hessian = evaluate values (expandOne Hessian f x)
          Expect.isLessThan (distance hessian (Tensor.permute [| 1; 0 |] hessian)) 1e-9 (Print.inlined f)
          let laplacian = evaluate values (expandOne Laplacian f x)

          Expect.isLessThan
              (distance (Tensor.sum [| 0 |] (Tensor.diagonal hessian)) laplacian)
              1e-9
              (Print.inlined f) ]

let private w1, private w2 = variable "W1" [ 50; 2 ], variable "W2" [ 2; 50 ]
let private x = variable "x" [ 2 ]
let private network = matmul w2 (elementwise "tanh" [ matmul w1 x ])

let private simplify roots = Simplify.run roots
let private shown e = Print.inlined (simplify [ e ]).Head

let private formTests =
    [ test "the Jacobian of a network stays whole" {
          let j = expandOne Jacobian network x

          Expect.equal
              (Print.inlined j)
              "contract[1; 0](W2, broadcast[R[50, 2] along 0](1 - (tanh(contract[1; 0](W1, x)) ^ 2)) * W1)"
              "the form"
      }
      test "the trace of a network's Jacobian is a dot product with its weights" {
          let d = expandOne Divergence network x
          Expect.equal d.Shape [] "a scalar"

          Expect.equal
              (Print.inlined d)
              "contract[0; 0](sum[1](permute[1,0](W2) * W1), 1 - (tanh(contract[1; 0](W1, x)) ^ 2))"
              "nothing of x is a matrix"
      }
      test "a parameter's gradient is an outer product" {
          let w = variable "w" [ 2 ]

          match Differentiate.vjp [ network, w ] [ w2; w1; x ] |> simplify with
          | [ byW2; byW1; byX ] ->
              Expect.equal (Print.inlined byW2) "outer(w, tanh(contract[1; 0](W1, x)))" "W2"
              Expect.equal byW1.Op (Contract([], [])) "W1"
              Expect.equal byX.Op (Contract([ 0 ], [ 0 ])) "x: no transpose"
          | _ -> failtest "three gradients"
      }
      test "the derivative of a cube" {
          Expect.equal (shown (Differentiate.gradient (sumAll (pow x (number 3.0))) x)) "3 * (x ^ 2)" "3x^2"
      }
      test "the Jacobian of an elementwise function is diagonal" {
          Expect.equal
              (shown (Differentiate.jacobian (elementwise "sin" [ x ]) x))
              "diagonal_matrix(cos(x))"
              "diag"
      }
      test "positions of a vector come back as a stack" {
          let s = variable "s" [ 3 ]
          let at k = index 0 k s
          let f = add (mul (at 0) (at 1)) (square (at 2))
          Expect.equal (shown (Differentiate.gradient f s)) "[s[1], s[0], 2 * s[2]]" "a stack"
      } ]

let private operatorTests =
    let y = variable "y" []

    [ test "nested operators: the gradient of a squared gradient" {
          let f = pow y (number 3.0)
          let inner = DerivativeOperators.apply Gradient f y None
          let outer = DerivativeOperators.apply Gradient (square inner) y None
          // (3y^2)^2 = 9y^4, its derivative 36 y^3
          Expect.equal
              (evaluate (fun _ -> Tensor.scalar 2.0) (Differentiate.expand [ outer ]).Head)
              (Tensor.scalar 288.0)
              "36 y^3"
      }
      test "by an expression that simplification would swallow" {
          let u = neg y
          let f = add (variable "a" []) u

          Expect.equal
              (Differentiate.expand [ DerivativeOperators.apply Gradient f u None ])
              [ number 1.0 ]
              "d(a + u)/du"

          let scaled = scale 2.0 y

          Expect.equal
              (Differentiate.expand [ DerivativeOperators.apply Gradient (scale 3.0 scaled) scaled None ])
              [ number 3.0 ]
              "d(3u)/du, u = 2y"
      }
      test "by an operator's own result" {
          let u = DerivativeOperators.apply Gradient (pow y (number 3.0)) y None
          let f = square u
          // d(u^2)/du = 2u = 6y^2
          Expect.equal
              (evaluate
                  (fun _ -> Tensor.scalar 2.0)
                  (Differentiate.expand [ DerivativeOperators.apply Gradient f u None ]).Head)
              (Tensor.scalar 24.0)
              "2u"
      }
      test "what x is made of does not vary" {
          let u = square y
          let f = mul u y

          Expect.equal
              (Differentiate.expand [ DerivativeOperators.apply Gradient f u None ])
              [ y ]
              "y is constant beside u"
      }
      test "jvp and vjp of a linear map" {
          let a, p, v, w =
              variable "A" [ 2; 3 ], variable "p" [ 3 ], variable "v" [ 3 ], variable "w" [ 2 ]

          let expanded =
              Differentiate.expand
                  [ DerivativeOperators.apply Jvp (matmul a p) p (Some v)
                    DerivativeOperators.apply Vjp (matmul a p) p (Some w) ]

          Expect.equal
              (expanded |> List.map Print.inlined)
              [ "contract[1; 0](A, v)"; "contract[0; 0](A, w)" ]
              "A v and A^T w"
      }
      test "divergence and laplacian of a matrix variable" {
          let m = variable "M" [ 2; 3 ]
          let values = valuesWithin -1.0 1.0 3
          let entries = evaluate values m
          let expected = entries.Data |> Array.sumBy (fun x -> 3.0 * x * x)
          let divergence = evaluate values (expandOne Divergence (pow m (number 3.0)) m)
          Expect.isLessThan (distance divergence (Tensor.scalar expected)) 1e-13 "div M^3"
          let laplacian = evaluate values (expandOne Laplacian (sumAll (pow m (number 4.0))) m)
          Expect.isLessThan (distance laplacian (Tensor.scalar (4.0 * expected))) 1e-13 "laplacian of sum M^4"
      }
      test "an open size" {
          let n = Dim.variable "n"
          let z = input { Name = "z"; Role = State; Shape = [ n ] }
          let d = expandOne Divergence (elementwise "sin" [ z ]) z

          let value =
              DiffEqLang.Compiler.Evaluate.run
                  (fun _ -> Tensor.vector [ 0.0; Math.PI ])
                  (Map.ofList [ "n", 2L ])
                  [ d ]

          Expect.isLessThan (distance value.Head (Tensor.scalar 0.0)) 1e-15 "cos 0 + cos pi"
          let linear = expandOne Divergence (scale 3.0 z) z

          let value =
              DiffEqLang.Compiler.Evaluate.run
                  (fun _ -> Tensor.vector [ 0.0; 0.0 ])
                  (Map.ofList [ "n", 2L ])
                  [ linear ]

          Expect.equal value [ Tensor.scalar 6.0 ] "3n"
      } ]

let private sizeOfVjp depth (step: Expr -> Expr) =
    let f = Seq.fold (fun e _ -> step e) (variable "x" [ 3 ]) (seq { 1..depth })
    let g = Differentiate.vjp [ f, variable "w" [ 3 ] ] [ variable "x" [ 3 ] ]
    List.length (topological (f :: g))

let private sizeTests =
    [ for name, step in
          [ "tanh(A @ e)", (fun e -> elementwise "tanh" [ matmul (variable "A" [ 3; 3 ]) e ])
            "e * sin(e)", (fun e -> mul e (elementwise "sin" [ e ]))
            "e[0] * e / (1 + e^2)", (fun e -> div (mul (index 0 0 e) e) (add (number 1.0) (square e))) ] do
          test (sprintf "a chain of %s has a gradient of its own size" name) {
              let small, large = sizeOfVjp 100 step, sizeOfVjp 1000 step
              Expect.isLessThan (float large) (10.5 * float small) "linear"
              Expect.isLessThan large (1000 * 30) "with a small factor"
          }
      test "a chain 20,000 deep, many inputs" {
          let xs = [ for k in 1..2000 -> variable (sprintf "x%d" k) [] ]

          let f =
              Seq.fold (fun e k -> elementwise "sin" [ add e xs[k % 2000] ]) (number 0.0) (seq { 1..20000 })

          Expect.equal (Differentiate.vjp [ f, number 1.0 ] xs).Length 2000 "gradients"
      } ]

let private interpreterTests =
    let t = ofArray [| 2; 3 |] [| 1.0; 2.0; 3.0; 4.0; 5.0; 6.0 |]
    let m = variable "m" [ 2; 3 ]
    let is name e expected = test name { Expect.equal (evaluate (fun _ -> t) e) expected "the value" }
    let two = Dim.constant 2L

    [ is "permute" (transpose m) (ofArray [| 3; 2 |] [| 1.0; 4.0; 2.0; 5.0; 3.0; 6.0 |])
      is "index" (index 1 2 m) (vector [ 3.0; 6.0 ])
      is "slice" (slice 1 Dim.one (Dim.constant 3L) m) (ofArray [| 2; 2 |] [| 2.0; 3.0; 5.0; 6.0 |])
      is
          "pad"
          (pad 0 Dim.one (Dim.constant 3L) (index 0 0 m |> unsqueeze 0))
          (ofArray [| 3; 3 |] [| 0.0; 0.0; 0.0; 1.0; 2.0; 3.0; 0.0; 0.0; 0.0 |])
      is
          "broadcast"
          (broadcast (shapeOf [ 2; 2 ]) [ 0 ] (index 1 0 m))
          (ofArray [| 2; 2 |] [| 1.0; 1.0; 4.0; 4.0 |])
      is "contract" (Build.contract [ 1 ] [ 1 ] m m) (ofArray [| 2; 2 |] [| 14.0; 32.0; 32.0; 77.0 |])
      is "outer" (outer (index 1 0 m) (index 1 1 m)) (ofArray [| 2; 2 |] [| 2.0; 5.0; 8.0; 20.0 |])
      is "sum" (Build.sum [ 0 ] m) (vector [ 5.0; 7.0; 9.0 ])
      is "max" (Build.max [ 1 ] m) (vector [ 3.0; 6.0 ])
      is "stack" (stack [ index 0 1 m; index 0 0 m ]) (ofArray [| 2; 3 |] [| 4.0; 5.0; 6.0; 1.0; 2.0; 3.0 |])
      is "concat" (concat [ index 1 0 m; index 0 0 (index 1 2 m) ]) (vector [ 1.0; 4.0; 3.0 ])
      is "reshape" (reshape (shapeOf [ 3; 2 ]) m) (ofArray [| 3; 2 |] t.Data)
      is "diagonal" (Build.diagonal (slice 1 Dim.zero two m)) (vector [ 1.0; 5.0 ])
      is "diagonal matrix" (Build.diagonalMatrix (index 1 0 m)) (ofArray [| 2; 2 |] [| 1.0; 0.0; 0.0; 4.0 |])
      is
          "select"
          (select (compare Greater m (number 3.0)) m (neg m))
          (ofArray [| 2; 3 |] [| -1.0; -2.0; -3.0; 4.0; 5.0; 6.0 |])
      is
          "and, or, not"
          (select
              (logicalAnd
                  (logicalNot (compare Less m (number 2.0)))
                  (logicalOr (compare Less m (number 3.0)) (compare Equal m (number 6.0))))
              (ones m.Shape)
              (number 0.0))
          (ofArray [| 2; 3 |] [| 0.0; 1.0; 0.0; 0.0; 0.0; 1.0 |]) ]

let private validationTests =
    [ test "a wrong shape is found" {
          Expect.isNonEmpty
              (Validate.check [ make Add [ variable "p" [ 2 ]; variable "q" [ 3 ] ] (shapeOf [ 2 ]) false ])
              "2 and 3"
      }
      test "a wrong note of a shape is found" {
          Expect.isNonEmpty
              (Validate.check [ make Negate [ variable "p" [ 2 ] ] (shapeOf [ 3 ]) false ])
              "noted 3"
      }
      test "an axis out of range is found" {
          Expect.isNonEmpty
              (Validate.check [ make (Reduce(Sum, [ 1 ])) [ variable "p" [ 2 ] ] [] false ])
              "axis 1"
      }
      test "a position out of range is found" {
          Expect.isNonEmpty
              (Validate.check [ make (Index(0, 2)) [ variable "p" [ 2 ] ] [] false ])
              "position 2"
      }
      test "the printed form numbers its lines" {
          let e = add (variable "p" [ 2 ]) (number 1.0)

          Expect.equal
              (Print.program [ "f", e ])
              "%1 = p : R[2]\n%2 = 1 : R\n%3 = %1 + %2 : R[2]\nf: %3\n"
              "the dump"
      } ]

let tests =
    testList
        "Differentiate"
        [ testList "properties" propertyTests
          testList "forms" formTests
          testList "operators" operatorTests
          testList "size" sizeTests
          testList "interpreter" interpreterTests
          testList "validation" validationTests ]
