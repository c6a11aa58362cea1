module DiffEqLang.Tests.Compiler.NoiseStructureTests

open System
open Expecto
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Dim
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Build
open DiffEqLang.Compiler.Ir.Dynamics
open DiffEqLang.Compiler.Passes
open DiffEqLang.Compiler.Passes.NoiseStructure
open DiffEqLang.Tests.Support.RandomExpr

let private state name sizes = symbol name sizes
let private increment name sizes : Symbol = { Name = name; Role = Increment; Shape = shapeOf sizes }

let private diffusion components increments : Diffusion =
    { Components = components
      Increments = increments |> List.map (fun i -> i, None) }

let private parameter name sizes = input { symbol name sizes with Role = Parameter }
let private sin' e = elementwise "sin" [ e ]
let private cos' e = elementwise "cos" [ e ]
let private x, private dW = state "x" [], increment "dW" []
let private xs, private dWs = state "xs" [ 2 ], increment "dWs" [ 2 ]
let private dW1, private dW2 = increment "dW1" [], increment "dW2" []
let private at k (s: Symbol) = index 0 k (input s)

/// dX = 0.87 X sum(dW): four commuting noises (case 44 of the peers).
let private commuting () =
    let dW4 = increment "dW4" [ 4 ]
    diffusion [ xs, mul (scale 0.87 (input xs)) (sumAll (input dW4)) ] [ dW4 ]

/// Columns sin x1 c, cos x1 c, sin x2 s, cos x2 s (case 45 of the peers): truly non-commutative.
let private turning () =
    let dW4 = increment "dW4" [ 4 ]
    let c = stack [ number (cos 0.5); number (sin 0.5) ]
    let s = stack [ number -(sin 0.5); number (cos 0.5) ]
    let x1, x2 = at 0 xs, at 1 xs
    let columns = stack [ mul (sin' x1) c; mul (cos' x1) c; mul (sin' x2) s; mul (cos' x2) s ]
    diffusion [ xs, matmul (transpose columns) (input dW4) ] [ dW4 ]

