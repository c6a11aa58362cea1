/// Gradients through constraints, against closed forms and against differences of the very same scheme.
module DiffEqLang.Tests.EndToEnd.ConstraintGradientTests

open System
open Expecto
open TorchSharp
open DiffEqLang.Runtime
open DiffEqLang.Tests.Support
open DiffEqLang.Tests.Support.EventModels
open DiffEqLang.Tests.Support.ConstrainedModels

let private scalar (x: float) = Odes.scalar x

/// Unlike weights, so that nothing cancels.
let private weighted (solution: Solution) =
    let packed = solution.Packed
    let weights = torch.arange (scalar 1.0, scalar (float (packed.numel ()) + 1.0), dtype = torch.float64)
    (packed.mul (weights.sqrt().view (packed.shape))).sum()

/// The gradients of a loss by the starts of a state, where some are given, and by all parameters.
let private gradients name (starts: (string * float list) list) options (loss: Solution -> torch.Tensor) =
    let model = create name
    let given = [ for state, values in starts -> state, (vector values).requires_grad_ true ]
    let solution = solveFrom model given options
    solution.EnsureSuccess()
    (loss solution).backward()
    GradientFault.ThrowIfAny()

    [ for _, start in given do
          yield! numbers start.grad
      for p in model.ParameterNames do
          yield! numbers (model.get_parameter(p).grad) ]

/// The same by central differences of order 4.
let private differences name (starts: (string * float list) list) options (loss: Solution -> torch.Tensor) =
    use _ = torch.no_grad ()

    let value (change: DifferentialModel -> unit) starts =
        let model = create name
        change model
        (loss (solveFrom model [ for state, values in starts -> state, vector values ] options)).item<float>()

    let derivative (f: float -> float) =
        let h = 1e-3
        (8.0 * (f h - f -h) - (f (2.0 * h) - f (-2.0 * h))) / (12.0 * h)

    let model = create name

    [ for state, values in starts do
          for i, start in List.indexed values ->
              derivative (fun by -> value ignore [ state, List.updateAt i (start + by) values ])
      for p in model.ParameterNames do
          let shape = model.Value(p).shape
          let values = numbers (model.Value p)

          for i, element in List.indexed values ->
              derivative (fun by ->
                  let moved = vector (List.updateAt i (element + by) values)
                  value (fun m -> m.SetValue(p, moved.reshape shape)) starts) ]

let private agree tolerance name starts options loss =
    let exact = gradients name starts options loss
    let measured = differences name starts options loss

    for e, m in List.zip exact measured do
        Expect.isLessThan (abs (e - m) / max 1.0 (abs m)) tolerance $"adjoint {e}, differences {m}"

let private closedForms =
    testList
        "closed forms"
        [ for name, order in orders do
              if order > 3.0 then
                  test $"x' = -y with y = k x^2, by {name}" {
                      let options = savingAt [ 0.0; 0.7; 1.0 ] (tolerances name 1e-11 1e-11)

                      let loss (s: Solution) =
                          (s.State "x").select(0, 1L).add((s.State "y").select (0, 2L)).sum()
                      // x = x0/(1 + k x0 t), y = k x^2.
                      let d t = 1.0 + t
                      let byStart = 1.0 / d 0.7 ** 2.0 + 2.0 * (1.0 / d 1.0) / d 1.0 ** 2.0

                      let byRate =
                          -0.7 / d 0.7 ** 2.0
                          + (1.0 / d 1.0 ** 2.0 + 2.0 * (1.0 / d 1.0) * (-1.0 / d 1.0 ** 2.0))

                      close 1e-8 [ byStart; byRate ] (gradients "Square" [ "x", [ 1.0 ] ] options loss) "by x0 and k"
                  }

          test "the start of the unknown is a function of the states: its guess has no gradient" {
              use _ = torch.NewDisposeScope()
              let model = create "Square"
              let x = (vector [ 2.0 ]).requires_grad_ true
              let guess = (vector [ 3.0 ]).requires_grad_ true
              let solution = solveFrom model [ "x", x; "y", guess ] (savingAt [ 0.0; 1.0 ] tight)
              ((solution.State "y").select (0, 0L)).sum().backward()
              close 1e-13 [ 4.0 ] (numbers x.grad) "d (k x^2) / d x"
              close 1e-13 [ 0.0 ] (numbers guess.grad) "by the guess"
              close 1e-13 [ 4.0 ] (numbers (model.get_parameter("k").grad)) "d (k x^2) / d k"
          }

          test "by the saved times: the derivative of the unknown is that along the constraint" {
              use _ = torch.NewDisposeScope()
              let times = (vector [ 0.0; 0.3; 0.9; 1.5 ]).requires_grad_ true

              let solution =
                  (create "Timed")
                      .Solve(options = SolveOptions(Method = tolerances "radau" 1e-12 1e-12, Save = SaveAt.Times times, Start = Nullable 0.0))

              (solution.State "z").sum().backward()
              close 1e-6 [ for t in [ 0.0; 0.3; 0.9; 1.5 ] -> -(sin t) ] (numbers times.grad) "-sin t"
          } ]

