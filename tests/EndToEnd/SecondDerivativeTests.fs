/// Gradients of gradients: the exact Hessian of the numerical scheme, times a vector.
module DiffEqLang.Tests.EndToEnd.SecondDerivativeTests

open System
open Expecto
open TorchSharp
open DiffEqLang.Runtime
open DiffEqLang.Tests.Support
open DiffEqLang.Tests.Support.Gradients
open DiffEqLang.Tests.Support.Odes

/// A network with a bounded parameter and values that are computed before the solve, positions and momenta, an equation whose solutions blow
/// up, and predator and prey.
let private models =
    [ "Network",
      "state x : R[3]; state s; param W : R[3, 3] ~ normal(0, 0.7); param b : R[3] ~ normal(0, 1); param k in (0, 1) = 0.3; dx/dt = -exp(k)*x + tanh(W @ x + b*t); ds/dt = k*s*(1 - s) + x[0]*x[1]; init x = 1; init s = 0.4; solve { gradient = discrete(order = 2), dtype = float64 }"
      "Swing",
      "state q : R[2]; param c = 1.3; d2q/dt2 = -c*sin(q); init q = 0.9; init q' = 0.1; solve { gradient = discrete(order = 2), dtype = float64 }"
      "Blow",
      "state x; param r = 0.7; dx/dt = r*x^2; init x = 1; solve { gradient = discrete(order = 2), dtype = float64 }"
      "Decay",
      "state x; param k = 0.8; dx/dt = -k*x; init x = 1.5; solve { gradient = discrete(order = 2), dtype = float64 }"
      "Predators",
      "state x, y; param a = 1.5; param b = 1; param c = 3; param d = 1; dx/dt = a*x - b*x*y; dy/dt = d*x*y - c*y; init x = 1; init y = 1; solve { gradient = discrete(order = 2), dtype = float64 }" ]

let private assembly = lazy (GeneratedCode.ofModels "Second.deq" models)
let private create name = GeneratedCode.create (assembly.Force()) name

let private parametersOf (model: DifferentialModel) : Tensor list =
    [ for struct (_, parameter) in model.named_parameters () -> parameter :> Tensor ]

let private solveFrom (model: DifferentialModel) (initial: Tensor) options =
    let solution = OdeSolve.Run(GeneratedCode.bind model, model.Layout, initial, options)

    GradientFault.ThrowIfAny()
    solution

/// The gradients of a loss, tied to their inputs where they are differentiated again.
let private gradients again (loss: Tensor) (inputs: Tensor list) =
    let found =
        torch.autograd.grad (
            ResizeArray [ loss ],
            ResizeArray inputs,
            retain_graph = again,
            create_graph = again,
            allow_unused = true
        )

    GradientFault.ThrowIfAny()

    Seq.map2
        (fun (g: Tensor) input -> if isNull g || g.IsInvalid then torch.zeros_like input else g)
        found
        inputs
    |> Seq.toList

let private flat (tensors: Tensor list) = tensors |> List.map values |> Array.concat

/// d gradient / d (all inputs along a direction), by going back twice.
let private alongDirection (loss: unit -> Tensor) inputs (direction: Tensor list) =
    let ofFirst = gradients true (loss ()) inputs
    let along = List.map2 (fun (g: Tensor) (v: Tensor) -> g.mul(v).sum()) ofFirst direction
    flat (gradients false (along |> List.reduce _.Plus) inputs)

/// The same by central differences of order 4 of the gradient.
let private byDifferences (loss: unit -> Tensor) (inputs: Tensor list) (direction: Tensor list) =
    let start = inputs |> List.map (fun input -> input.detach().clone())

    let moved (step: float) =
        do
            use _ = torch.no_grad ()

            for input, from, v in List.zip3 inputs start direction do
                input.copy_ (from.Plus(scale step v)) |> ignore

        flat (gradients false (loss ()) inputs)

    let h = 2e-3

    let far, near =
        Array.map2 (-) (moved (2.0 * h)) (moved (-2.0 * h)), Array.map2 (-) (moved h) (moved -h)

    moved 0.0 |> ignore
    Array.map2 (fun near far -> (8.0 * near - far) / (12.0 * h)) near far

let private drawn (like: Tensor list) =
    let generator = new torch.Generator(5UL)

    like
    |> List.map (fun t -> torch.randn (t.shape, dtype = torch.float64, generator = generator))

