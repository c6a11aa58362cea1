module DiffEqLang.Tests.Compiler.BuiltinTests

open System
open Expecto
open DiffEqLang.Compiler
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Tensor
open DiffEqLang.Compiler.Builtins
open DiffEqLang.Compiler.Builtins.Builtin
open DiffEqLang.Compiler.Passes
open DiffEqLang.Tests.Support.RandomExpr

let private close tolerance actual expected message =
    Expect.isLessThan (distance actual expected) tolerance message

let private call name attributes (operands: Tensor list) =
    let symbols =
        operands |> List.mapi (fun i t -> symbol (sprintf "o%d" i) (List.ofArray t.Shape))

    let values (s: Symbol) = operands[int (s.Name.Substring 1)]
    evaluate values (Catalogue.call name attributes (List.map Build.input symbols))

let private number name x = (call name [] [ scalar x ]).Data[0]

/// One case of samples: the operands' symbols, their values, and the call.
let private caseOf (builtin: Builtin) (samples: Sample list) attributes =
    let random = Random 20
    let symbols = samples |> List.mapi (fun i s -> symbol (sprintf "o%d" i) s.Shape)
    let drawn = samples |> List.map (draw random)
    let values (s: Symbol) = drawn[List.findIndex ((=) s) symbols]
    symbols, values, Catalogue.call builtin.Name attributes (List.map Build.input symbols)

let private attributesOf (builtin: Builtin) (samples: Sample list) =
    if builtin.TakesAxis && samples.Length = 1 then
        [] :: [ for axis in -1 .. samples.Head.Shape.Length - 1 -> [ axis ] ]
    else
        [ [] ]

let private random = Random 7

let private randomLike (shape: int[]) =
    ofArray shape (Array.init (sizeOf shape) (fun _ -> random.NextDouble() - 0.5))

/// Forward and reverse against central differences, along random directions, for every operand.
let private derivativesAgree symbols (values: Symbol -> Tensor) (f: Expr) =
    let weight = symbol "w" (List.ofArray (sizesOf f.Shape))
    let w = lock random (fun () -> randomLike (sizesOf f.Shape))
    let reverse = Differentiate.vjp [ f, Build.input weight ] (List.map Build.input symbols)
    let withWeight (s: Symbol) = if s = weight then w else values s

    for x, cotangent in List.zip symbols reverse do
        let v = lock random (fun () -> randomLike (sizesOf x.Shape))
        let direction = symbol "v" (List.ofArray v.Shape)
        let all (s: Symbol) = if s = direction then v else withWeight s
        let difference = differenceAlong f values x v
        let forward = Differentiate.jvp [ f ] [ Build.input x, Build.input direction ] |> List.head
        let product a b = Array.fold2 (fun sum p q -> sum + p * q) 0.0 a.Data b.Data
        let expected = product w difference
        close 1e-8 (evaluate all forward) difference (sprintf "forward by %s" x.Name)

        close
            1e-8
            (scalar (product (evaluate withWeight cotangent) v))
            (scalar expected)
            (sprintf "reverse by %s" x.Name)

        let columns = evaluate values (Differentiate.jacobian f (Build.input x))
        let axes = [| f.Shape.Length .. columns.Shape.Length - 1 |]

        close
            1e-8
            (contract axes [| 0 .. rank v - 1 |] columns v)
            difference
            (sprintf "Jacobian by %s" x.Name)

        Expect.isEmpty (Validate.check [ forward; cotangent ]) "sound"

let private derivativeTests =
    [ for builtin in Catalogue.all do
          for k, samples in List.indexed builtin.Samples do
              for attributes in attributesOf builtin samples do
                  test (sprintf "%s %d %A" builtin.Name k attributes) {
                      let symbols, values, f = caseOf builtin samples attributes
                      derivativesAgree symbols values f
                  } ]

/// Second derivatives: the gradient of each function is itself differentiated.
let private secondDerivativeTests =
    [ for builtin in Catalogue.all do
          test (builtin.Name + " twice") {
              let symbols, values, f = caseOf builtin builtin.Samples.Head []
              let first = Differentiate.gradient (Build.sumAll (Build.square f)) (Build.input symbols.Head)
              derivativesAgree symbols values first
          } ]

let private shapeTests =
    [ for builtin in Catalogue.all do
          for k, samples in List.indexed builtin.Samples do
              test (sprintf "%s %d has the shape it announces" builtin.Name k) {
                  for attributes in attributesOf builtin samples do
                      let _, values, f = caseOf builtin samples attributes

                      let announced =
                          builtin.Shape attributes (samples |> List.map (fun s -> shapeOf s.Shape))

                      Expect.equal announced (Ok f.Shape) "of the rule"
                      Expect.equal (evaluate values f).Shape (sizesOf f.Shape) "of the value"
                      Expect.isEmpty (Validate.check [ f ]) "sound"
              } ]

