/// Exponential methods: the functions that they are made of, their orders, their gradients, and what they refuse.
module DiffEqLang.Tests.Runtime.ExponentialTests

open System
open DiffEqLang.Runtime
open DiffEqLang.Tableaux
open DiffEqLang.Tests.Runtime
open DiffEqLang.Tests.Support
open DiffEqLang.Tests.Support.Gradients
open DiffEqLang.Tests.Support.Odes
open DiffEqLang.Tests.Support.SplitEquations
open Expecto
open TorchSharp

/// φₖ(z): the series where z is small, the recursion where it is not.
let private phi k (z: float) =
    let factorial n = Seq.fold (*) 1.0 [ 1.0 .. float n ]

    if abs z < 2.0 then
        Seq.sum (seq { for i in 0..40 -> z ** float i / factorial (i + k) })
    else
        Seq.fold (fun value i -> (value - 1.0 / factorial i) / z) (exp z) [ 0 .. k - 1 ]

let private blocks (values: float list) = (vector values).reshape(int64 values.Length, 1L, 1L)

let private general = LinearStructure.General

let private problems =
    [ { OrderTests.logistic with
          Equations = semilinearOde LinearStructure.Diagonal [] (swapped logisticParts) }
      { OrderTests.timeDependent with
          Equations = semilinearOde general [] shearParts }
      { OrderTests.complexSpectrum with
          Equations = semilinearOde LinearStructure.Diagonal [] complexParts }
      { OrderTests.complexSpectrum with
          Name = "complex spectrum, the rotation linear"
          Equations = semilinearOde general [] (swapped complexParts) } ]

let private measuredOrder (method: ExponentialMethod) (problem: OrderTests.Problem) =
    let finish = problem.End 2

    // Where the error is above rounding, and in one power of the step.
    let coarse = if method.Order = 1 then 256 else 64
    let error steps = OrderTests.finalError method.Name problem 0.0 finish steps
    Math.Log2(error coarse / error (2 * coarse))

let private structures =
    [ "a matrix", (fun w b -> semilinearOde general [ w; b ] (matrixParts w b))
      "a diagonal", (fun w b -> semilinearOde LinearStructure.Diagonal [ w; b ] (diagonalParts w b)) ]

let private names = [ for method in Catalogue.Exponential -> method.Name ]