/// A loss of all saved states that is itself curved, of three samples.
let private lossOf name options =
    let model = create name
    let size = model.Layout.Size

    let initial =
        (torch.linspace (0.2, 0.9, 3L * size, dtype = torch.float64)).reshape(3L, size) |> trained

    let loss () =
        let solution = solveFrom model initial options
        solution.EnsureSuccess()
        solution.Packed.sin().sum()

    loss, initial :: parametersOf model

let private expectExact name options =
    use _ = torch.NewDisposeScope()
    let loss, inputs = lossOf name options
    let direction = drawn inputs
    let expected = byDifferences loss inputs direction
    expectNear 1e-8 expected (alongDirection loss inputs direction) name

let private fixedSteps save method coupling =
    SolveOptions(
        Start = Nullable 0.0,
        End = Nullable 1.0,
        Save = save,
        Method = fixedStep method 0.13,
        Coupling = coupling
    )

let private inside = SaveAt.Times(ReadOnlySpan [| 0.0; 0.07; 0.5; 1.0 |])

let private exactness =
    [ for method in [ "euler"; "tsit5"; "dopri8"; "gauss4" ] do
          for coupling in [ StepCoupling.PerSample; StepCoupling.Batch ] do
              for save, what in [ inside, "inside the steps"; SaveAt.Steps, "every step" ] do
                  test $"{method} {coupling}, saved at {what}" {
                      expectExact "Network" (fixedSteps save method coupling)
                  }

      for method in [ "kvaerno5"; "radau" ] do
          test $"{method}, with its implicit stages" {
              expectExact "Network" (fixedSteps inside method StepCoupling.PerSample)
          }

      for method in [ "leapfrog"; "yoshida4" ] do
          test $"{method}, by turns" { expectExact "Swing" (fixedSteps inside method StepCoupling.PerSample) }

      test "a Rosenbrock method, as far as differences tell its Jacobian's derivatives" {
          use _ = torch.NewDisposeScope()
          let loss, inputs = lossOf "Network" (fixedSteps inside "rodas5p" StepCoupling.PerSample)
          let direction = drawn inputs

          expectNear
              1e-6
              (byDifferences loss inputs direction)
              (alongDirection loss inputs direction)
              "rodas5p"
      }

      test "checkpoints of the first derivatives change nothing" {
          use _ = torch.NewDisposeScope()

          let along checkpoints =
              let options = fixedSteps inside "rk4" StepCoupling.PerSample

              let loss, inputs =
                  lossOf
                      "Swing"
                      (SolveOptions(
                          Start = options.Start,
                          End = options.End,
                          Save = options.Save,
                          Method = options.Method,
                          Checkpoints = checkpoints
                      ))

              alongDirection loss inputs (drawn inputs)

          Expect.equal (along (Nullable 2)) (along (Nullable())) "bit by bit"
      } ]

/// The whole Hessian, row by row.
let private hessian (loss: unit -> Tensor) (inputs: Tensor list) =
    let ofFirst = gradients true (loss ()) inputs

    [| for g in ofFirst do
           for i in 0L .. g.numel () - 1L do
               let rows =
                   torch.autograd.grad (
                       ResizeArray [ g.reshape(-1L).[i] ],
                       ResizeArray inputs,
                       retain_graph = true
                   )

               GradientFault.ThrowIfAny()
               flat (List.ofSeq rows) |]

let private closedForms =
    [ for method, tolerance, accuracy in [ "vern9", 1e-10, 1e-8; "auto", 1e-9, 1e-7; "kvaerno5", 1e-7, 1e-5 ] do
          test $"decay: x0 exp(-k T) twice, by steps of {method} that follow the error" {
              use _ = torch.NewDisposeScope()
              let model = create "Decay"
              let initial = trained (matrix [ [ 1.5 ]; [ -0.4 ] ])
              let time = 2.0
              let options = span 0.0 time (tolerances method tolerance (0.01 * tolerance))
              let loss () = (solveFrom model initial options).Packed.sum()
              let found = hessian loss (initial :: parametersOf model)
              let decayed = exp (-0.8 * time)

              let expected =
                  [| [| 0.0; 0.0; -time * decayed |]
                     [| 0.0; 0.0; -time * decayed |]
                     [| -time * decayed; -time * decayed; time * time * 1.1 * decayed |] |]

              for row, values in Array.zip expected found do
                  expectNear accuracy row values method
          }

      test "predator and prey as in SciMLSensitivity's test of Hessians" {
          use _ = torch.NewDisposeScope()
          let model = create "Predators"
          let initial = vector [ 1.0; 1.0 ]
          let times = SaveAt.Times(ReadOnlySpan [| for i in 0..100 -> float i / 10.0 |])

          let options =
              SolveOptions(
                  Save = times,
                  Method = tolerances "vern9" 1e-12 1e-12,
                  Coupling = StepCoupling.Batch
              )

          let loss () = (solveFrom model initial options).Packed.sum()
          let inputs = parametersOf model

          expectNear
              1e-9
              [ 8.3053626623; -159.484292715; 75.203508214; -339.195092766 ]
              (flat (gradients false (loss ()) inputs))
              "gradient"

          let found = hessian loss inputs
          let direction = drawn inputs
          let along = direction |> List.map (fun v -> v.ToDouble())

          expectNear
              1e-7
              (byDifferences loss inputs direction)
              [| for row in found -> Seq.map2 (*) row along |> Seq.sum |]
              "differences of the gradient"

          for i in 0..3 do
              for j in 0..3 do
                  expectNear 1e-9 [ found[j][i] ] [| found[i][j] |] "symmetric"
      } ]

