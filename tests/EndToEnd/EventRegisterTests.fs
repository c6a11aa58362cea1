/// Events on registers: against closed forms, against tensors, and each lane for itself.
module DiffEqLang.Tests.EndToEnd.EventRegisterTests

open System
open System.Collections.Generic
open Expecto
open TorchSharp
open DiffEqLang.Runtime
open DiffEqLang.Runtime.Simd
open DiffEqLang.Tests.Support.EventModels

let private create64 name = createOnRegisters torch.float64 name

let private onTarget (target: SolveTarget) (options: SolveOptions) =
    SolveOptions(
        Target = Nullable target,
        Method = options.Method,
        Start = options.Start,
        End = options.End,
        Save = options.Save,
        MaxSteps = options.MaxSteps,
        Threads = options.Threads
    )

let private solveOn target (model: DifferentialModel) starts options =
    use _ = torch.no_grad ()
    solveFrom model starts (onTarget target options)

let private solveLanes model starts options = solveOn SolveTarget.Simd model starts options

/// What one sample's events were, in order.
let private names (solution: Solution) sample = [ for e in solution.Events[sample] -> e.Event.Name ]

/// NaN is equal to NaN.
let private near tolerance expected actual what =
    let isNan = List.map Double.IsNaN
    Expect.equal (isNan actual) (isNan expected) (what + ": what is missing")
    let finite = List.filter (Double.IsNaN >> not)
    close tolerance (finite expected) (finite actual) what

/// Statuses, events and saved states by both targets.
let private expectEqualTargets tolerance (model: DifferentialModel) starts options what =
    let expected = solveOn SolveTarget.Torch model starts options
    let found = solveLanes model starts options
    Expect.sequenceEqual found.Status expected.Status (what + ": status")
    near tolerance (List.ofSeq expected.LastTime) (List.ofSeq found.LastTime) (what + ": last times")
    near tolerance (numbers expected.Packed) (numbers found.Packed) (what + ": states")
    near tolerance (numbers expected.LastState) (numbers found.LastState) (what + ": last states")
    near tolerance (numbers expected.EventTimes) (numbers found.EventTimes) (what + ": event times")

    for sample in 0 .. expected.Status.Count - 1 do
        Expect.equal (names found sample) (names expected sample) (what + ": events")

        for e, f in Seq.zip expected.Events[sample] found.Events[sample] do
            near tolerance (numbers e.Before) (numbers f.Before) (what + ": before")
            near tolerance (numbers e.After) (numbers f.After) (what + ": after")

let private adaptive (name: string) rtol = Method(name, Rtol = Nullable rtol, Atol = Nullable rtol)

let private by (m: Method) start upTo =
    SolveOptions(
        Method = m,
        Start = Nullable start,
        End = Nullable upTo,
        Save = SaveAt.Grid 7,
        Threads = Nullable 1
    )

/// Every model with a start where it has none, and spans.
let private cases =
    [ "Decline", [], 2.0, 0.0
      "EitherOf", [], 0.0, 20.0
      "Fall", [ "x", [ 1.0; 3.0; 10.0 ] ], 0.0, 1.0
      "Bounce", [ "h", [ 0.5; 3.0; 10.0; 40.0; 1.0 ] ], 0.0, 4.0
      "Switched", [], 0.0, 3.0
      "Thermostat", [ "T", [ for i in 0..8 -> 19.0 + 0.3 * float i ] ], 0.0, 4.0
      "Neuron", [ "v", [ for i in 0..16 -> 0.05 * float i ] ], 0.0, 5.0
      "TwoTimers", [], 0.0, 25.0
      "Dip", [], 0.0, 3.0
      "AtOnce", [], 0.0, 2.0
      "Doses", [], 0.0, 2.0
      "Doses", [], -0.2, -1.3
      "Twins", [ "a", [ 1.0; 2.0 ]; "b", [ 2.0; 1.0 ] ], 0.0, 1.5
      "Pulse", [], 0.0, 1.0
      "Pendulum", [], 0.0, 5.0
      "Pendulum", [], 5.0, 0.0 ]