let tests =
    testList
        "Exponential"
        [ test "the functions of numbers, however small or large" {
              use _ = torch.NewDisposeScope()
              let numbers = [ 0.0; 1e-9; -1e-4; -0.3; 1.5; 3.0; -20.0; -1e3; -1e6 ]
              let found = PhiFunctions.Of(blocks numbers, 3)

              for k in 0..3 do
                  for z, value in List.zip numbers (List.ofArray (values found[k])) do
                      Expect.floatClose { absolute = 1e-15; relative = 1e-12 } value (phi k z) $"φ{k}({z})"
          }

          test "the functions of a matrix fulfil their recursion" {
              use _ = torch.NewDisposeScope()
              let z = (matrix [ [ -3.0; 2.0; 0.1 ]; [ 0.5; -1.0; 4.0 ]; [ 0.0; -6.0; -30.0 ] ]).unsqueeze 0L
              let found = PhiFunctions.Of(z, 3)
              let identity = (torch.eye (3L, dtype = torch.float64)).unsqueeze 0L

              for k, factorial in [ 0, 1.0; 1, 1.0; 2, 2.0 ] do
                  let left = z.matmul found[k + 1]
                  let right = found[k].Plus(scale (-1.0 / factorial) identity)
                  Expect.isLessThan (distance (values left) (values right)) 1e-13 $"φ{k + 1}"
          }

          test "their adjoint is that of differences" {
              use _ = torch.NewDisposeScope()
              torch.manual_seed 2L |> ignore
              let normal () = torch.randn ([| 2L; 3L; 3L |], dtype = torch.float64)
              let z, direction = normal (), normal ()
              let weights = [| for _ in 0..3 -> normal () |]

              let weighed z =
                  Array.map2
                      (fun (w: Tensor) (f: Tensor) -> (w.mul f).sum().item<float>())
                      weights
                      (PhiFunctions.Of(z, 3))
                  |> Array.sum

              let exact = ((PhiFunctions.Vjp(z, weights)).mul direction).sum().item<float>()
              let measured = differences (fun s -> weighed (z.Plus(scale s direction)))
              Expect.isLessThan (abs (exact - measured) / abs exact) 1e-9 $"{exact}, differences {measured}"
          }

          for method in Catalogue.Exponential do
              test $"{method.Name}: without a linear part it is {method.Underlying.Name}" {
                  use _ = torch.NewDisposeScope()
                  let factorial k = Seq.fold (*) 1.0 [ 1.0 .. float k ]

                  let sum (terms: PhiTerm[]) =
                      terms |> Array.sumBy (fun term -> term.Weight / factorial term.Order)

                  let tableau = method.Underlying

                  let near a b =
                      Expect.isLessThan (distance (Array.append [| 0.0 |] a) (Array.append [| 0.0 |] b)) 1e-15

                  near (Array.map sum method.B) (Array.ofSeq tableau.B) "weights"

                  for i in 0 .. method.Nodes.Length - 1 do
                      near (Array.map sum method.A[i]) tableau.A[i] $"row {i}"
                      Expect.equal method.Nodes[i] tableau.C[i] $"node {i}"
              }

              testList
                  $"{method.Name} has its order"
                  [ for problem in problems do
                        test problem.Name {
                            let measured = measuredOrder method problem

                            Expect.isLessThan
                                (abs (measured - float method.Order))
                                0.15
                                $"measured {measured}"
                        } ]

              test $"{method.Name} solves a linear part exactly, however stiff" {
                  use _ = torch.NewDisposeScope()
                  // Rounding errors of a matrix' exponential are in proportion to its norm.
                  let rates = [ -1e4; -40.0; 0.5 ]

                  let parts =
                      part (fun _ x -> torch.zeros_like x) (fun _ _ w -> torch.zeros_like w),
                      part (fun _ x -> x.mul (vector rates)) (fun _ _ w -> w.mul (vector rates))

                  for structure in [ general; LinearStructure.Diagonal ] do
                      let found =
                          finalState
                              (span 0.0 2.0 (fixedStep method.Name 0.5))
                              (semilinearOde structure [] parts)
                              (vector [ 1.0; 1.0; 1.0 ])

                      for value, rate in Seq.zip found rates do
                          Expect.floatClose
                              { absolute = 1e-13; relative = 2e-11 }
                              value
                              (exp (2.0 * rate))
                              $"{rate}"
              }

              for name, equations in structures do
                  for coupling in [ StepCoupling.PerSample; StepCoupling.Batch ] do
                      test
                          $"{method.Name} {coupling}, {name}: the gradient is that of the scheme, inside steps too" {
                          expectExactGradientOf
                              equations
                              (SolveOptions(
                                  Save = SaveAt.Times(ReadOnlySpan [| 0.0; 0.33; 0.4; 0.77; 1.0 |]),
                                  Method = fixedStep method.Name 0.2,
                                  Coupling = coupling
                              ))
                      }

          test "a step that is cut short has its own coefficients" {
              use _ = torch.NewDisposeScope()
              let problem = problems.[3]
              // Of 0.3 up to 1: the last is 0.1.
              let found =
                  finalState
                      (span 0.0 1.0 (fixedStep "etdrk4" 0.3))
                      problem.Equations
                      (vector problem.Initial)

              Expect.isLessThan (OrderTests.relative (problem.Exact 1.0) found) 1e-3 "error"
          }

          test "states saved inside steps are of order 3 at least" {
              let problem = problems.[3]
              let error steps = OrderTests.denseError "etdrk4" problem 2.0 steps
              Expect.isGreaterThan (Math.Log2(error 64 / error 128)) 2.85 "order"
          }

          for words, options in
              [ "checkpoints", SolveOptions(Checkpoints = Nullable 3)
                "discrete", SolveOptions(Gradient = Nullable GradientMode.Forward)
                "discrete", SolveOptions(Gradient = Nullable GradientMode.Backsolve) ] do
              test $"other gradients are refused: {options.Gradient}" {
                  Refusals.says words (fun () ->
                      let options =
                          SolveOptions(
                              Start = Nullable 0.0,
                              End = Nullable 1.0,
                              Method = fixedStep "etdrk4" 0.1,
                              Gradient = options.Gradient,
                              Checkpoints = options.Checkpoints
                          )

                      solveWith options problems.Head.Equations (trained (vector [ 0.1; 0.2; 0.3; 0.4 ]))
                      |> ignore)
              }

          test "equations without a linear part are refused" {
              let logistic = splitOde [] (fst logisticParts) (snd logisticParts)

              for name in names do
                  Refusals.says "linear with constant coefficients" (fun () ->
                      solveWith (span 0.0 1.0 (fixedStep name 0.1)) logistic (vector [ 1.0 ]) |> ignore)
          } ]
