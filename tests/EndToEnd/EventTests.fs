/// Events as solves find them: against closed forms, sample by sample, in both directions of time.
module DiffEqLang.Tests.EndToEnd.EventTests

open System
open Expecto
open TorchSharp
open DiffEqLang.Runtime
open DiffEqLang.Tests.Support.EventModels

let private e = Math.E

/// The name and time of the first event of a solve from 0, and the status.
let private first (model: string) upTo =
    let solution = solve (create model) (over 0.0 upTo)
    let events = solution.Events[0]

    (if events.Count = 0 then "", nan else events[0].Event.Name, events[0].Time),
    solution.Status[0],
    solution.LastTime[0]

let private stopsAt model upTo name time =
    let (found, at), status, last = first model upTo
    Expect.equal found name model
    Expect.equal status SolveStatus.Stopped model
    close 1e-9 [ time; time ] [ at; last ] model

/// The times at which a ball dropped from h0 hits the ground, and the velocities before.
let private bounces g restitution h0 count =
    let fall = sqrt (2.0 * h0 / g)

    [ for n in 0 .. count - 1 ->
          fall * (1.0 + 2.0 * (Seq.init n (fun i -> restitution ** float (i + 1)) |> Seq.sum)) ]

let private closedForms =
    testList
        "closed forms"
        [ test "y' = y reaches e at 1 (case 20)" { stopsAt "Growth" 3.0 "rising(y - 2.718281828459045)" 1.0 }
          test "the earlier of two stops (case 21)" { stopsAt "EitherOf" 20.0 "rising(y + 5)" 5.0 }
          test "by direction (case 22)" {
              stopsAt "BothUp" 10.0 "rising(y[0] - 5)" 5.0
              stopsAt "BothDown" 10.0 "falling(5 - y[1])" 4.0
              let (found, _), status, last = first "Neither" 10.0
              Expect.equal (found, status, last) ("", SolveStatus.Success, 10.0) "no direction fits"
          }
          test "a fall from three heights stops each at its own time (case 23)" {
              let solution = solveFrom (create "Fall") [ "x", vector [ 1.0; 3.0; 10.0 ] ] (over 0.0 5.0)
              let expected = [ for x in [ 1.0; 3.0; 10.0 ] -> 0.5 * sqrt x ]
              close 1e-12 expected (List.ofSeq solution.LastTime) "last times"
              close 1e-12 expected (numbers solution.EventTimes) "event times"
              Expect.allEqual solution.Status SolveStatus.Stopped "status"
          }
          test "a bounce (case 24)" {
              let solution = solveFrom (create "Bounce") [ "h", vector [ 1.0 ] ] (over 0.0 1.0)
              close 1e-11 [ 0.468939703624; -1.831060296376 ] (numbers solution.Packed) "h, h'"
          }
          test "bounces by torchdiffeq's example (case 26)" {
              let solution = solveFrom (create "Bounce") [ "h", vector [ 9.8 ] ] (over 0.0 6.0)

              close
                  1e-11
                  [ for x in [ 1.0; 2.6; 3.88 ] -> x * sqrt 2.0 ]
                  (timesOf solution 0 |> List.truncate 3)
                  "times"
          }
          test "every bounce of four seconds, its velocity before and after" {
              let solution = solveFrom (create "Bounce") [ "h", vector [ 10.0 ] ] (over 0.0 8.0)
              let times = timesOf solution 0
              close 1e-10 (bounces 9.8 0.8 10.0 times.Length) times "times"
              Expect.isGreaterThan times.Length 3 "several"

              for n, event in Seq.indexed solution.Events[0] do
                  let speed = sqrt (2.0 * 9.8 * 10.0) * 0.8 ** float n
                  close 1e-9 [ 0.0; -speed ] (numbers event.Before) "before"
                  close 1e-9 [ 0.0; 0.8 * speed ] (numbers event.After) "after"
          }
          test "a thermostat's cycles" {
              let solution = solve (create "Thermostat") (over 0.0 10.0)
              let off = log (11.0 / 9.0) / 0.5
              let on = log (7.0 / 5.0) / 0.5
              let firstOn = log (10.0 / 9.0) / 0.5
              let times = timesOf solution 0

              let expected =
                  [ for n in 0 .. times.Length - 1 ->
                        firstOn + float (n / 2) * (on + off) + float (n % 2) * on ]

              close 1e-9 expected times "times"
              Expect.equal times.Length 19 "events in ten hours"
          }
          test "a neuron's regular fire" {
              let solution = solve (create "Neuron") (over 0.0 10.0)
              let period = 0.7 * log (1.5 / 0.5)
              let times = timesOf solution 0
              close 1e-9 [ for n in 1 .. times.Length -> float n * period ] times "times"
              Expect.equal times.Length (int (10.0 / period)) "how many"
          } ]

