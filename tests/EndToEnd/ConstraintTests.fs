/// Algebraic constraints: consistent starts, the order of every method, dense output, batches, events, and what fails.
module DiffEqLang.Tests.EndToEnd.ConstraintTests

open System
open Expecto
open TorchSharp
open DiffEqLang.Runtime
open DiffEqLang.Tests.Support
open DiffEqLang.Tests.Support.EventModels
open DiffEqLang.Tests.Support.ConstrainedModels

let private solve name options =
    let solution = EventModels.solve (create name) options
    solution.EnsureSuccess()
    solution

let private at (solution: Solution) name i = (numbers (state solution name))[i]

// Timed: x = exp(sin t), z = cos t.

let private exactTimed t = [ exp (sin t); cos t ]

/// The largest error at some times, of the state and of the unknown.
let private timedErrors times method =
    use _ = torch.NewDisposeScope()
    let solution = solve "Timed" (savingAt times method)

    [ for i, name in List.indexed [ "x"; "z" ] ->
          List.zip (numbers (state solution name)) times
          |> List.map (fun (found, t) -> abs (found - (exactTimed t)[i]))
          |> List.max ]

/// log2 of the ratio of errors at the finest two steps above rounding.
let private measured (order: float) (error: int -> float) =
    let counts = if order < 3.0 then [ 128; 256; 512 ] else [ 8; 16; 32; 64 ]
    let errors = counts |> List.map error |> List.filter (fun e -> e > 2e-11)
    Math.Log2(errors[errors.Length - 2] / List.last errors)

let private order =
    testList
        "order at index 1"
        [ for name, order in orders do
              for i, variable in List.indexed [ "of the state"; "of the unknown" ] do
                  test $"{name}, {variable}" {
                      let found =
                          measured order (fun n -> (timedErrors [ 0.0; 1.0 ] (steps name (1.0 / float n)))[i])

                      // Rosenbrock's methods of order 5 lose more than that in a step where the next power of it counts.
                      Expect.isLessThan (abs (found - order)) 0.15 $"measured {found}"
                  }

                  test $"{name}, {variable}, inside the steps" {
                      let inside n =
                          let h = 1.0 / float n

                          [ 0.0 ]
                          @ [ for k in [ 0; n / 2; n - 1 ] do
                                  for theta in [ 0.3; 0.6 ] -> (float k + theta) * h ]
                          @ [ 1.0 ]

                      let found =
                          measured order (fun n -> (timedErrors (inside n) (steps name (1.0 / float n)))[i])

                      Expect.isGreaterThan found (min order 3.0 - 0.15) $"measured {found}"
                  } ]

let private starts =
    testList
        "consistent starts"
        [ test "the guess is but a guess: the unknown at the start is what the constraint makes of the states" {
              let solution = solve "Square" (savingAt [ 0.0; 1.0 ] tight)
              close 1e-14 [ 1.0; 0.25 ] (numbers (state solution "y")) "y"
              close 1e-10 [ 1.0; 0.5 ] (numbers (state solution "x")) "x"
          }

          test "an exponential that Newton's method overshoots" {
              let solution = solve "Diode" (savingAt [ 0.0; 1e-3 ] (tolerances "radau" 1e-10 1e-12))
              let d = at solution "d" 0
              Expect.isLessThan (abs (1e-12 * (exp (d / 0.026) - 1.0) - (5.0 - d) / 1000.0)) 1e-15 "the current"
              let current i = (5.0 - at solution "v" i - at solution "d" i) / 1000.0
              Expect.isLessThan (abs (1e-12 * (exp (at solution "d" 1 / 0.026) - 1.0) - current 1)) 1e-11 "later"
          }

          test "a network of resistors, with its conductances as a matrix" {
              use _ = torch.NewDisposeScope()
              let model = create "Network"
              let solution = EventModels.solve model (savingAt [ 0.0; 1.0 ] tight)
              let g = model.Value "G"

              for i in [ 0L; 1L ] do
                  let q = solution.State("q").select (0, i)
                  let injected = torch.cat ([| q; q.new_zeros [| 1L |] |], 0L)
                  let v = torch.linalg.solve (g, injected)
                  close 1e-11 (numbers v) (numbers (solution.State("v").select (0, i))) "v"
          }

          test "constraints that fit no unknown one by one are taken in their order" {
              let solution = solve "TimedTwice" (savingAt [ 0.0; 0.7; 2.0 ] (tolerances "rodas5p" 1e-10 1e-10))

              for i, t in List.indexed [ 0.0; 0.7; 2.0 ] do
                  let found name = numbers (solution.State(name: string).select (0, int64 i))
                  close 1e-8 [ exp (sin t); exp (sin t) ] (found "x") "x"
                  close 1e-8 [ cos t; cos t ] (found "w") "w"
                  close 1e-8 [ cos t ** 2.0; cos t ** 2.0 ] (found "z") "z"
                  close 1e-8 [ t ] (found "u") "u"
          } ]