/// Fixed steps: the scheme is one smooth function.
let private scheme =
    testList
        "of the scheme, to differences of it"
        [ for name, _ in orders do
              test name {
                  let options = savingAt [ 0.0; 0.13; 0.3; 0.77; 1.0 ] (steps name 0.1)
                  agree 1e-7 "Timed" [ "x", [ 1.0; 1.3 ] ] options weighted
                  agree 1e-7 "Square" [ "x", [ 1.0; 0.5 ] ] options weighted
              }

          test "by parameters that the initial values are made of" {
              agree 1e-7 "Trained" [] (savingAt [ 0.0; 0.5; 1.0 ] (steps "kvaerno4" 0.25)) weighted
          }

          test "by a matrix in the constraints" {
              agree 1e-7 "Network" [] (savingAt [ 0.0; 0.4; 1.0 ] (steps "rodas5p" 0.25)) weighted
          }

          test "of samples that each take steps of their own" {
              let method = tolerances "rodas5p" 1e-9 1e-9
              let options = savingAt [ 0.0; 0.3; 1.0 ] method
              let together = gradients "Square" [ "x", [ 1.0; 20.0; 0.2 ] ] options weighted
              let ofTimes = differences "Square" [ "x", [ 1.0; 20.0; 0.2 ] ] options weighted

              for e, m in List.zip together ofTimes do
                  Expect.isLessThan (abs (e - m) / max 1.0 (abs m)) 1e-6 $"adjoint {e}, differences {m}"
          } ]

let private events =
    testList
        "through events"
        [ test "that find the unknowns anew" {
              let loss (s: Solution) = (s.State "x").sum().add((s.State "n").sum())
              // The resets come at (2 - 1/x0)/k and 1/k later: x(2.5) = 1/(2.5 k - 2 + 1/x0), n = k/2.
              close
                  1e-8
                  [ 1.0 / 2.25; -2.5 / 2.25 + 0.5 ]
                  (gradients "Reset" [ "x", [ 1.0 ] ] (upTo 2.5 tight) loss)
                  "by x0 and k"
          }

          test "at one time, the second by the unknowns of the first" {
              // n = x0 - x1 + 4 k x1^2 + 2 x1 - 0.4 with x1 = x0/(1 + k x0/2).
              let byStart = 1.0 + 4.0 / 9.0 * (1.0 + 16.0 / 3.0)
              let byRate = -2.0 / 9.0 * (1.0 + 16.0 / 3.0) + 16.0 / 9.0

              close
                  1e-8
                  [ byStart; byRate ]
                  (gradients "AtOnce" [ "x", [ 1.0 ] ] (upTo 10.0 tight) (fun s -> s.State("n").sum ()))
                  "by x0 and k"
          } ]

let tests = testList "ConstraintGradients" [ closedForms; scheme; events ]
