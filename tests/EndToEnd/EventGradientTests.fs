/// Gradients of event times and through jumps, against closed forms and differences of the solve.
module DiffEqLang.Tests.EndToEnd.EventGradientTests

open System
open Expecto
open TorchSharp
open DiffEqLang.Runtime
open DiffEqLang.Tests.Support.EventModels

let private gradientOf (model: DifferentialModel) name =
    let parameter = model.get_parameter name
    if isNull parameter.grad then 0.0 else parameter.grad.item<float>()

/// The gradient of a loss by initial values of one state and by parameters.
let private gradients model state (starts: float list) options (loss: Solution -> torch.Tensor) =
    let start = (vector starts).requires_grad_ true
    let solution = solveFrom model [ state, start ] options
    solution.EnsureSuccess()
    (loss solution).backward()
    let byStart = if isNull start.grad then [ for _ in starts -> 0.0 ] else numbers start.grad
    byStart, [ for name in model.ParameterNames -> gradientOf model name ]

/// The same by central differences of the loss.
let private differences create' state (starts: float list) options (loss: Solution -> torch.Tensor) =
    let h = 1e-6
    use _ = torch.no_grad ()

    let value (model: DifferentialModel) starts =
        (loss (solveFrom model [ state, vector starts ] options)).item<float>()

    let byStart =
        [ for i in 0 .. starts.Length - 1 ->
              let moved by = List.updateAt i (starts[i] + by) starts
              (value (create' ()) (moved h) - value (create' ()) (moved -h)) / (2.0 * h) ]

    let byParameter =
        [ for name in (create' (): DifferentialModel).ParameterNames ->
              let moved by =
                  let model: DifferentialModel = create' ()
                  let value = model.Value(name).detach().item<float>()
                  model.SetValue(name, torch.tensor (value + by, dtype = torch.ScalarType.Float64))
                  model

              (value (moved h) starts - value (moved -h) starts) / (2.0 * h) ]

    byStart, byParameter

let private agree tolerance name state starts options loss =
    let byStart, byParameter = gradients (create name) state starts options loss

    let expectedByStart, expectedByParameter =
        differences (fun () -> create name) state starts options loss

    close tolerance expectedByStart byStart (name + " by the start")
    close tolerance expectedByParameter byParameter (name + " by parameters")

let private sum (solution: Solution) = solution.Packed.sum ()

/// Unlike weights, so that nothing cancels.
let private weighted (solution: Solution) =
    let weights =
        torch.arange (
            1.0.ToScalar(),
            (float (solution.Packed.numel ()) + 1.0).ToScalar(),
            dtype = torch.ScalarType.Float64
        )

    (solution.Packed * weights.sqrt().view(solution.Packed.shape)).sum()

let private closedForms =
    testList
        "closed forms"
        [ test "of the time at which a fall ends (case 23)" {
              let starts = [ 1.0; 3.0; 10.0 ]

              let byStart, _ =
                  gradients (create "Fall") "x" starts (over 0.0 5.0) (fun s -> s.EventTimes.sum ())

              close 1e-10 [ for x in starts -> 1.0 / (4.0 * sqrt x) ] byStart "d t / d x0"
          }
          test "of a bounced velocity (case 24)" {
              let _, byParameter =
                  gradients (create "Bounce") "h" [ 1.0 ] (over 0.0 1.0) (fun s -> s.State("h'").sum())

              close 1e-9 [ -0.593421443693; 4.427188724236 ] byParameter "d v / d g, d v / d e"
          }
          test "of a switch's time (case 27)" {
              let _, byParameter =
                  gradients (create "Switched") "y" [ 0.0 ] (over 0.0 1.0) (fun s -> s.State("z").sum())

              close 1e-9 [ exp -0.5 - 1.0 ] byParameter "d z / d tau"
          }
          test "of a neuron's spikes" {
              let model = create "Neuron"
              let start = (vector [ 0.0 ]).requires_grad_ true
              let solution = solveFrom model [ "v", start ] (over 0.0 5.0)
              let third = solution.EventTimes.select(0, 0L).select(0, 2L)
              third.backward ()

              close
                  1e-9
                  [ 3.0 * log 3.0; 3.0 * 0.7 * (1.0 / 1.5 - 1.0 / 0.5) ]
                  [ gradientOf model "tau"; gradientOf model "I" ]
                  "by tau and I"
              // From v0 the first spike comes at tau log((I - v0)/(I - 1)); the others follow it.
              close 1e-9 [ -0.7 / 1.5 ] (numbers start.grad) "by the start"
          }
          test "of two balls that hit the ground at one time, each by its own height" {
              let hit h = sqrt (2.0 * h / 9.8)
              let model = create "Twins"
              let a, b = (vector [ 2.0 ]).requires_grad_ true, (vector [ 2.0 ]).requires_grad_ true
              let solution = solveFrom model [ "a", a; "b", b ] (over 0.0 1.0)
              Expect.equal (timesOf solution 0 |> List.distinct |> List.length) 1 "at once"
              solution.State("a").sum().backward()
              // After the bounce a = e g s (t - s) - g (t - s)^2 / 2 with s = sqrt(2 a0 / g).
              let s = hit 2.0
              let byTime = 0.8 * 9.8 * (1.0 - 2.0 * s) + 9.8 * (1.0 - s)
              close 1e-9 [ byTime / (9.8 * s) ] (numbers a.grad) "a by a0"
              close 1e-12 [ 0.0 ] (numbers b.grad) "a by b0"
          } ]

let private byDifferences =
    testList
        "differences"
        [ let saving = savingAt [ 0.0; 0.5; 1.0; 1.5; 2.0; 2.5 ]

          for name in [ "Boost"; "Square"; "Land" ] do
              test (sprintf "%s, saved within (case 25)" name) { agree 1e-6 name "h" [ 5.0 ] saving weighted }

          test "a batch with different counts of events" {
              agree 1e-6 "Bounce" "h" [ 0.7; 3.0; 10.0 ] saving weighted
          }

          test "times of all events" {
              let times (solution: Solution) = solution.EventTimes.nan_to_num().square().sum()
              agree 1e-6 "Bounce" "h" [ 0.7; 3.0; 10.0 ] saving times
          }

          test "times and states together, in a loss of both" {
              let both (solution: Solution) =
                  (weighted solution) * solution.EventTimes.select(0, 0L).select(0, 0L)

              agree 1e-6 "Bounce" "h" [ 3.0 ] saving both
          }

          test "a pulse train at given times" { agree 1e-7 "Doses" "d" [ 0.3 ] saving weighted }
          test "events that change nothing" { agree 1e-7 "Pendulum" "q" [ 0.7 ] saving weighted }

          test "fixed steps" {
              let options =
                  SolveOptions(
                      Method = Methods.Rk4(0.01),
                      Save = SaveAt.Times(ReadOnlySpan [| 0.0; 1.0; 2.5 |])
                  )

              agree 1e-6 "Neuron" "v" [ 0.1 ] options weighted
          }

          test "implicit steps" {
              let options =
                  SolveOptions(
                      Method = Methods.Radau(rtol = Nullable 1e-9, atol = Nullable 1e-9),
                      Save = SaveAt.Times(ReadOnlySpan [| 0.0; 1.0; 2.5 |])
                  )

              agree 1e-5 "Neuron" "v" [ 0.1 ] options weighted
          }

          test "backwards in time" {
              let options =
                  SolveOptions(Method = tight.Method, Save = SaveAt.Times(ReadOnlySpan [| 2.5; 1.0; 0.0 |]))

              agree 1e-6 "Pendulum" "q" [ 0.7 ] options weighted
          } ]

let private saved =
    testList
        "saved times"
        [ test "a saved time between events moves along the solution; a held one does not" {
              let times = (vector [ 0.0; 0.4; 0.8; 1.2 ]).requires_grad_ true
              let options = SolveOptions(Method = tight.Method, Save = SaveAt.Times times)
              let solution = solveFrom (create "Fall") [ "x", vector [ 1.0 ] ] options
              solution.State("x").sum().backward()

              close
                  1e-9
                  [ -3.2; 0.0; 0.0 ]
                  (numbers times.grad |> List.tail)
                  "dx/dt where it falls, then rests"
          }
          test "a sample that fails gives no gradient to the others" {
              let model = create "Bounce"
              model.SetValue("e", torch.tensor (0.5, dtype = torch.ScalarType.Float64))
              let alone, _ = gradients (create "Bounce") "h" [ 400.0 ] (over 0.0 8.0) sum

              for checkpoints in [ Nullable(); Nullable 5 ] do
                  let start = (vector [ 1.0; 400.0 ]).requires_grad_ true

                  let options =
                      SolveOptions(
                          Method = tight.Method,
                          Start = Nullable 0.0,
                          End = Nullable 8.0,
                          Checkpoints = checkpoints
                      )

                  let solution = solveFrom model [ "h", start ] options
                  solution.Packed.select(0, 0L).select(0, 1L).sum().backward()
                  close 1e-9 (0.0 :: alone) (numbers start.grad) "the first has ended"
          } ]

let private multistep =
    testList
        "multistep methods agree with one-step ones"
        [ for name in Methods.MultistepNames do
              for model, state, starts in
                  [ "Bounce", "h", [ 1.0; 3.0 ]
                    "Neuron", "v", [ 0.1 ]
                    "Doses", "d", [ 0.3 ]
                    "Pendulum", "q", [ 0.7 ] ] do
                  test $"{name} {model}" {
                      let options method =
                          SolveOptions(Method = method, Save = SaveAt.Times(ReadOnlySpan [| 0.0; 0.9; 2.3 |]))

                      let loss (solution: Solution) =
                          (weighted solution).add(solution.EventTimes.nan_to_num().sum(), 1.0.ToScalar())

                      let method = Method(name, Rtol = Nullable 1e-10, Atol = Nullable 1e-10)
                      let byStart, byParameter = gradients (create model) state starts (options method) loss

                      let expectedByStart, expectedByParameter =
                          gradients (create model) state starts (options tight.Method) loss

                      close 1e-6 expectedByStart byStart "by the start"
                      close 1e-6 expectedByParameter byParameter "by parameters"
                  } ]

let private checkpoints =
    testList
        "checkpoints give the gradient of all states, to the last bit"
        [ let bouncing = "Bounce", "h", [ 1.0; 3.0; 0.6 ], [ 0.0; 0.9; 0.95; 2.3 ]
          let spiking = "Neuron", "v", [ 0.1; -2.0; 0.9 ], [ 0.0; 0.9; 2.3 ]
          let dosed = "Doses", "d", [ 0.3; 0.0 ], [ 0.0; 0.5; 1.2; 2.3 ]

          let others =
              [ "AtOnce", "x", [ 0.0; 0.5 ], [ 0.0; 1.0; 1.5 ]
                "Land", "h", [ 5.0; 0.2 ], [ 0.0; 0.3; 2.3 ]
                "Pendulum", "q", [ 0.7; 0.1 ], [ 2.3; 0.9; 0.0 ] ]

          for method, models in
              [ Methods.Tsit5(rtol = Nullable 1e-5, atol = Nullable 1e-7),
                bouncing :: spiking :: dosed :: others
                Methods.Kvaerno5(rtol = Nullable 1e-4, atol = Nullable 1e-6), [ bouncing; spiking ]
                Methods.Rodas5P(rtol = Nullable 1e-4, atol = Nullable 1e-6), [ spiking; dosed ]
                Methods.Rk4 0.1, [ bouncing; dosed ] ] do
              for model, state, starts, times in models do
                  test $"{method.Name} {model}" {
                      let gradients (checkpoints: Nullable<int>) =
                          let options =
                              SolveOptions(
                                  Method = method,
                                  Save = SaveAt.Times(ReadOnlySpan(List.toArray times)),
                                  Checkpoints = checkpoints
                              )

                          gradients (create model) state starts options (fun solution ->
                              (weighted solution).add(solution.EventTimes.nan_to_num().sum(), 1.0.ToScalar()))

                      let expected = gradients (Nullable())

                      for most in [ 4; 1000 ] do
                          Expect.equal (gradients (Nullable most)) expected $"{most} states"
                  }

          testSequenced
          <| test "tensors alive do not grow with the events" {
              let alive last checkpoints =
                  use _ = torch.NewDisposeScope()
                  let model = create "Neuron"
                  let before = torch.Tensor.TotalCount

                  let options =
                      SolveOptions(
                          Method = Methods.Rk4 0.05,
                          Start = Nullable 0.0,
                          End = Nullable last,
                          Checkpoints = checkpoints
                      )

                  let solution = solveFrom model [ "v", vector [ 0.1 ] ] options
                  // A state before and one after each event are the solution's.
                  let events = int64 solution.Events[0].Count
                  events, torch.Tensor.TotalCount - before - 2L * events

              for last in [ 10.0; 100.0 ] do
                  let events, alive = alive last (Nullable 10)
                  Expect.isGreaterThan events (int64 last) "events"
                  Expect.isLessThan alive 80L $"{events} events"

              Expect.isGreaterThan (snd (alive 10.0 (Nullable()))) 200L "where all are kept"
          } ]

let tests =
    testList "Event gradients" [ closedForms; byDifferences; saved; multistep; checkpoints ]