let private failures =
    let failing (name: string) starts options =
        let warnings = ResizeArray<string>()
        let options: SolveOptions = options
        let told = SolveOptions(Method = options.Method, Start = options.Start, End = options.End, Warned = fun w -> warnings.Add w.Message)
        let solution = solveFrom (create name) [ "x", vector starts ] told
        solution, List.ofSeq warnings

    testList
        "what fails"
        [ test "a sample without a solution ends at its start and says so; its batch mates do not mind" {
              let solution, warnings = failing "Fold" [ 0.0; 2.0 ] (upTo 1.0 tight)
              Expect.equal (List.ofSeq solution.Status) [ SolveStatus.Success; SolveStatus.ConstraintsUnsolved ] "status"
              Expect.equal solution.LastTime[1] 0.0 "time"
              Expect.stringContains solution.Message "fulfil the constraints at t = 0" "message"
              Expect.stringContains warnings[0] "leave a residual of" "warning"
              Expect.floatClose Accuracy.high ((solution.State "y").flatten().[0].item<float>()) 1.0 "the other"
          }

          test "a singular mass matrix" {
              let solution, warnings = failing "Pole" [ 0.0 ] (upTo 1.0 tight)
              Expect.equal solution.Status[0] SolveStatus.ConstraintsUnsolved "status"
              Expect.stringContains warnings[0] "a singular mass matrix" "warning"
          }

          test "methods that do not end on constraints are refused by name, with those that do" {
              for name in [ "tsit5"; "rk4"; "gauss4"; "implicit_midpoint"; "rosenbrock23" ] do
                  let refusal =
                      try
                          EventModels.solve (create "Square") (upTo 1.0 (steps name 0.1)) |> ignore
                          ""
                      with :? ArgumentException as e ->
                          e.Message

                  Expect.stringContains refusal $"Method {name} does not solve algebraic constraints" name

                  for able, _ in orders do
                      Expect.stringContains refusal able name
          } ]