let private valueTests =
    let is name x expected =
        test (sprintf "%s(%g) = %g" name x expected) {
            Expect.isLessThan (distance (scalar (number name x)) (scalar expected)) 1e-15 "the value"
        }

    [ is "erf" 0.5 0.5204998778130465
      is "erf" -2.0 -0.9953222650189527
      is "erf" 3.0 0.9999779095030014
      is "erf" 4.0 0.9999999845827421
      is "erf" 7.0 1.0
      is "log1p" 1e-10 9.9999999995e-11
      is "log1p" -1.0 -infinity
      is "expm1" 1e-10 1.00000000005e-10
      is "expm1" -800.0 -1.0
      is "expm1" 800.0 infinity
      is "softplus" 800.0 800.0
      is "softplus" -800.0 0.0
      is "sigmoid" -800.0 0.0
      is "gelu" 1.0 0.8413447460685429
      is "silu" 1.0 0.7310585786300049
      is "elu" -1.0 -0.6321205588285577
      is "leaky_relu" -2.0 -0.02
      is "relu" nan nan
      is "sign" -0.3 -1.0
      is "floor" -0.3 -1.0
      is "sqrt" -1.0 nan
      test "softmax does not overflow" {
          close 1e-15 (call "softmax" [] [ vector [ 1000.0; 1000.0 ] ]) (vector [ 0.5; 0.5 ]) "softmax"

          close
              1e-15
              (call "logsumexp" [] [ vector [ 1000.0; 1000.0 ] ])
              (scalar (1000.0 + log 2.0))
              "logsumexp"
      }
      test "logsumexp of minus infinities" {
          Expect.equal (call "logsumexp" [] [ vector [ -infinity; -infinity ] ]).Data[0] -infinity "the value"
      }
      test "linear algebra by hand" {
          let a = ofArray [| 2; 2 |] [| 0.0; 2.0; 3.0; 1.0 |]
          close 1e-15 (call "det" [] [ a ]) (scalar -6.0) "det, with a pivot"
          close 1e-15 (call "solve" [] [ a; vector [ 4.0; 5.0 ] ]) (vector [ 1.0; 2.0 ]) "solve"
          close 1e-15 (call "inv" [] [ a ]) (ofArray [| 2; 2 |] [| -1.0 / 6.0; 1.0 / 3.0; 0.5; 0.0 |]) "inv"
          let spd = ofArray [| 2; 2 |] [| 4.0; 2.0; 2.0; 5.0 |]
          close 1e-15 (call "cholesky" [] [ spd ]) (ofArray [| 2; 2 |] [| 2.0; 0.0; 1.0; 2.0 |]) "cholesky"
          close 1e-15 (call "norm" [] [ vector [ 3.0; 4.0 ] ]) (scalar 5.0) "norm"
          close 1e-15 (call "trace" [] [ spd ]) (scalar 9.0) "trace"

          Expect.equal
              (call "det" [] [ ofArray [| 2; 2 |] [| 1.0; 2.0; 2.0; 4.0 |] ]).Data[0]
              0.0
              "det of a singular matrix"
      }
      test "reductions along an axis" {
          let a = ofArray [| 2; 3 |] [| 1.0; 2.0; 3.0; 4.0; 5.0; 6.0 |]
          close 1e-15 (call "sum" [ 0 ] [ a ]) (vector [ 5.0; 7.0; 9.0 ]) "sum"
          close 1e-15 (call "mean" [ -1 ] [ a ]) (vector [ 2.0; 5.0 ]) "mean"
          close 1e-15 (call "max" [] [ a ]) (scalar 6.0) "max"
          close 1e-15 (call "min" [ 1 ] [ a ]) (vector [ 1.0; 4.0 ]) "min"
          close 1e-15 (call "prod" [ 1 ] [ a ]) (vector [ 6.0; 120.0 ]) "prod"

          close
              1e-15
              (call "max" [] [ a; scalar 3.5 ])
              (ofArray [| 2; 3 |] [| 3.5; 3.5; 3.5; 4.0; 5.0; 6.0 |])
              "max of two"
      } ]

/// The derivative of a function of one element, at a point.
let private slope name (x: float) =
    let s = symbol "x" []

    evaluate
        (fun _ -> scalar x)
        (Differentiate.gradient (Catalogue.call name [] [ Build.input s ]) (Build.input s))

let private gradientAt (f: Expr -> Expr) (x: Tensor) =
    let s = symbol "x" (List.ofArray x.Shape)
    evaluate (fun _ -> x) (Differentiate.gradient (f (Build.input s)) (Build.input s))