/// Those that meet most of the rules.
let private few =
    cases
    |> List.filter (fun (name, _, start, _) ->
        List.contains name [ "Decline"; "Bounce"; "Thermostat"; "AtOnce"; "Dip" ]
        || name = "Doses" && start < 0.0)

let private isSecondOrder (name, _, _, _) = List.contains name [ "Fall"; "Bounce"; "Twins" ]

let private methods =
    [ adaptive "tsit5" 1e-8, 1e-9, cases
      Methods.Rk4 0.07, 1e-9, cases
      adaptive "dopri5" 1e-9, 1e-9, few
      adaptive "vern7" 1e-9, 1e-8, few
      adaptive "dprkn6" 1e-9, 1e-8, List.filter isSecondOrder cases
      adaptive "rodas5p" 1e-8, 1e-6, few
      // Newton's iterations begin elsewhere, and end where their tolerance lets them.
      adaptive "radau" 1e-7, 1e-5, few ]

let private targets =
    testList
        "are those on tensors"
        [ for m, tolerance, cases in methods do
              test m.Name {
                  for name, starts, start, upTo in cases do
                      let starts = [ for state, values in starts -> state, vector values ]
                      expectEqualTargets tolerance (create64 name) starts (by m start upTo) name
              }
          test "in float32" {
              for name, starts in [ "Neuron", [ "v", [ 0.0; 0.3; 0.7 ] ]; "Doses", []; "Thermostat", [] ] do
                  let starts = [ for state, v in starts -> state, (vector v).to_type torch.float32 ]
                  let model = createOnRegisters torch.float32 name
                  expectEqualTargets 3e-4 model starts (by (adaptive "tsit5" 1e-5) 0.0 2.0) name
          }
          test "step by step, for one sample" {
              for name, start, upTo in [ "Thermostat", 0.0, 10.0; "Doses", 0.0, 2.2; "Doses", -0.2, -1.3 ] do
                  for m in [ adaptive "tsit5" 1e-8; Methods.Rk4 0.07 ] do
                      let model, options = create64 name, by m start upTo
                      let expected = (solveOn SolveTarget.Torch model [] options).Statistics
                      let found = (solveLanes model [] options).Statistics
                      Expect.sequenceEqual found.Accepted expected.Accepted $"{name}: accepted"
                      Expect.sequenceEqual found.Rejected expected.Rejected $"{name}: rejected"

                      if m.Name = "tsit5" then
                          Expect.equal found.Evaluations expected.Evaluations $"{name}: evaluations"
          } ]