let private solves =
    testList
        "solves"
        [ test "errors follow the tolerance" {
              for name, order in orders do
                  if order > 2.0 then
                      for rtol in [ 1e-4; 1e-6; 1e-8 ] do
                          for error in timedErrors [ 0.0; 0.4; 1.3; 2.0 ] (tolerances name rtol rtol) do
                              Expect.isLessThan error (100.0 * rtol) $"{name} at {rtol}"
          }

          test "rodas5p where no method is named" {
              let solution = solve "Square" (SolveOptions(Start = Nullable 0.0, End = Nullable 1.0))
              let named = solve "Square" (upTo 1.0 (Methods.Rodas5P()))
              Expect.equal (numbers solution.Packed) (numbers named.Packed) "the same bits"
              Expect.floatClose Accuracy.low (at solution "x" 0) 0.5 "x"
          }

          test "a sample's result is that of a solve alone, whatever its batch mates need" {
              for name, _ in orders do
                  let method = tolerances name 1e-5 1e-7
                  let model = create "Square"
                  let together = solveFrom model [ "x", vector [ 1.0; 30.0; 0.1 ] ] (savingAt [ 0.0; 0.3; 2.0 ] method)

                  for i, start in List.indexed [ 1.0; 30.0; 0.1 ] do
                      let alone = solveFrom model [ "x", vector [ start ] ] (savingAt [ 0.0; 0.3; 2.0 ] method)
                      let row = numbers (together.Packed.select (1, int64 i))
                      close 1e-13 (numbers alone.Packed) row $"{name}, sample {i}"
          }

          test "samples that share their steps" {
              let options = SolveOptions(Method = tight, Start = Nullable 0.0, End = Nullable 1.0, Coupling = StepCoupling.Batch)
              let solution = solveFrom (create "Square") [ "x", vector [ 1.0; 2.0 ] ] options
              close 1e-9 [ 0.5; 2.0 / 3.0 ] (numbers (solution.State "x")) "x"
          }

          test "backwards in time" {
              let options = SolveOptions(Method = tight, Start = Nullable 1.0, End = Nullable 0.0)
              let solution = solveFrom (create "Square") [ "x", vector [ 0.5 ] ] options
              close 1e-10 [ 1.0; 1.0 ] (numbers solution.Packed) "x and y"
          }

          test "in float32" {
              let model = createAs torch.float32 "Timed"
              let solution = model.Solve(options = savingAt [ 0.0; 1.0 ] (tolerances "rodas5p" 1e-4 1e-5))
              solution.EnsureSuccess()
              close 1e-3 [ exp (sin 1.0); cos 1.0 ] (numbers solution.Packed |> List.skip 2) "x and z"
          }

          test "Robertson's reaction with its conservation law, to its reference at 1e11" {
              for name in [ "radau"; "rodas5p"; "kvaerno5" ] do
                  let solution = solve "Robertson" (upTo 1e11 (tolerances name 1e-7 1e-16))

                  for found, reference in
                      List.zip
                          (numbers solution.Packed)
                          [ 0.2083340149701255e-7; 0.8333360770334713e-13; 0.9999999791665050 ] do
                      Expect.isLessThan (abs (found - reference) / reference) 1e-4 name
          }

          test "the pendulum by the constraint that its index 3 was reduced to" {
              let solution = solve "Pendulum" (savingAt [ 0.0; 0.5; 1.0; 2.0 ] tight)
              let x, y, vx, vy = state solution "x", state solution "y", state solution "x'", state solution "y'"
              let length = numbers ((x.square ()).add(y.square ()))
              close 1e-9 [ 1.0; 1.0; 1.0; 1.0 ] length "on the circle"
              let energy = (vx.square ()).add(vy.square ()).mul(Odes.scalar 0.5).add (y.mul (Odes.scalar 9.81))
              close 1e-9 [ 0.0; 0.0; 0.0; 0.0 ] (numbers energy) "energy"
              // The tension at the angle at which it is: 3 g cos.
              close 1e-8 [ for y in numbers y -> -3.0 * 9.81 * y ] (numbers (state solution "lambda")) "tension"
          } ]

let private events =
    testList
        "events"
        [ test "the unknowns are found anew after a jump" {
              let solution = solve "Reset" (savingAt [ 0.0; 1.5; 2.5 ] tight)
              close 1e-9 [ 1.0; 2.0 ] (timesOf solution 0) "when y has fallen to a quarter"
              close 1e-9 [ 1.0; 1.0 / 2.25; 1.0 / 2.25 ] (numbers (state solution "y")) "y"
              close 1e-9 [ 0.0; 0.25; 0.5 ] (numbers (state solution "n")) "y before the jumps, summed"
              let first = solution.Events[0].[0]
              close 1e-12 [ 1.0; 0.25; 1.0 ] (numbers first.After) "the state after the first"
          }

          test "the second event of one time sees the unknowns that the first has changed" {
              let solution = solve "AtOnce" (upTo 10.0 tight)
              // x = 2/3 becomes 4/3, y = 16/9; then x' = -x^2 down to 0.4.
              let duration = 1.0 / 0.4 - 3.0 / 4.0
              close 1e-9 [ 0.5; 0.5; 0.5 + duration ] (timesOf solution 0) "times"
              close 1e-9 [ 1.0 / 3.0 + 16.0 / 9.0 + 4.0 / 3.0 - 0.4 ] (numbers (state solution "n")) "n"
          } ]

let tests = testList "Constraints" [ starts; order; solves; events; failures ]