/// From 0 to 1 in steps of a size, whose ends are exact.
let private inSteps dt = SolveOptions(Method = Methods.Rk4 dt, Start = Nullable 0.0, End = Nullable 1.0)

/// A straight line is exact however long the step is.
let private inOneStep upTo =
    SolveOptions(Method = Methods.Rk4 upTo, Start = Nullable 0.0, End = Nullable upTo)

let private finding =
    testList
        "finding"
        [ test "two events in one step, each at its own time" {
              let solution = solve (create "TwoTimers") (inOneStep 5.0)
              close 1e-14 [ 1.0; 1.1 ] (timesOf solution 0) "times"
              close 1e-13 [ 6.0; 6.1 ] (numbers solution.Packed) "x, y at 5"
          }
          test "a value that passes zero and comes back within a step" {
              let times model = timesOf (solve (create model) (inOneStep 3.0)) 0
              close 1e-13 [ 0.4; 0.6 ] (times "Dip") "both crossings"
              close 1e-13 [ 0.6 ] (times "DipUp") "the second alone rises"
          }
          test "events of one time act in their order" {
              let solution = solve (create "AtOnce") (over 0.0 2.0)
              let events = [ for o in solution.Events[0] -> o.Event.Name, o.Time ]

              Expect.equal
                  (List.map fst events)
                  [ "rising(x - 1)"; "rising(y - 1)"; "at(1)" ]
                  "in the order of the file"

              Expect.allEqual (List.map snd events) 1.0 "at one time, exactly"
              close 1e-14 [ 2.0; 2.0; 10.5 ] (numbers solution.Packed) "(0 + 1)*10 + 0.5"
          }
          test "a touch is no passage, a passage without slope is one" {
              let times model = timesOf (solve (create model) (inSteps 0.25)) 0
              close 0.0 [] (times "Touch") "a parabola"
              close 1e-6 [ 0.5 ] (times "Inflection") "a cubic"
          }
          test "many events of one time are not endless" {
              let solution = solve (create "Crowd") (over 0.0 1.0)
              Expect.equal solution.Status[0] SolveStatus.Success "status"
              Expect.equal solution.Events[0].Count 400 "forty at each of ten times"
          }
          test "an event does not happen again at its own root" {
              for upTo in [ 1.0; 3.0; 10.0 ] do
                  let times = timesOf (solve (create "Pendulum") (over 0.0 upTo)) 0

                  let expected =
                      [ for n in 0..20 -> (float n + 0.5) * Math.PI / 2.0 ] |> List.filter (fun t -> t < upTo)

                  close 1e-9 expected times "crossings of a cosine"
          }
          test "backwards in time, as the solve sees it" {
              let solution = solve (create "Decline") (over 2.0 0.0)
              Expect.equal solution.Status[0] SolveStatus.Stopped "status"
              close 1e-10 [ 1.0 ] (timesOf solution 0) "time"
          }
          test "in float32" {
              let model = createAs torch.ScalarType.Float32 "Bounce"
              let start = torch.tensor ([| 10.0f |])
              let options = SolveOptions(Method = Methods.Tsit5(), Start = Nullable 0.0, End = Nullable 8.0)
              let solution = solveFrom model [ "h", start ] options
              let times = timesOf solution 0
              close 2e-5 (bounces 9.8 0.8 10.0 times.Length) times "times"
              Expect.equal solution.EventTimes.dtype torch.ScalarType.Float32 "of the state's type"
          }
          test "with fixed steps, whose grid events do not move" {
              let options =
                  SolveOptions(Method = Methods.Rk4(0.25), Start = Nullable 0.0, End = Nullable 3.0)

              let solution = solveFrom (create "Bounce") [ "h", vector [ 5.0 ] ] options
              let times = timesOf solution 0
              close 1e-12 (bounces 9.8 0.8 5.0 times.Length) times "a parabola is exact"

              Expect.equal
                  solution.Statistics.Accepted[0]
                  (12L + int64 times.Length)
                  "a step more for each event"
          }
          test "by implicit methods too" {
              let options =
                  SolveOptions(
                      Method = Methods.Radau(rtol = Nullable 1e-9, atol = Nullable 1e-9),
                      Start = Nullable 0.0,
                      End = Nullable 5.0
                  )

              let times = timesOf (solve (create "Neuron") options) 0
              close 1e-6 [ for n in 1 .. times.Length -> float n * 0.7 * log 3.0 ] times "times"
          } ]