let private exact =
    testList
        "against closed forms"
        [ test "bounces, whatever the height" {
              let heights = [ for i in 0..36 -> 0.5 + 0.61 * float i ]
              let solution = solveLanes (create64 "Bounce") [ "h", vector heights ] (over 0.0 4.0)

              for sample, h in List.indexed heights do
                  let fall = sqrt (2.0 * h / 9.8)
                  let times = timesOf solution sample

                  let expected =
                      [ for n in 0 .. times.Length - 1 ->
                            fall * (1.0 + 2.0 * (Seq.init n (fun i -> 0.8 ** float (i + 1)) |> Seq.sum)) ]

                  close 1e-10 expected times $"from {h}"
          }
          test "a neuron's regular fire, and its potential between and at the times of fire" {
              let period = 0.7 * log 3.0
              let saved = [ 0.0; 0.4; period; 1.0; 2.0 * period; 2.0 ]

              let solution = solveLanes (create64 "Neuron") [ "v", vector [ 0.0; 0.0 ] ] (savingAt saved)

              let phases = [ 0.0; 0.4; 0.0; 1.0 - period; 0.0; 2.0 - 2.0 * period ]
              // At the time of an event, which rounding puts before or behind the saved one, the potential is that before or after.
              let expected = [ for phase in phases -> 1.5 * (1.0 - exp (-phase / 0.7)) ]
              let v = numbers (solution.Packed.select(-1, 0L).select(1, 1L))

              for i, (e, a) in List.indexed (List.zip expected v) do
                  if i = 2 || i = 4 then
                      Expect.isTrue (abs a < 1e-9 || abs (a - 1.0) < 1e-9) "on one side"
                  else
                      Expect.isLessThan (abs (a - e)) 1e-10 "between"
          }
          test "given times are landed on exactly, and saved after the event" {
              let solution =
                  solveLanes (create64 "Doses") [] (savingAt [ 0.0; 0.25; 0.5; 1.0; 1.2; 1.5; 2.0 ])

              close 0.0 [ 0.5; 1.0; 1.2; 1.5; 2.0 ] (timesOf solution 0) "times"
              let half = exp -0.5
              let d = numbers (solution.Packed.select (-1, 0L))
              close 1e-11 [ 0.0; 0.0; 1.0; 1.0 + half; 0.0; 1.0; 1.0 + half ] d "d"
          }
          test "a step that lands on a given time stays on its side of it" {
              let attempts (target: SolveTarget) name =
                  let solution = solveOn target (create64 name) [] (by (adaptive "dopri5" 1e-9) 0.0 2.0)

                  close 1e-7 [ 1.0 - exp -1.0 + exp -2.0 ] [ List.last (numbers solution.Packed) ] name
                  solution.Statistics.Accepted[0] + solution.Statistics.Rejected[0]

              let broken = attempts SolveTarget.Simd "Broken"
              Expect.equal broken (attempts SolveTarget.Torch "Broken") "as on tensors"
              Expect.isLessThan broken (attempts SolveTarget.Simd "Unbroken" - 20L) "the search for the break"
          } ]

/// What an ensemble gives, sample by sample: how it ended, its last state, and its events.
type private Found = { Status: SolveStatus; Last: int64 list; Events: (string * int64) list }

let private bits (x: float) = BitConverter.DoubleToInt64Bits x

let private eventsOf (events: IReadOnlyList<RecordedEvent>) =
    events |> Seq.map (fun e -> e.Event.Name, bits e.Time)

/// Balls by height and restitution, each as if alone.
let private balls (options: SolveOptions) (balls: (float * float) list) =
    let model = create64 "Bounce" :?> OdeModel
    let found = ResizeArray<Found>()

    Ensemble<float>(model)
        .From(
            ReadOnlyMemory
                [| for h, _ in balls do
                       yield! [ h; 0.0 ] |]
        )
        .Vary("e", ReadOnlyMemory [| for _, e in balls -> e |])
        .Solve(
            options,
            EnsembleReceiver<float>(fun chunk ->
                for i in 0 .. chunk.Count - 1 do
                    found.Add
                        { Status = chunk.Status[i]
                          Last = [ bits chunk.LastState[2 * i]; bits chunk.LastState[2 * i + 1] ]
                          Events = List.ofSeq (eventsOf chunk.Events[i]) })
        )
    |> ignore

    List.ofSeq found

