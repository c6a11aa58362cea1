module DiffEqLang.Tests.Compiler.SimplifyTests

open System
open Expecto
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Dim
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Build
open DiffEqLang.Compiler.Builtins
open DiffEqLang.Compiler.Passes
open DiffEqLang.Tests.Support.RandomExpr

let private simplify e = Simplify.run [ e ] |> List.head
let private shown e = Print.inlined (simplify e)
let private x = variable "x" [ 3 ]
let private y = variable "y" [ 3 ]
let private s = variable "s" []
let private a = variable "A" [ 3; 3 ]

let private sameValue (e: Expr) (simpler: Expr) =
    for seed in 1..5 do
        let values = valuesWithin -2.0 2.0 seed
        Expect.isLessThan (distance (evaluate values e) (evaluate values simpler)) 1e-12 (Print.inlined e)

let private ruleTests =
    [ for rule in Simplify.rules do
          test (sprintf "%s fires and keeps the value" rule.Name) {
              let example = rule.Example()

              match rule.Apply example with
              | None -> failtestf "The rule does not fire on %s." (Print.inlined example)
              | Some result ->
                  Expect.notEqual result example "something changes"
                  Expect.equal result.Shape example.Shape "the shape stays"
                  Expect.isEmpty (Validate.check [ result ]) "sound"
                  sameValue example result
          } ]

let private becomes name (e: Expr) expected = test name { Expect.equal (shown e) expected "simplified" }

let private formTests =
    [ becomes "numbers gather" (mul (scale 2.0 x) (scale 3.0 y)) "6 * (x * y)"
      becomes "like terms" (add (scale 2.0 x) (scale 3.0 x)) "5 * x"
      becomes "commuted products cancel" (sub (mul x y) (mul y x)) "broadcast[R[3] along ](0)"
      becomes "x*x" (mul x x) "x ^ 2"
      becomes "a - (-b)" (sub x (neg y)) "x + y"
      becomes "-a + b" (add (neg x) y) "y - x"
      becomes "(-a)*(-b)" (mul (neg x) (neg y)) "x * y"
      becomes "x/x stays" (div x x) "x / x"
      becomes "sqrt(x)^2 stays" (square (elementwise "sqrt" [ x ])) "sqrt(x) ^ 2"
      becomes "x * x^-1 stays" (mul x (pow x (number -1.0))) "x * (x ^ -1)"
      becomes "1 - tanh^2 stays" (sub (number 1.0) (square (elementwise "tanh" [ x ]))) "1 - (tanh(x) ^ 2)"
      becomes "a transpose is absorbed" (matmul (transpose a) x) "contract[0; 0](A, x)"
      becomes "trace of a product" (trace (matmul a a)) "contract[0,1; 1,0](A, A)"
      becomes "diag(x) @ y" (matmul (diagonalMatrix x) y) "x * y"
      becomes "diagonal of a sum" (diagonal (add (diagonalMatrix x) a)) "x + diagonal(A)"
      becomes "sum of a repeated scalar" (sumAll (broadcast x.Shape [] s)) "3 * s"
      becomes "parts of a concatenation" (slice 0 Dim.one (Dim.constant 4L) (concat [ s; x ])) "x" ]

/// An open size must not loop: the sum of ones is how its length is written.
let private openDimTest =
    test "sums over an open size" {
        let n = Dim.variable "n"
        let v = input { Name = "v"; Role = State; Shape = [ n ] }
        let e = sumAll (mul (number 2.0) (add v (broadcast [ n ] [] s)))

        let values (symbol: Symbol) =
            if symbol.Name = "s" then Tensor.scalar 3.0 else Tensor.vector [ 1.0; 2.0 ]

        let value root =
            DiffEqLang.Compiler.Evaluate.run values (Map.ofList [ "n", 2L ]) [ root ] |> List.head

        Expect.equal (value (simplify e)).Data[0] 18.0 "the value"
        Expect.equal (value (simplify (sumAll (broadcast [ n ] [] s)))).Data[0] 6.0 "the length"
    }

let private propertyTests =
    [ testPropertyWithConfig widelySeeded "random expressions keep their value"
      <| fun (seed: int) ->
          let random = Random seed
          let e = generate random 5 ([ []; [ 3 ]; [ 3; 3 ] ][random.Next 3])
          let simpler = simplify e
          let values = valuesWithin -1.0 1.0 seed
          Expect.isEmpty (Validate.check [ simpler ]) "sound"
          Expect.isLessThan (distance (evaluate values e) (evaluate values simpler)) 1e-9 (Print.inlined e)
      testPropertyWithConfig widelySeeded "simplifying twice changes nothing"
      <| fun (seed: int) ->
          let once = simplify (generate (Random seed) 5 [ 3 ])
          Expect.equal (simplify once) once "a fixpoint" ]

let private depthTest =
    test "a sum of 20,000 terms and a chain as deep" {
        let deep =
            Seq.fold (fun e k -> add e (elementwise "sin" [ scale (float k) x ])) x (seq { 2..20000 })

        let nested = Seq.fold (fun e _ -> elementwise "sin" [ scale 2.0 e ]) x (seq { 2..20000 })
        Expect.isGreaterThan (topological (Simplify.run [ deep; nested ])).Length 20000 "still there"
    }

let tests =
    testList
        "Simplify"
        [ testList "rules" ruleTests
          testList "forms" (openDimTest :: formTests)
          testList "properties" (depthTest :: propertyTests) ]