let private timed =
    testList
        "given times"
        [ test "are landed on exactly, and saved after the event" {
              let solution = solve (create "Doses") (savingAt [ 0.0; 0.25; 0.5; 1.0; 1.2; 1.5; 2.0 ])
              let names = [ for o in solution.Events[0] -> o.Event.Name, o.Time ]

              Expect.equal
                  names
                  [ "every(0.5)", 0.5
                    "every(0.5)", 1.0
                    "at(1.2)", 1.2
                    "every(0.5)", 1.5
                    "every(0.5)", 2.0 ]
                  "all but the start, the end included"

              let d = numbers (solution.State "d")
              let half = exp -0.5
              close 1e-11 [ 0.0; 0.0; 1.0; 1.0 + half; 0.0; 1.0; 1.0 + half ] d "d"
              close 1e-14 [ 0.0; 0.0; 1.0; 2.0; 2.0; 3.0; 4.0 ] (numbers (solution.State "n")) "n"
          }
          test "are multiples of the period wherever the solve starts, in both directions" {
              let times start upTo = timesOf (solve (create "Doses") (over start upTo)) 0
              close 0.0 [ 1.0; 1.2; 1.5 ] (times 0.7 1.6) "forwards"
              close 0.0 [ -0.5; -1.0 ] (times -0.2 -1.3) "backwards"
              close 0.0 [ 1.0; 1.2 ] (times 0.5 1.2) "the start is behind, the end is not"
          }
          test "with fixed steps" {
              let options =
                  SolveOptions(Method = Methods.Rk4(0.3), Start = Nullable 0.0, End = Nullable 2.0)

              let solution = solve (create "Doses") options
              close 0.0 [ 0.5; 1.0; 1.2; 1.5; 2.0 ] (timesOf solution 0) "times"

              Expect.equal
                  solution.Statistics.Accepted[0]
                  (7L + 2L)
                  "multiples of the step, and the two given times that are none"
          } ]

let private batches =
    testList
        "batches"
        [ test "each sample has its own events, as if alone" {
              let heights = [ 0.5; 3.0; 10.0; 40.0 ]
              let model = create "Bounce"
              let together = solveFrom model [ "h", vector heights ] (over 0.0 4.0)

              for i, h in List.indexed heights do
                  let alone = solveFrom model [ "h", vector [ h ] ] (over 0.0 4.0)
                  close 1e-13 (timesOf alone 0) (timesOf together i) (sprintf "from %g" h)

                  close
                      1e-12
                      (numbers alone.Packed)
                      (numbers (together.Packed.select(0, 0L).select(0, int64 i)))
                      "the end"

              Expect.equal
                  together.EventTimes.shape
                  [| 4L; int64 together.Events[0].Count |]
                  "as many as the most"

              Expect.isTrue
                  (numbers (together.EventTimes.select (0, 3L)) |> List.last |> Double.IsNaN)
                  "fewer: NaN"
          }
          test "a stopped sample rests in its state" {
              let model = create "Fall"
              let options = savingAt [ 0.0; 0.4; 0.8; 1.2; 1.6 ]
              let solution = solveFrom model [ "x", vector [ 1.0; 10.0 ] ] options
              let x = solution.State "x"
              close 1e-12 [ 1.0; 0.36; 0.0; 0.0; 0.0 ] (numbers (x.select (1, 0L))) "stopped at 0.5"
              close 1e-12 [ 10.0; 9.36; 7.44; 4.24; 0.0 ] (numbers (x.select (1, 1L))) "stopped at 1.58"
              Expect.isTrue solution.Succeeded "stopping is success"
          }
          test "events without end have a status of their own; batch mates go on" {
              let model = create "Bounce"
              model.SetValue("e", torch.tensor (0.5, dtype = torch.ScalarType.Float64))
              let solution = solveFrom model [ "h", vector [ 1.0; 400.0 ] ] (over 0.0 8.0)

              Expect.equal
                  (List.ofSeq solution.Status)
                  [ SolveStatus.EndlessEvents; SolveStatus.Success ]
                  "status"

              close 1e-8 [ sqrt (2.0 / 9.8) * 3.0 ] [ solution.LastTime[0] ] "where the ball lies still"
              Expect.stringContains solution.Message "ever faster at t = 1.35526" "says when"
              Expect.stringContains solution.Message "`stop`" "and what to do"
              Expect.isTrue (numbers solution.Packed |> List.head |> Double.IsNaN) "not reached"
              Expect.isFalse (numbers solution.Packed |> List.last |> Double.IsNaN) "reached"
          }
          test "a jump to no number ends the sample" {
              let solution = solve (create "Pulse") (over 0.0 1.0)
              Expect.equal solution.Status[0] SolveStatus.NonFinite "status"

              close
                  0.0
                  [ 0.5; 1.0 ]
                  (solution.LastTime[0] :: numbers solution.LastState)
                  "the last good state"
          } ]