let private company =
    testList
        "in company"
        [ for m in
              [ adaptive "tsit5" 1e-8
                adaptive "dopri5" 1e-8
                Methods.Rk4 0.05
                adaptive "rodas5p" 1e-7
                adaptive "radau" 1e-7 ] do
              test
                  $"{m.Name}: a ball is itself, bit for bit, beside balls that come to rest, are no number or run out of steps" {
                  let options =
                      SolveOptions(Method = m, Start = Nullable 0.0, End = Nullable 3.0, MaxSteps = 300)

                  let sound = [ for i in 0..6 -> 2.0 + 1.7 * float i, 0.7 ]
                  let odd = [ 1.0, 0.3; nan, 0.7; 3.0, nan; 1e-3, 0.99 ]
                  let mixed = [ for i in 0..20 -> if i % 3 = 2 then odd[i % 4] else sound[i % 7] ]
                  let alone = dict [ for ball in sound -> ball, (balls options [ ball ])[0] ]

                  for ball, found in List.zip mixed (balls options mixed) do
                      match alone.TryGetValue ball with
                      | true, expected ->
                          Expect.equal found expected $"{ball}"
                          Expect.equal found.Status SolveStatus.Success $"{ball}"
                          Expect.isNonEmpty found.Events $"{ball}"
                      // Bounces below what Newton's iteration leaves: the ball falls through the floor, on tensors too.
                      | _ when m.Name = "radau" && ball = (1.0, 0.3) -> ()
                      | _ -> Expect.notEqual found.Status SolveStatus.Success $"{ball}"
              }
          test "the number of threads changes no bit" {
              let on threads =
                  let options =
                      SolveOptions(
                          Method = adaptive "tsit5" 1e-6,
                          Start = Nullable 0.0,
                          End = Nullable 3.0,
                          Threads = Nullable threads
                      )

                  balls options [ for i in 0..699 -> 1.0 + 0.01 * float i, 0.8 ]

              Expect.equal (on 4) (on 1) "all of it"
          }
          test "512-bit registers give the same" {
              let solved isWide =
                  use _ = torch.no_grad ()
                  let model = create64 "Thermostat"
                  let binding = (DiffEqLang.Tests.Support.Kernels.binding model).Value :?> SimdBinding<float>
                  binding.IsWide <- isWide
                  let options = by (adaptive "tsit5" 1e-8) 0.0 4.0
                  let initial = torch.tensor (array2D [ for i in 0..9 -> [ 19.0 + 0.2 * float i; 0.0 ] ])
                  let span = SolveSpan.Of(options, options.Start, options.End)
                  let solution = SimdSolve.Run(binding, model.Layout, initial, options, span)
                  numbers solution.Packed, numbers solution.EventTimes |> List.filter (Double.IsNaN >> not)

              let (narrow, times), (wide, timesOfWide) = solved false, solved true
              close 1e-12 narrow wide "states"
              close 1e-12 times timesOfWide "event times"
          } ]

let private refusals =
    testList
        "what registers leave to torch"
        [ let refuses what (says: string) (solve: DifferentialModel -> unit) =
              test what {
                  Expect.throwsC (fun () -> solve (create64 "Bounce")) (fun e ->
                      Expect.stringContains e.Message says "why")
              }

          let simd = onTarget SolveTarget.Simd (over 0.0 1.0)
          let start = [ "h", vector [ 1.0; 2.0 ] ]

          refuses "gradients of parameters" "Gradients through events" (fun model ->
              solveFrom model start simd |> ignore)

          refuses "gradients of starts" "Gradients through events" (fun model ->
              for p in model.parameters () do
                  p.requires_grad <- false

              solveFrom model [ "h", (vector [ 1.0 ]).requires_grad_ true ] simd |> ignore)

          refuses "solvers of gradients" "Gradients through events" (fun model ->
              new GradientSolver<float>(model :?> OdeModel, 2, simd) |> ignore)

          refuses "steps that samples share" "StepCoupling.PerSample" (fun model ->
              use _ = torch.no_grad ()

              let coupled =
                  SolveOptions(
                      Target = Nullable SolveTarget.Simd,
                      Start = Nullable 0.0,
                      End = Nullable 1.0,
                      Coupling = StepCoupling.Batch
                  )

              solveFrom model start coupled |> ignore)

          test "auto takes torch for gradients, and registers without" {
              let model = create64 "Bounce"
              let solution = solveFrom model start (over 0.0 1.0)
              Expect.isTrue solution.Packed.requires_grad "gradients flow"
              use _ = torch.no_grad ()
              let lanes = solveFrom model start (over 0.0 1.0)
              close 1e-10 (numbers solution.Packed) (numbers lanes.Packed) "states"
          } ]

let tests = testList "EventRegisters" [ targets; exact; company; refusals ]
