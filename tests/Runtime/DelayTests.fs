/// Equations with delays: accuracy, order, discontinuities, gradients and what is refused.
module DiffEqLang.Tests.Runtime.DelayTests

open System
open DiffEqLang.Runtime
open DiffEqLang.Tests.Support.Odes
open DiffEqLang.Tests.Support.OdeMethods
open DiffEqLang.Tests.Support.Gradients
open DiffEqLang.Tests.Support.Delays
open Expecto
open TorchSharp

let private times = [ 0.0; 0.3; 1.0; 1.7; 2.0; 3.25; 5.0 ]

let private statesOf options equations (initial: Tensor) =
    use _ = torch.NewDisposeScope()
    let solution = solveWith options equations initial
    solution.EnsureSuccess()
    values solution.Packed

let private savingWith coupling (times: float list) method =
    SolveOptions(Save = SaveAt.Times(ReadOnlySpan(Array.ofList times)), Method = method, Coupling = coupling)

let private one = matrix [ [ 1.0 ] ]

let private method name =
    if List.contains name adaptiveMethods then
        tolerances name 1e-9 1e-11
    else
        fixedStep name 0.01

// Accuracy

let private closedForms =
    testList
        "closed forms"
        [ for name in adaptiveMethods do
              test $"{name}: polynomials that a jump in the derivative joins" {
                  let found = statesOf (saving times (method name)) staircase one
                  let error = distance found [| for t in times -> staircaseAt t |]
                  Expect.isLessThan error 1e-8 name
              }

              test $"{name}: a jump at the start arrives a delay later" {
                  let found = statesOf (saving times (method name)) pulse one
                  // Saved at the very time of a jump's arrival or before it, the state is continuous.
                  let error = distance found [| for t in times -> pulseAt t |]
                  Expect.isLessThan error 2e-8 name
              }

              test $"{name}: the cosine that was before the start goes on" {
                  let found = statesOf (saving times (method name)) cosine one
                  let error = distance found [| for t in times -> cos t |]
                  Expect.isLessThan error 2e-8 name
              }
          test "polynomials of a degree up to the order are exact, wherever steps of a fixed size lie" {
              let found =
                  statesOf (saving [ 0.0; 0.5; 1.0; 1.9; 2.6; 3.0 ] (fixedStep "rk4" 0.37)) staircase one

              let error = distance found [| for t in [ 0.0; 0.5; 1.0; 1.9; 2.6; 3.0 ] -> staircaseAt t |]
              Expect.isLessThan error 1e-14 "of degree 4"
          }
          test "float32 keeps its own accuracy" {
              let found =
                  statesOf (saving times (tolerances "tsit5" 1e-5 1e-6)) pulse (one.``to`` (torch.float32))

              Expect.isLessThan (distance found [| for t in times -> pulseAt t |]) 2e-5 "in seven digits"
          } ]

// Order

let private errorAt name steps =
    let found = finalState (span 0.0 3.0 (fixedStep name (1.0 / float steps))) pulse one
    abs (found[0] - pulseAt 3.0)

/// Steps of a delay at which errors are those of the method: neither of its next order nor of rounding.
let private stepsOf order =
    match order with
    | 1 -> 128
    | 2
    | 3 -> 64
    | 4
    | 5 -> 16
    | 7 -> 3
    | 6
    | 8 -> 2
    | _ -> 1

let private order =
    testList
        "order"
        [ for name in allMethods do
              test name {
                  let nominal = DiffEqLang.Tableaux.Catalogue.Find(name).Order
                  let steps = stepsOf nominal
                  let measured = Math.Log2(errorAt name steps / errorAt name (2 * steps))
                  Expect.isGreaterThan measured (float nominal - 0.15) $"{name}: {measured}"
              } ]

// Lanes

let private batch =
    testList
        "batches"
        [ test "each sample keeps its own steps and its own past" {
              let inputs =
                  { P = vector [ 0.8; 0.5; 1.2 ]
                    First = torch.tensor (0.7, dtype = torch.float64)
                    Second = torch.tensor (1.1, dtype = torch.float64) }

              let starts = matrix [ [ 1.2; 0.4 ]; [ 0.1; -2.0 ]; [ 5.0; 1.0 ] ]
              let options = saving [ 0.0; 1.0; 4.5 ] (tolerances "dopri5" 1e-7 1e-9)
              let together = statesOf options (coupled inputs) starts

              for sample in 0..2 do
                  let alone = statesOf options (coupled inputs) (starts.narrow (0L, int64 sample, 1L))

                  let own =
                      [| for i in 0..2 do
                             yield! together[6 * i + 2 * sample .. 6 * i + 2 * sample + 1] |]

                  Expect.isLessThan (distance own alone) 1e-12 $"sample {sample}"
          }
          test "a coupled batch shares its steps" {
              let inputs =
                  { P = vector [ 0.8; 0.5; 1.2 ]
                    First = torch.tensor (0.7, dtype = torch.float64)
                    Second = torch.tensor (1.1, dtype = torch.float64) }

              let starts = matrix [ [ 1.2; 0.4 ]; [ 0.1; -2.0 ]; [ 5.0; 1.0 ] ]
              let options coupling = savingWith coupling [ 0.0; 1.0; 4.5 ] (tolerances "dopri8" 1e-11 1e-12)
              let apart = statesOf (options StepCoupling.PerSample) (coupled inputs) starts
              let shared = statesOf (options StepCoupling.Batch) (coupled inputs) starts
              Expect.isLessThan (distance apart shared) 1e-8 "the same solution"
          } ]