let private refused =
    testList
        "refused"
        [ let refuses what (options: SolveOptions) (says: string) =
              test what {
                  let message =
                      try
                          solveFrom (create "Bounce") [ "h", vector [ 1.0; 2.0 ] ] options |> ignore
                          ""
                      with
                      | :? ArgumentException
                      | :? NotSupportedException as refusal -> refusal.Message

                  Expect.stringContains message says "why"
              }

          refuses
              "steps that samples share"
              (SolveOptions(Start = Nullable 0.0, End = Nullable 1.0, Coupling = StepCoupling.Batch))
              "StepCoupling.PerSample"

          refuses
              "saving every step of several samples"
              (SolveOptions(
                  Method = Methods.Rk4(0.1),
                  Start = Nullable 0.0,
                  End = Nullable 1.0,
                  Save = SaveAt.Steps
              ))
              "save at given times"

          refuses
              "the backsolve adjoint"
              (SolveOptions(
                  Start = Nullable 0.0,
                  End = Nullable 1.0,
                  Gradient = Nullable GradientMode.Backsolve
              ))
              "GradientMode.Discrete" ]

let private steps =
    test "where every step is saved, an event is the end of one" {
        let options =
            SolveOptions(Method = tight.Method, Start = Nullable 0.0, End = Nullable 1.0, Save = SaveAt.Steps)

        let solution = solveFrom (create "Bounce") [ "h", vector [ 1.0 ] ] options
        let times = numbers solution.Times
        let hit = sqrt (2.0 / 9.8)
        let at = times |> List.findIndex (fun t -> abs (t - hit) < 1e-12)

        close
            1e-11
            [ 0.0; 0.8 * 9.8 * hit ]
            (numbers (solution.Packed.select (0, int64 at)))
            "the state after it"
    }

/// Methods that keep past values begin anew behind an event.
let private multistep =
    testList
        "multistep methods"
        [ for name in Methods.MultistepNames do
              let method = Method(name, Rtol = Nullable 1e-10, Atol = Nullable 1e-10)
              let within upTo = SolveOptions(Method = method, Start = Nullable 0.0, End = Nullable upTo)

              test $"{name}: a thermostat's cycles" {
                  let times = timesOf (solve (create "Thermostat") (within 10.0)) 0
                  let off, on = log (11.0 / 9.0) / 0.5, log (7.0 / 5.0) / 0.5

                  let expected =
                      [ for n in 0..18 ->
                            log (10.0 / 9.0) / 0.5 + float (n / 2) * (on + off) + float (n % 2) * on ]

                  close 1e-7 expected times "times"
              }

              test $"{name}: bounces from heights of their own" {
                  let heights = vector [ 1.0; 3.0; 10.0 ]
                  let here = solveFrom (create "Bounce") [ "h", heights ] (within 3.0)
                  let there = solveFrom (create "Bounce") [ "h", heights ] (over 0.0 3.0)
                  close 1e-7 (numbers there.Packed) (numbers here.Packed) "states"

                  for sample in 0..2 do
                      close 1e-7 (timesOf there sample) (timesOf here sample) $"times of {sample}"
              }

              test $"{name}: doses at given times" {
                  let here, there = solve (create "Doses") (within 2.2), solve (create "Doses") (over 0.0 2.2)
                  close 1e-7 (numbers there.Packed) (numbers here.Packed) "states"
                  close 1e-14 (timesOf there 0) (timesOf here 0) "times"
              } ]

let tests =
    testList "Events" [ closedForms; finding; timed; batches; testList "steps" [ steps ]; multistep; refused ]