let private geometric () = diffusion [ x, mul (parameter "sigma" []) (mul (input x) (input dW)) ] [ dW ]
let private diagonalNoise () = diffusion [ xs, mul (sin' (input xs)) (input dWs) ] [ dWs ]

/// Two constant commuting matrices times the state: A1 A2 = A2 A1 where both are functions of one.
let private linearNoise (a1: Expr) (a2: Expr) =
    diffusion
        [ xs, add (mul (matmul a1 (input xs)) (input dW1)) (mul (matmul a2 (input xs)) (input dW2)) ]
        [ dW1; dW2 ]

let private structureTests =
    let is name expected (d: unit -> Diffusion) =
        test name {
            let structure, reason = analyse (d ())
            Expect.equal structure expected reason
            Expect.isNotEmpty reason "a reason"
        }

    let a () = parameter "A" [ 2; 2 ]

    [ is "geometric Brownian motion" Diagonal geometric
      is "Ornstein-Uhlenbeck" Additive (fun () ->
          diffusion [ x, mul (parameter "sigma" []) (input dW) ] [ dW ])
      is "a matrix that does not depend on the state" Additive (fun () ->
          diffusion [ xs, matmul (a ()) (input dWs) ] [ dWs ])
      is "elementwise noise" Diagonal diagonalNoise
      is "a stack of elements, each with its own" Diagonal (fun () ->
          diffusion [ xs, stack [ mul (sin' (at 0 xs)) (at 0 dWs); mul (at 1 xs) (at 1 dWs) ] ] [ dWs ])
      is "two scalar states with their own noises" Diagonal (fun () ->
          diffusion
              [ x, mul (input x) (input dW1)
                state "y" [], mul (square (input (state "y" []))) (input dW2) ]
              [ dW1; dW2 ])
      is "one noise for two elements" Scalar (fun () ->
          diffusion [ xs, mul (sin' (input xs)) (input dW) ] [ dW ])
      is "crossed elements are not diagonal" General (fun () ->
          diffusion [ xs, stack [ mul (at 1 xs) (at 0 dWs); mul (at 0 xs) (at 1 dWs) ] ] [ dWs ])
      is "a common factor of all elements" General (fun () ->
          diffusion [ xs, mul (sumAll (input xs)) (input dWs) ] [ dWs ])
      is "four commuting noises" Commutative commuting
      is "turning columns" General turning
      is "a matrix and its square commute" Commutative (fun () -> linearNoise (a ()) (matmul (a ()) (a ())))
      is "a matrix and another one do not" General (fun () -> linearNoise (a ()) (parameter "B" [ 2; 2 ]))
      is "a state without noise beside diagonal noise" Commutative (fun () ->
          diffusion [ xs, mul (input xs) (input dWs); state "kl" [], number 0.0 ] [ dWs ])
      is "an open size" Commutative (fun () ->
          let z: Symbol = { Name = "z"; Role = State; Shape = [ Dim.variable "n" ] }
          let dZ = increment "dZ" [ 3 ]
          diffusion [ z, mul (input z) (sumAll (input dZ)) ] [ dZ ])
      test "correlated increments are not diagonal" {
          let correlated = { diagonalNoise () with Increments = [ dWs, Some(parameter "C" [ 2; 2 ]) ] }
          Expect.equal (fst (analyse correlated)) Commutative "diagonal noise, mixed"
      } ]

/// L^i g^j by differences of the columns g^j at a point, for one packed state vector.
let private operatorProducts (d: Diffusion) (values: Symbol -> Tensor.Tensor) =
    let (state, g), (increment, _) = d.Components.Head, d.Increments.Head
    let m = (sizesOf increment.Shape |> Tensor.sizeOf)

    let unit j =
        Tensor.ofArray (sizesOf increment.Shape) (Array.init m (fun k -> if k = j then 1.0 else 0.0))

    let withNoise j (s: Symbol) = if s = increment then unit j else values s
    let column j = evaluate (withNoise j) g
    fun i j -> differenceAlong g (withNoise j) state (column i)

let private correctionTests =
    let agrees name (build: unit -> Diffusion) covariance =
        test name {
            let d = build ()
            let values = valuesWithin -1.0 1.0 11
            let m = sizesOf (fst d.Increments.Head).Shape |> Tensor.sizeOf
            let products = operatorProducts d values

            let half weight =
                Seq.allPairs (seq { 0 .. m - 1 }) (seq { 0 .. m - 1 })
                |> Seq.map (fun (i, j) -> Tensor.map ((*) (0.5 * weight i j)) (products i j))
                |> Seq.reduce (Tensor.map2 (+))

            let ito = NoiseStructure.itoCorrection d |> List.head
            Expect.isLessThan (distance (evaluate values ito) (half covariance)) 1e-8 "Ito correction"
            let increments = values (fst d.Increments.Head)
            let milstein = NoiseStructure.milstein d |> List.head
            let both i j = increments.Data[i] * increments.Data[j]
            Expect.isLessThan (distance (evaluate values milstein) (half both)) 1e-8 "Milstein"
            Expect.isEmpty (Validate.check [ ito; milstein ]) "sound"
        }

    let unit i j = if i = j then 1.0 else 0.0

    [ agrees "geometric Brownian motion" geometric unit
      agrees "diagonal noise" diagonalNoise unit
      agrees "commuting noises" commuting unit
      agrees "turning columns" turning unit
      test "of geometric Brownian motion it is half sigma squared x" {
          let values (s: Symbol) = Tensor.scalar (if s.Name = "sigma" then 0.5 else 3.0)

          Expect.equal
              (evaluate values (itoCorrection (geometric ())).Head)
              (Tensor.scalar (0.5 * 0.25 * 3.0))
              "the value"
      }
      test "of additive noise it is nothing" {
          Expect.isTrue
              (itoCorrection (diffusion [ xs, matmul (parameter "A" [ 2; 2 ]) (input dWs) ] [ dWs ])
               |> List.forall isZero)
              "zero"
      }
      test "of diagonal noise it is elementwise" {
          Expect.equal
              (itoCorrection (diagonalNoise ()) |> List.map Print.inlined)
              [ "0.5 * (cos(xs) * sin(xs))" ]
              "half g g'"
      }
      test "correlated increments weigh the products" {
          let c = parameter "C" [ 2; 2 ]
          let correlated = { diagonalNoise () with Increments = [ dWs, Some c ] }
          let values = valuesWithin -1.0 1.0 5
          let covariance = evaluate values c
          let products = operatorProducts (diagonalNoise ()) values

          let expected =
              Seq.allPairs (seq { 0..1 }) (seq { 0..1 })
              |> Seq.map (fun (i, j) -> Tensor.map ((*) (0.5 * covariance.Data[2 * i + j])) (products i j))
              |> Seq.reduce (Tensor.map2 (+))

          Expect.isLessThan
              (distance (evaluate values (itoCorrection correlated).Head) expected)
              1e-8
              "C_ij L^i g^j"
      }
      test "several Wiener processes add" {
          let a = parameter "A" [ 2; 2 ]
          let d = linearNoise a (matmul a a)
          let values = valuesWithin -1.0 1.0 5
          let m, v = evaluate values a, evaluate values (input xs)
          let times p q = Tensor.contract [| 1 |] [| 0 |] p q
          let second = times m (times m v)
          let expected = Tensor.map2 (fun p q -> 0.5 * (p + q)) second (times m (times m second))

          Expect.isLessThan
              (distance (evaluate values (itoCorrection d).Head) expected)
              1e-12
              "(A^2 + A^4) x / 2"
      } ]

let private proofTests =
    let a, b, p, q =
        variable "A" [ 3; 3 ], variable "B" [ 3; 3 ], variable "p" [ 3 ], variable "q" [ 3 ]

    let zero name e expected =
        test name { Expect.equal (TensorPolynomial.isZero e) expected (Print.inlined e) }

    [ zero "products commute" (sub (mul p q) (mul q p)) true
      zero "brackets open" (sub (mul (add p q) (sub p q)) (sub (square p) (square q))) true
      zero "a matrix product is associative" (sub (matmul (matmul a b) p) (matmul a (matmul b p))) true
      zero "matrix products do not commute" (sub (matmul a b) (matmul b a)) false
      zero "a transposed product" (sub (transpose (matmul a b)) (matmul (transpose b) (transpose a))) true
      zero "a trace is cyclic" (sub (trace (matmul a b)) (trace (matmul b a))) true
      zero "a stack of positions" (sub p (stack [ index 0 0 p; index 0 1 p; index 0 2 p ])) false
      zero
          "a stack, position by position"
          (sub (index 0 1 (stack [ index 0 0 p; index 0 1 p; index 0 2 p ])) (index 0 1 p))
          true
      zero
          "the sum of a repeated scalar"
          (sub (sumAll (broadcast p.Shape [] (variable "s" []))) (scale 3.0 (variable "s" [])))
          true
      zero "diagonal matrices" (sub (matmul (diagonalMatrix p) q) (mul p q)) true
      zero "functions are entries" (sub (mul (sin' p) q) (mul q (cos' p))) false ]

let private linearityTests =
    let open' = input dW
    let dt = input { Name = "dt"; Role = Step; Shape = [] }
    let chosen (s: Symbol) = s.Role = Increment || s.Role = Step
    let is name e expected = test name { Expect.equal (Linearity.degree chosen e) expected (Print.inlined e) }

    [ is "drift and diffusion" (add (mul (input x) dt) (mul (sin' (input x)) open')) (Linearity.Homogeneous 1)
      is "a term without differential" (add (input x) open') Linearity.Mixed
      is "a product of differentials" (mul dt open') (Linearity.Homogeneous 2)
      is "a differential inside a function" (sin' open') Linearity.Mixed
      is "division by a differential" (div (input x) open') Linearity.Mixed
      is "no differential" (sin' (input x)) (Linearity.Homogeneous 0)
      is "zero is of every degree" (number 0.0) Linearity.Vanishing
      is "zero beside one" (stack [ number 0.0; open' ]) (Linearity.Homogeneous 1)
      test "the part that carries one differential" {
          let e = add (mul (input x) dt) (mul (sin' (input x)) open')

          Expect.equal
              (Linearity.part chosen (fun s -> s = dW) e)
              (mul (sin' (input x)) open')
              "the diffusion"
      } ]

let tests =
    testList
        "NoiseStructure"
        [ testList "structure" structureTests
          testList "corrections" correctionTests
          testList "proofs" proofTests
          testList "linearity" linearityTests ]