let private edgeTests =
    [ test "slopes at kinks are PyTorch's" {
          Expect.equal (slope "abs" 0.0).Data[0] 0.0 "abs"
          Expect.equal (slope "relu" 0.0).Data[0] 0.0 "relu"
          Expect.equal (slope "sqrt" 0.0).Data[0] infinity "sqrt"
          Expect.equal (slope "leaky_relu" 0.0).Data[0] 0.01 "leaky_relu"
          Expect.equal (slope "sign" 0.0).Data[0] 0.0 "sign"
      }
      test "ties share evenly" {
          Expect.equal
              (gradientAt (Build.max [ 0 ]) (vector [ 1.0; 2.0; 2.0 ]))
              (vector [ 0.0; 0.5; 0.5 ])
              "max"

          let ofTwo x = Build.sumAll (Catalogue.call "minimum" [] [ x; Build.number 1.0 ])
          Expect.equal (gradientAt ofTwo (vector [ 0.0; 1.0; 2.0 ])) (vector [ 1.0; 0.5; 0.0 ]) "minimum"
      }
      test "the norm's gradient at 0 is 0" {
          Expect.equal
              (gradientAt (fun x -> Catalogue.call "norm" [] [ x ]) (vector [ 0.0; 0.0 ]))
              (vector [ 0.0; 0.0 ])
              "norm"
      }
      test "a product's gradient is exact at zeros" {
          Expect.equal
              (gradientAt (Build.prod [ 0 ]) (vector [ 0.0; 2.0; 3.0 ]))
              (vector [ 6.0; 0.0; 0.0 ])
              "one zero"

          Expect.equal
              (gradientAt (Build.prod [ 0 ]) (vector [ 0.0; 0.0; 3.0 ]))
              (vector [ 0.0; 0.0; 0.0 ])
              "two zeros"
      }
      test "powers of negative and zero bases" {
          let power n x = Build.sumAll (Build.pow x (Build.number n))
          Expect.equal (gradientAt (power 3.0) (vector [ -2.0; 0.0 ])) (vector [ 12.0; 0.0 ]) "cube"
          Expect.equal (gradientAt (power 2.0) (vector [ -2.0; 0.0 ])) (vector [ -4.0; 0.0 ]) "square"
          Expect.equal (gradientAt (power 0.0) (vector [ -2.0; 0.0 ])) (vector [ 0.0; 0.0 ]) "x^0"
      }
      test "a varying exponent at base 0" {
          let x, p = variable "x" [], variable "p" []
          let f = Build.pow x p
          let at (s: Symbol) = scalar (if s.Name = "x" then 0.0 else 2.0)
          Expect.equal (evaluate at (Differentiate.gradient f p)).Data[0] 0.0 "by p"

          Expect.equal
              (evaluate (fun _ -> scalar 0.0) (Differentiate.gradient f x)).Data[0]
              0.0
              "by x where p is 0"

          Expect.equal (evaluate (fun _ -> scalar 0.0) f).Data[0] 1.0 "0^0"
      } ]

let private shapeErrorTests =
    let refuses name attributes shapes =
        test (sprintf "%s refuses %A %A" name attributes shapes) {
            let builtin = (Catalogue.tryFind name).Value
            Expect.isError (builtin.Shape attributes (shapes |> List.map shapeOf)) "an error for the user"
        }

    [ refuses "maximum" [] [ [ 2 ]; [ 3 ] ]
      refuses "det" [] [ [ 2; 3 ] ]
      refuses "solve" [] [ [ 2; 2 ]; [ 3 ] ]
      refuses "dot" [] [ [ 2 ]; [ 3 ] ]
      refuses "trace" [] [ [ 2; 3 ] ]
      refuses "transpose" [] [ [ 2 ] ]
      refuses "sum" [ 2 ] [ [ 2; 3 ] ]
      refuses "sum" [ -3 ] [ [ 2; 3 ] ]
      refuses "softmax" [] [ [] ]
      refuses "max" [ 0 ] [ [ 2 ]; [ 2 ] ] ]

let private catalogueTests =
    [ test "every name of the language is there, once" {
          let asked =
              "exp log log1p expm1 sqrt abs sign floor sin cos tan asin acos atan atan2 sinh cosh tanh asinh acosh atanh erf min max pow \
               sigmoid softplus relu leaky_relu elu gelu silu softmax logsumexp norm dot outer trace det inv solve cholesky transpose \
               sum mean prod"

          for name in asked.Split(' ', StringSplitOptions.RemoveEmptyEntries) do
              Expect.isSome (Catalogue.tryFind name) name

          let names = Catalogue.all |> List.map _.Name
          Expect.equal (List.distinct names) names "once"
      }
      test "calls of numbers are folded" {
          Expect.equal (Catalogue.call "exp" [] [ Build.number 0.0 ]) (Build.number 1.0) "exp 0"

          Expect.equal
              (Catalogue.call "atan2" [] [ Build.number 0.0; Build.number 1.0 ])
              (Build.number 0.0)
              "atan2"
      } ]

let tests =
    testList
        "Builtins"
        [ testList "derivatives" derivativeTests
          testList "second derivatives" secondDerivativeTests
          testList "shapes" (shapeTests @ shapeErrorTests)
          testList "values" valueTests
          testList "edges" edgeTests
          testList "catalogue" catalogueTests ]