// Gradients

let private inputsOf (values: float[]) =
    { P = vector values[0..2]
      First = torch.tensor (values[3], dtype = torch.float64)
      Second = torch.tensor (values[4], dtype = torch.float64) }

let private start = matrix [ [ 1.2; 0.4 ]; [ 0.1; -1.0 ]; [ 2.0; 1.0 ] ]
let private point = [| 0.8; 0.5; 1.1; 0.7; 1.1 |]

/// The gradient of a weighted sum of what is saved along a direction in parameters and starts, against differences of the same scheme.
let private expectGradient tolerance (direction: float[]) (options: SolveOptions) =
    use _ = torch.NewDisposeScope()
    let generator = new torch.Generator(5UL)
    let ofStart = torch.randn ([| 3L; 2L |], dtype = torch.float64, generator = generator)

    let loss inputs (initial: Tensor) =
        let solution = solveWith options (coupled inputs) initial
        solution.EnsureSuccess()

        let weights =
            torch.randn (solution.Packed.shape, dtype = torch.float64, generator = new torch.Generator(9UL))

        (solution.Packed.mul weights).sum()

    let moved s =
        use _ = torch.no_grad ()

        (loss (inputsOf (Array.map2 (fun p d -> p + s * d) point direction)) (start.Plus(scale s ofStart)))
            .item<float>()

    let untrained = inputsOf point

    let inputs =
        { P = trained untrained.P
          First = trained untrained.First
          Second = trained untrained.Second }

    let initial = trained start
    backward (loss inputs initial)

    let gradient =
        [| yield! values inputs.P.grad
           yield! values inputs.First.grad
           yield! values inputs.Second.grad |]

    let exact =
        Array.sum (Array.map2 (*) gradient direction)
        + (initial.grad.mul ofStart).sum().item<float>()

    let measured = differences moved

    Expect.isLessThan
        (abs (exact - measured) / max 1.0 (abs exact))
        tolerance
        $"adjoint {exact}, differences {measured}"

let private inParameters = [| 0.3; -0.7; 0.5; 0.0; 0.0 |]
let private inDelays = [| 0.3; -0.7; 0.5; 0.4; -0.6 |]

let private gradients =
    testList
        "gradients"
        [ for name in allMethods do
              test $"{name}: of the scheme itself, at times inside its steps" {
                  let options = saving [ 0.0; 0.33; 1.1; 2.57; 3.0 ] (fixedStep name 0.11)
                  expectGradient 1e-7 inParameters options
              }

              test $"{name}: at the end alone" {
                  expectGradient 1e-7 inParameters (span 0.0 2.9 (fixedStep name 0.1))
              }
          test "at every step" {
              expectGradient
                  1e-7
                  inParameters
                  (SolveOptions(
                      Start = Nullable 0.0,
                      End = Nullable 2.9,
                      Method = fixedStep "rk4" 0.1,
                      Save = SaveAt.Steps
                  ))
          }
          test "of a coupled batch" {
              expectGradient
                  1e-7
                  inParameters
                  (savingWith StepCoupling.Batch [ 0.0; 1.3; 3.0 ] (fixedStep "dopri5" 0.1))
          }
          for name in [ "dopri5"; "tsit5"; "vern7"; "dopri8" ] do
              test $"{name}: by the delays too, across the jump at the start" {
                  expectGradient 1e-7 inDelays (saving [ 0.0; 1.3; 4.0 ] (tolerances name 1e-11 1e-12))
              } ]

// Refusals

let private refuses message options equations =
    let text =
        try
            solveWith options equations one |> ignore
            "nothing"
        with error ->
            error.Message

    Expect.stringContains text message "what is said"

let private refusals =
    testList
        "what is refused"
        [ test "an implicit method, by name" {
              refuses "radau is implicit" (span 0.0 2.0 (Methods.Radau())) staircase
          }
          test "a step above the delay" {
              refuses "larger than the delay 1" (span 0.0 4.0 (fixedStep "rk4" 1.5)) staircase
          }
          test "time that runs backwards" {
              refuses "forwards in time alone" (span 2.0 0.0 (Methods.Tsit5())) staircase
          }
          test "a delay that is not positive" {
              refuses
                  "positive and finite, not -1"
                  (span 0.0 2.0 (Methods.Tsit5()))
                  (scalarDelay -1.0 (fun _ _ x -> x) torch.ones_like)
          }
          test "the backsolve gradient" {
              let options =
                  SolveOptions(
                      Start = Nullable 0.0,
                      End = Nullable 2.0,
                      Method = Methods.Tsit5(),
                      Gradient = Nullable GradientMode.Backsolve
                  )

              refuses "does not go through delays" options staircase
          }
          test "a delay lost in rounding ends a sample with a status" {
              use _ = torch.NewDisposeScope()
              let equations = scalarDelay 1e-16 (fun _ _ x -> x.neg ()) torch.ones_like
              let solution = solveWith (span 1.0 2.0 (Methods.Tsit5())) equations one
              Expect.equal solution.Status[0] SolveStatus.StepTooSmall "no step is small enough"
          } ]

[<Tests>]
let tests = testList "Delays" [ closedForms; order; batch; gradients; refusals ]
