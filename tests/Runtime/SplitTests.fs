/// Methods that take one part of a right-hand side explicitly and the other implicitly: their orders where both parts are active, their
/// stability, their gradients, and what they refuse.
module DiffEqLang.Tests.Runtime.SplitTests

open System
open DiffEqLang.Runtime
open DiffEqLang.Tableaux
open DiffEqLang.Tests.Runtime
open DiffEqLang.Tests.Support.Gradients
open DiffEqLang.Tests.Support.Odes
open DiffEqLang.Tests.Support.Refusals
open DiffEqLang.Tests.Support.SplitEquations
open Expecto
open TorchSharp

let private ofParts parts = splitOde [] (fst parts) (snd parts)

/// Each problem in parts, both ways round.
let private problems =
    [ for problem, parts in
          [ { OrderTests.logistic with End = fun _ -> 1.0 }, logisticParts
            OrderTests.timeDependent, timeDependentParts
            OrderTests.complexSpectrum, complexParts ] do
          { problem with OrderTests.Problem.Equations = ofParts parts }

          { problem with
              OrderTests.Problem.Equations = ofParts (swapped parts)
              Name = problem.Name + ", parts swapped" } ]

/// y' = -l (y - cos t) - sin t: Prothero and Robinson (1974), with the solution cos t; stiff in the first term alone.
let private prothero (l: float) =
    let column (t: Tensor) = t.unsqueeze -1L

    ofParts (
        part (fun t y -> ((column (t.sin ())).neg()).expand_as y) (fun _ _ w -> torch.zeros_like w),
        part (fun t y -> scale -l (y.Minus(column (t.cos ())))) (fun _ _ w -> scale -l w)
    )

let private names = [ for tableau in Catalogue.Split -> tableau.Name ]
let private adaptive = names |> List.filter (fun name -> name <> "imex_euler")

let private times = [ 0.0; 0.33; 0.4; 1.57; 2.0 ]

let private ofNetwork (w: Tensor) (b: Tensor) =
    let ofExplicit, ofImplicit = networkParts w b
    splitOde [ w; b ] ofExplicit ofImplicit