let private behaviour =
    [ test "samples that do not arrive take no part" {
          use _ = torch.NewDisposeScope()
          let model = create "Blow"

          let along (starts: float list) =
              let initial = trained (vector(starts).unsqueeze -1L)

              let options =
                  SolveOptions(
                      Start = Nullable 0.0,
                      End = Nullable 1.0,
                      Method = tolerances "tsit5" 1e-8 1e-8,
                      MaxSteps = 200
                  )

              let solution = solveFrom model initial options
              let loss = (solution.Packed.nan_to_num ()).sin().sum()
              let inputs = initial :: parametersOf model
              let ofFirst = gradients true loss inputs
              let second = gradients false ((ofFirst[0].sum()).Plus(ofFirst[1].sum())) inputs
              values second[0], values second[1]

          let (ofSome, all), (ofOne, alone) = along [ 0.5; 3.0 ], along [ 0.5 ]
          expectNear 1e-13 [ ofOne[0]; 0.0 ] ofSome "initial states"
          expectNear 1e-13 alone all "parameter"
      }

      test "the gradient itself is that of a backward pass without create_graph" {
          use _ = torch.NewDisposeScope()
          let loss, inputs = lossOf "Network" (fixedSteps inside "tsit5" StepCoupling.PerSample)

          Expect.equal
              (flat (gradients true (loss ()) inputs))
              (flat (gradients false (loss ()) inputs))
              "bits"
      }

      test "third derivatives are refused in words" {
          use _ = torch.NewDisposeScope()
          let loss, inputs = lossOf "Decay" (fixedSteps inside "rk4" StepCoupling.PerSample)
          let ofFirst = gradients true (loss ()) inputs

          Expect.throwsC
              (fun () -> gradients true (ofFirst |> List.map _.sum() |> List.reduce _.Plus) inputs |> ignore)
              (fun e -> Expect.stringContains e.Message "third derivatives" "message")
      }

      testSequenced (
          test "they leave no tensors behind" {
              let loss, inputs = lossOf "Network" (fixedSteps inside "midpoint" StepCoupling.PerSample)

              let once () =
                  use _ = torch.NewDisposeScope()
                  alongDirection loss inputs (drawn inputs) |> ignore

              let alive () =
                  GC.Collect()
                  GC.WaitForPendingFinalizers()
                  torch.Tensor.TotalCount

              for _ in 1..5 do
                  once ()

              let before = alive ()

              for _ in 1..30 do
                  once ()

              Expect.isLessThan (alive () - before) 30L "tensors"
          }
      )

      test "what has no second derivatives says so" {
          use _ = torch.NewDisposeScope()

          for options, words in
              [ SolveOptions(Method = tolerances "bdf" 1e-6 1e-6), "bdf"
                SolveOptions(
                    Method = tolerances "tsit5" 1e-6 1e-6,
                    Gradient = Nullable GradientMode.Backsolve
                ),
                "backsolve"
                SolveOptions(Method = fixedStep "reversible_heun" 0.1), "undone" ] do
              let loss, inputs =
                  lossOf
                      "Decay"
                      (SolveOptions(
                          Start = Nullable 0.0,
                          End = Nullable 1.0,
                          Method = options.Method,
                          Gradient = options.Gradient
                      ))

              Expect.throwsC (fun () -> gradients true (loss ()) inputs |> ignore) (fun e ->
                  Expect.stringContains e.Message words "message")
      } ]

let tests =
    testList
        "SecondDerivatives"
        [ testList "are exact for the scheme" exactness
          testList "have the values of closed forms" closedForms
          testList "behave" behaviour ]