let tests =
    testList
        "Split"
        [ for tableau in Catalogue.Split do
              testList
                  $"{tableau.Name} has its order"
                  [ for problem in problems do
                        test problem.Name {
                            OrderTests.finalError tableau.Name problem 0.0 (OrderTests.spanOf tableau problem)
                            |> OrderTests.measuredOrder tableau
                            |> OrderTests.expectOrder tableau
                        } ]

          for tableau in Catalogue.Split do
              test
                  $"{tableau.Name}: a method that splits nothing off is explicit, one that leaves nothing is implicit" {
                  // The linear equation y' = -y by the two sets of coefficients alone.
                  let nothing = part (fun _ y -> torch.zeros_like y) (fun _ _ w -> torch.zeros_like w)
                  let decay = part (fun _ y -> y.neg ()) (fun _ _ w -> w.neg ())

                  let step parts h =
                      (finalState (span 0.0 h (fixedStep tableau.Name h)) (ofParts parts) (vector [ 1.0 ]))[0]

                  // A polynomial grows without bound, a rational function that damps does not.
                  use _ = torch.NewDisposeScope()
                  Expect.isGreaterThan (abs (step (decay, nothing) 1e3)) 100.0 "explicit"
                  Expect.isLessThan (abs (step (nothing, decay) 1e6)) 1e-3 "L-stable"
              }

          for name in adaptive do
              test $"{name} takes steps whose number is bounded, however stiff the stiff part" {
                  let solved l =
                      use _ = torch.NewDisposeScope()
                      let options = span 0.0 10.0 (tolerances name 1e-5 1e-7)
                      let solution = solveWith options (prothero l) (vector [ 1.0 ])
                      solution.EnsureSuccess()
                      Expect.isLessThan (abs ((values solution.LastState).[0] - cos 10.0)) 1e-3 $"at {l}"
                      solution.Statistics.Accepted[0]

                  Expect.isLessThan (float (solved 1e8)) (1.2 * float (solved 1e5)) "steps"
              }

          for name in adaptive do
              test $"{name}: tighter tolerances give smaller errors" {
                  let problem = problems.Head

                  let error rtol =
                      finalState
                          (span 0.0 6.0 (tolerances name rtol (rtol * 1e-2)))
                          problem.Equations
                          (vector problem.Initial)
                      |> OrderTests.relative (problem.Exact 6.0)

                  use _ = torch.NewDisposeScope()

                  for coarse, fine in List.pairwise [ for power in 3..9 -> 10.0 ** -(float power) ] do
                      let coarseError, fineError = error coarse, error fine
                      Expect.isLessThan fineError coarseError $"at {fine}"
                      Expect.isLessThan fineError (100.0 * fine) $"at {fine}"
              }

          for name in names do
              for coupling in [ StepCoupling.PerSample; StepCoupling.Batch ] do
                  test $"{name} {coupling}: the gradient is that of the scheme, inside steps too" {
                      expectExactGradientOf
                          ofNetwork
                          (SolveOptions(
                              Save = SaveAt.Times(ReadOnlySpan(Array.ofList times)),
                              Method = fixedStep name 0.2,
                              Coupling = coupling
                          ))
                  }

          for words, options in
              [ "forward", SolveOptions(Gradient = Nullable GradientMode.Forward)
                "with checkpoints", SolveOptions(Checkpoints = Nullable 3) ] do
              test $"kencarp4: the gradient is that of the scheme, {words}" {
                  expectExactGradientOf
                      ofNetwork
                      (SolveOptions(
                          Save = SaveAt.Times(ReadOnlySpan(Array.ofList times)),
                          Method = fixedStep "kencarp4" 0.2,
                          Gradient = options.Gradient,
                          Checkpoints = options.Checkpoints
                      ))
              }

          test "a sample's result does not depend on its batch mates" {
              use _ = torch.NewDisposeScope()
              let starts = [ 0.01; 0.5; 3.0 ]
              let options = span 0.0 4.0 (tolerances "kencarp5" 1e-8 1e-10)
              let equations = ofParts logisticParts
              let together = solveWith options equations (matrix [ for start in starts -> [ start ] ])

              for i, start in List.indexed starts do
                  let alone = solveWith options equations (matrix [ [ start ] ])

                  // To rounding: steps that all lanes share are factors of the coefficients, others of the slopes.
                  let mine = values (together.LastState.select (0L, int64 i))
                  Expect.isLessThan (distance mine (values alone.LastState)) 1e-13 $"from {start}"
                  Expect.equal together.Statistics.Accepted[i] alone.Statistics.Accepted[0] "steps"
          }

          test "an explicit part alone takes one evaluation a stage and one at the end" {
              use _ = torch.NewDisposeScope()
              let mutable evaluations = 0

              let counted =
                  part
                      (fun _ y ->
                          evaluations <- evaluations + 1
                          y.neg ())
                      (fun _ _ w -> w.neg ())

              let nothing = part (fun _ y -> torch.zeros_like y) (fun _ _ w -> torch.zeros_like w)

              finalState
                  (span 0.0 1.0 (fixedStep "kencarp3" 0.1))
                  (ofParts (counted, nothing))
                  (vector [ 1.0 ])
              |> ignore

              // Three stages behind the first, and the whole right-hand side where the step begins.
              Expect.equal evaluations (10 * 4) "evaluations"
          }

          test "equations that are not split are refused" {
              says "are not split" (fun () ->
                  solveWith
                      (span 0.0 1.0 (tolerances "kencarp4" 1e-6 1e-8))
                      (ode (fun _ y -> y))
                      (vector [ 1.0 ])
                  |> ignore)
          } ]
