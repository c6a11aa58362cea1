/// Batches whose samples have spans and saved times of their own, beside the same samples solved one by one.
module DiffEqLang.Tests.Runtime.SampleTimesTests

open System
open DiffEqLang.Runtime
open DiffEqLang.Tests.Support
open DiffEqLang.Tests.Support.Gradients
open DiffEqLang.Tests.Support.OdeMethods
open DiffEqLang.Tests.Support.Odes
open Expecto
open TorchSharp

/// Forwards and backwards, short and long; times at both ends, at neither, and twice.
let private spans =
    [ [ 0.0; 0.5; 1.3; 2.0 ]
      [ 3.0; 1.0; 0.9; 0.5 ]
      [ -1.0; -0.75; -0.75; -0.5 ]
      [ 0.3; 0.3; 0.4; 0.4 ] ]

/// [T, samples]
let private together (times: float list list) : Tensor = matrix (List.transpose times)

let private own (times: Tensor) (method: Method) = SolveOptions(Save = SaveAt.Times times, Method = method)

/// Equations that depend on the time, and a state for each span.
let private driven () =
    let w, b, x0, _ = networkInputs ()
    network w b, x0

let private families =
    [ for name in [ "tsit5"; "dopri8"; "bosh3"; "kvaerno5"; "rodas5p"; "radau"; "bdf"; "adams"; "auto" ] do
          name, tolerances name 1e-5 1e-7
      for name in [ "rk4"; "gauss4"; "bdf"; "adams"; "dopri5" ] do
          name + ", fixed steps", fixedStep name 0.07 ]

/// Each sample as it is alone.
let private alone
    (solve: SolveOptions -> Tensor -> Solution)
    (method: Method)
    (states: Tensor)
    (times: float list list)
    =
    [ for i, ofSample in List.indexed times ->
          solve (saving ofSample method) (states.narrow (0L, int64 i, 1L)) ]

let private expectAlike tolerance (batch: Solution) (singles: Solution list) =
    for i, single in List.indexed singles do
        let mine = values (batch.Packed.select (1L, int64 i))
        Expect.equal batch.Status[i] single.Status[0] $"status of {i}"
        Expect.equal batch.Statistics.Accepted[i] single.Statistics.Accepted[0] $"steps of {i}"
        Expect.equal batch.Statistics.Rejected[i] single.Statistics.Rejected[0] $"rejected steps of {i}"
        Expect.equal batch.LastTime[i] single.LastTime[0] $"last time of {i}"
        Expect.isLessThan (distance mine (values single.Packed)) tolerance $"states of {i}"

let private likeSingles =
    testList
        "every sample is what it is alone"
        [ for name, method in families do
              test name {
                  use _ = torch.NewDisposeScope()
                  let driven, states = driven ()
                  let times = together spans
                  let batch = solveWith (own times method) driven states
                  batch.EnsureSuccess()
                  Expect.equal batch.Times.shape [| 4L; 4L |] "the shape of the times"
                  Expect.equal (values batch.Times) (values times) "the times"
                  expectAlike 1e-9 batch (alone (fun o x -> solveWith o driven x) method states spans)
              }
          test "no sample's bits depend on its batch mates" {
              use _ = torch.NewDisposeScope()
              let driven, states = driven ()
              let method = tolerances "tsit5" 1e-6 1e-8
              let whole = solveWith (own (together spans) method) driven states
              let pair = solveWith (own (together spans[1..2]) method) driven (states.narrow (0L, 1L, 2L))
              Expect.equal (values (whole.Packed.narrow (1L, 1L, 2L))) (values pair.Packed) "states"
          } ]

let private forms =
    testList
        "forms"
        [ test "constant slopes are exact, each way in one batch" {
              let equations = ode (fun _ y -> torch.full_like (y, scalar 2.0))
              let times = together [ [ 0.0; 3.0; 5.0 ]; [ 2.0; 0.5; -8.0 ] ]

              for name in allMethods do
                  let solution =
                      solveWith (own times (coarseMethod name)) equations (matrix [ [ 1.0 ]; [ 9.0 ] ])

                  Expect.isLessThan
                      (distance (values solution.Packed) [| 1.0; 9.0; 7.0; 6.0; 11.0; -11.0 |])
                      1e-9
                      name
          }
          test "a batch of two axes, from one state, and a start that all share" {
              use _ = torch.NewDisposeScope()
              let times = (vector [ for i in 1..12 -> float i / 4.0 ]).view(2L, 3L, 2L)

              let options =
                  SolveOptions(
                      Start = Nullable 0.0,
                      Save = SaveAt.Times times,
                      Method = tolerances "dopri8" 1e-10 1e-10
                  )

              let solution = solveWith options growth (vector [ 2.0 ])
              Expect.equal solution.Packed.shape [| 2L; 3L; 2L; 1L |] "states"
              Expect.equal solution.Times.shape [| 2L; 3L; 2L |] "times"

              Expect.isLessThan
                  (distance (values solution.Packed) (values (scale 2.0 (times.exp ()))))
                  1e-8
                  "exponentials"
          }
          test "from ends, of which one is shared" {
              use _ = torch.NewDisposeScope()
              let save = SaveAt.Between(torch.tensor 0.0, vector [ 1.0; -2.0 ], 3)

              let solution =
                  solveWith
                      (SolveOptions(Save = save, Method = fixedStep "rk4" 0.01))
                      growth
                      (matrix [ [ 1.0 ]; [ 1.0 ] ])

              Expect.equal (values solution.Times) [| 0.0; 0.0; 0.5; -1.0; 1.0; -2.0 |] "times"

              Expect.isLessThan
                  (distance (values solution.Packed) (Array.map exp (values solution.Times)))
                  1e-8
                  "exponentials"
          }
          test "a sample that fails leaves the others alone, a sample without length is there" {
              use _ = torch.NewDisposeScope()
              let times = together [ [ 0.0; 1.0; 1.5 ]; [ 0.0; 0.25; 4.0 ]; [ 7.0; 7.0; 7.0 ] ]

              let solution =
                  solveWith
                      (own times (tolerances "dopri5" 1e-9 1e-9))
                      blowUp
                      (matrix [ [ 0.5 ]; [ 1.0 ]; [ 3.0 ] ])

              Expect.equal solution.Status[0] SolveStatus.Success "the first"
              Expect.notEqual solution.Status[1] SolveStatus.Success "the second blows up at 1"
              Expect.equal solution.Status[2] SolveStatus.Success "the third"
              let found = values solution.Packed

              Expect.isLessThan
                  (distance found[..6] [| 0.5; 1.0; 3.0; 1.0; 4.0 / 3.0; 3.0; 2.0 |])
                  1e-7
                  "before"

              Expect.isTrue (Double.IsNaN found[7]) "missing"
              Expect.equal found[8] 3.0 "the third at the end"
          }
          test "progress is that of the slowest" {
              let told = ResizeArray<SolveProgress>()

              let options =
                  SolveOptions(
                      Save = SaveAt.Between(vector [ 0.0; 5.0 ], vector [ 1.0; 4.0 ]),
                      Method = fixedStep "rk4" 0.125,
                      Progress =
                          { new IProgress<SolveProgress> with
                              member _.Report p = told.Add p }
                  )

              solveWith options growth (matrix [ [ 1.0 ]; [ 1.0 ] ]) |> ignore
              Expect.equal [ for p in told -> p.Fraction ] [ for i in 1..8 -> float i / 8.0 ] "fractions"
          } ]

let private gradientWays =
    [ "rodas5p", GradientMode.Forward, Nullable()
      for name in [ "tsit5"; "kvaerno5" ] do
          name, GradientMode.Discrete, Nullable 5
          name, GradientMode.Forward, Nullable()
      for name in [ "dopri8"; "rk4" ] do
          name, GradientMode.Backsolve, Nullable()
          name, GradientMode.Interpolated, Nullable()
      for name in [ "tsit5"; "rk4"; "rodas5p"; "radau"; "bdf"; "adams"; "auto" ] do
          name, GradientMode.Discrete, Nullable() ]

/// By parameters, initial states, and times.
let private gradients
    (save: Tensor -> SaveAt)
    (times: Tensor)
    (x0: Tensor)
    (weights: Tensor)
    method
    mode
    checkpoints
    =
    let w, b, _, _ = networkInputs ()
    let w, b, x0, times = trained w, trained b, trained x0, trained times

    let options =
        SolveOptions(Save = save times, Method = method, Gradient = Nullable mode, Checkpoints = checkpoints)

    let solution = solveWith options (network w b) x0
    solution.EnsureSuccess()
    backward ((solution.Packed.mul weights).sum())
    [ w.grad; b.grad; x0.grad; times.grad ]

/// The same of every sample alone, as one.
let private gradientsAlone save (times: Tensor) (x0: Tensor) (weights: Tensor) method mode checkpoints =
    let ofSamples =
        [ for i in 0L .. x0.size 0 - 1L ->
              gradients
                  save
                  (times.select (1L, i))
                  (x0.narrow (0L, i, 1L))
                  (weights.narrow (1L, i, 1L))
                  method
                  mode
                  checkpoints ]

    let column i = [ for ofSample in ofSamples -> List.item i ofSample ]
    let sum (parts: Tensor list) = parts |> List.reduce (fun a b -> a.Plus b)

    [ sum (column 0)
      sum (column 1)
      torch.cat (Array.ofList (column 2), 0L)
      torch.stack (Array.ofList (column 3), 1L) ]

let private gradientTests =
    testList
        "gradients are the sums of those of single solves"
        [ for name, mode, checkpoints in gradientWays do
              test $"{name} {mode} {checkpoints}" {
                  use _ = torch.NewDisposeScope()
                  // Continuous adjoints are as exact as their steps, which are not those of single solves.
                  let isContinuous = mode = GradientMode.Backsolve || mode = GradientMode.Interpolated
                  let rtol, dt, bound = if isContinuous then 1e-9, 0.02, 1e-6 else 1e-4, 0.05, 1e-8
                  // The slope of a sample of bdf that has ended is evaluated, that of others follows from the step, to its iteration's error.
                  let rtol = if name = "bdf" then 1e-6 else rtol
                  let method = if name = "rk4" then fixedStep name dt else tolerances name rtol (rtol / 100.0)
                  let _, x0 = driven ()
                  let times = together spans
                  let weights = torch.arange(48.0, dtype = torch.float64).sin().view(4L, 4L, 3L)
                  let found = gradients SaveAt.Times times x0 weights method mode checkpoints
                  let expected = gradientsAlone SaveAt.Times times x0 weights method mode checkpoints

                  for what, e, f in List.zip3 [ "w"; "b"; "x0"; "times" ] expected found do
                      expectNear bound (values e) (values f) what
              }
          test "of starts and ends" {
              use _ = torch.NewDisposeScope()
              let ends = matrix [ [ 0.0; 2.0; -1.0; 0.3 ]; [ 1.5; 0.5; 0.0; 0.9 ] ]
              let between (ends: Tensor) = SaveAt.Between(ends.select (0L, 0L), ends.select (0L, 1L), 5)
              let weights = torch.arange(60.0, dtype = torch.float64).sin().view(5L, 4L, 3L)

              let gradient solve : Tensor list =
                  solve
                      between
                      ends
                      (snd (driven ()))
                      weights
                      (tolerances "dopri8" 1e-9 1e-9)
                      GradientMode.Discrete
                      (Nullable())

              for e, f in List.zip (gradient gradientsAlone) (gradient gradients) do
                  expectNear 1e-9 (values e) (values f) "gradient"
          }
          test "of the samples that arrive" {
              for mode, checkpoints in
                  [ GradientMode.Discrete, Nullable()
                    GradientMode.Discrete, Nullable 4
                    GradientMode.Forward, Nullable()
                    GradientMode.Backsolve, Nullable()
                    GradientMode.Interpolated, Nullable() ] do
                  let x0, times =
                      trained (matrix [ [ 0.5 ]; [ 3.0 ]; [ 0.25 ] ]),
                      trained (together [ [ 0.0; 1.0 ]; [ 0.0; 2.0 ]; [ 1.0; -1.0 ] ])

                  let equations = withVjp (fun _ x -> x.Squared()) (fun _ x w -> scale 2.0 (w.mul x))

                  let options =
                      SolveOptions(
                          Save = SaveAt.Times times,
                          Method = tolerances "dopri8" 1e-10 1e-10,
                          Gradient = Nullable mode,
                          Checkpoints = checkpoints
                      )

                  backward ((solveWith options equations x0).Packed.select(0L, 1L).nansum())
                  // x = x0/(1 - x0 T), with T the time that has passed
                  expectNear 1e-8 [ 4.0; 0.0; 4.0 / 9.0 ] (gradientOf x0) "initial states"
                  let late = 1.0 / 36.0
                  expectNear 1e-8 [ -1.0; 0.0; -late; 1.0; 0.0; late ] (gradientOf times) "times"
          } ]

let private warnings =
    test "an adjoint that is not to be trusted is warned about at the sample's own time" {
        // x' = -r x with the rate r a state that stays.
        let decays =
            withVjp
                (fun _ s -> pack [ ((part s 0).mul(part s 1)).neg(); torch.zeros_like (part s 1) ])
                (fun _ s w -> pack [ ((part w 0).mul(part s 1)).neg(); ((part w 0).mul(part s 0)).neg() ])

        let told = ResizeArray<SolveWarning>()

        let options =
            SolveOptions(
                Save = SaveAt.Times(together [ [ 0.0; 0.5; 1.0 ]; [ 3.0; 3.5; 4.0 ] ]),
                Method = tolerances "dopri5" 1e-6 1e-8,
                Gradient = Nullable GradientMode.Backsolve,
                Warned = Action<_> told.Add
            )

        backward ((solveWith options decays (trained (matrix [ [ 1.0; 1.0 ]; [ 1.0; 100.0 ] ]))).Packed.sum())
        Expect.equal [ for warning in told -> (warning :?> UnstableBacksolve).Time ] [ 3.5 ] "when"
    }

/// x' = -x(t - pi/2), x = cos t.
let private delays =
    test "delays look back from starts of their own" {
        use _ = torch.NewDisposeScope()
        let times = [ [ 0.0; 2.5; 6.0 ]; [ -3.0; -2.0; 1.0 ]; [ 1.0; 1.5; 2.0 ] ]
        let x0 = matrix [ for ofSample in times -> [ cos ofSample.Head ] ]

        let solution =
            solveWith (own (together times) (tolerances "dopri8" 1e-9 1e-9)) Delays.cosine x0

        solution.EnsureSuccess()

        Expect.isLessThan
            (distance (values solution.Packed) (Array.map cos (values (together times))))
            1e-7
            "cosines"
    }

let private constraints =
    test "constraints are fulfilled at starts of their own" {
        use _ = torch.NewDisposeScope()
        let model = ConstrainedModels.create "Timed"
        let times = together [ [ 0.0; 1.0 ]; [ 0.7; -0.3 ]; [ 1.2; 1.3 ] ]
        let x0 = trained ((times.select (0L, 0L)).sin().exp())
        let initial = dict [ "x", x0; "z", torch.ones ([| 3L |], dtype = torch.float64) ]

        let solution =
            model.Solve(
                Collections.Generic.Dictionary initial,
                own times (Methods.Rodas5P(rtol = Nullable 1e-9, atol = Nullable 1e-9))
            )

        solution.EnsureSuccess()
        Expect.isLessThan (distance (values (solution.State "x")) (values (times.sin().exp()))) 1e-7 "x"
        Expect.isLessThan (distance (values (solution.State "z")) (values (times.cos ()))) 1e-7 "z"
        // d z / d x at the start, where z^3 + z + log x is constant.
        backward ((solution.State "z").select(0L, 0L).sum())
        let slope (t: float) = -1.0 / (exp (sin t) * (3.0 * cos t * cos t + 1.0))
        expectNear 1e-7 [ for t in [ 0.0; 0.7; 1.2 ] -> slope t ] (gradientOf x0) "by the start"
    }

let private events =
    testList
        "events"
        [ for name, state, starts, times in
              [ "Bounce",
                "h",
                [ 1.0; 2.0; 0.5 ],
                [ [ 0.0; 0.3; 1.0 ]; [ 5.0; 5.5; 7.0 ]; [ -1.0; -0.5; 0.25 ] ]
                "Doses", "d", [ 0.0; 0.5; 1.0 ], [ [ 0.0; 0.5; 1.3 ]; [ 0.9; 1.2; 1.4 ]; [ 2.0; 1.25; 0.3 ] ]
                "Land", "h", [ 5.0; 1.0; 2.0 ], [ [ 0.0; 0.5; 3.0 ]; [ 2.0; 3.0; 4.0 ]; [ 1.0; 1.1; 1.2 ] ]
                "Pendulum",
                "q",
                [ 1.0; 0.5; 0.2 ],
                [ [ 0.0; 1.0; 4.0 ]; [ 1.0; 0.0; -4.0 ]; [ 9.0; 8.0; 7.5 ] ] ] do
              test name {
                  use _ = torch.NewDisposeScope()

                  let solve (times: Tensor) (starts: float list) =
                      let start = trained (vector starts)

                      let solution =
                          EventModels.solveFrom
                              (EventModels.create name)
                              [ state, start ]
                              (own times EventModels.tight.Method)

                      backward ((solution.Packed.sum ()).Plus(solution.EventTimes.nansum ()))
                      solution, gradientOf start

                  let batch, found = solve (together times) starts

                  for i, (start, ofSample) in List.indexed (List.zip starts times) do
                      let single, gradient = solve (together [ ofSample ]) [ start ]
                      Expect.equal batch.Status[i] single.Status[0] "status"

                      Expect.equal
                          [ for e in batch.Events[i] -> e.Event.Name ]
                          [ for e in single.Events[0] -> e.Event.Name ]
                          "events"

                      EventModels.close
                          1e-12
                          (EventModels.timesOf single 0)
                          (EventModels.timesOf batch i)
                          "times of events"

                      Expect.isLessThan
                          (distance (values (batch.Packed.select (1L, int64 i))) (values single.Packed))
                          1e-10
                          "states"

                      expectNear 1e-8 gradient [| found[i] |] "gradient"
              } ]

let private later =
    testList
        "going on later"
        [ for name, method in
              [ "tsit5", tolerances "tsit5" 1e-6 1e-8
                "bdf", tolerances "bdf" 1e-5 1e-7
                "rk4", fixedStep "rk4" 0.07 ] do
              test name {
                  use _ = torch.NewDisposeScope()
                  let times = matrix [ [ 0.0; 1.0; -3.0 ]; [ 0.5; 1.5; -2.0 ]; [ 1.0; 3.0; -1.0 ] ]
                  let driven, x0 = driven ()
                  let x0 = x0.narrow (0L, 0L, 3L)

                  let options (rows: Tensor) =
                      SolveOptions(Save = SaveAt.Times rows, Method = method, Resumable = true)

                  let whole = solveWith (options times) driven x0
                  let first = solveWith (options (times.narrow (0L, 0L, 2L))) driven x0
                  let layout = layoutOf 3L

                  let second =
                      OdeSolve.Resume(
                          driven,
                          layout,
                          first.SolverState,
                          options (times.narrow (0L, 2L, 1L)),
                          Nullable()
                      )

                  second.EnsureSuccess()
                  Expect.equal (values second.Packed) (values (whole.Packed.narrow (0L, 2L, 1L))) "bits"
                  Expect.equal second.Times.shape [| 1L; 3L |] "times"

                  let shared =
                      OdeSolve.Resume(
                          driven,
                          layout,
                          first.SolverState,
                          SolveOptions(End = Nullable 4.0, Method = method),
                          Nullable()
                      )

                  Expect.allEqual shared.LastTime 4.0 "an end that all share"

                  Refusals.says "(sample 1): give an End that lies ahead" (fun () ->
                      OdeSolve.Resume(
                          driven,
                          layout,
                          first.SolverState,
                          SolveOptions(End = Nullable 1.0, Method = method),
                          Nullable()
                      )
                      |> ignore)
              } ]

let private refusals =
    let solve (times: float list list) (options: SolveOptions) () =
        let options =
            SolveOptions(
                Save = SaveAt.Times(together times),
                Method = options.Method,
                Coupling = options.Coupling,
                Gradient = options.Gradient,
                Resumable = options.Resumable
            )

        let driven, x0 = driven ()
        solveWith options driven (x0.narrow (0L, 0L, 2L)) |> ignore

    let plain = SolveOptions()
    let good = [ [ 0.0; 1.0; 2.0 ]; [ 1.0; 2.0; 3.0 ] ]

    testList
        "what is refused"
        [ for name, words, action in
              [ "times in no order",
                "(sample 1): 1 comes after 2",
                solve [ [ 0.0; 1.0; 2.0 ]; [ 0.0; 2.0; 1.0 ] ] plain
                "no number", "NaN .. 3 (sample 1)", solve [ [ 0.0; 1.0; 2.0 ]; [ nan; 2.0; 3.0 ] ] plain
                "no number inside",
                "(sample 0): NaN comes after 0",
                solve [ [ 0.0; nan; 2.0 ]; [ 1.0; 2.0; 3.0 ] ] plain
                "a batch of another size",
                "[3, 2]; these are [3, 3]",
                solve (good @ [ [ 0.0; 1.0; 2.0 ] ]) plain
                "times before samples", "would fit transposed", solve (List.transpose good) plain
                "steps that are shared",
                "StepCoupling.PerSample",
                solve good (SolveOptions(Coupling = StepCoupling.Batch))
                "steps that are undone",
                "give times that all of them share",
                solve good (SolveOptions(Method = fixedStep "reversible_heun" 0.1))
                "opposite ways, to go on later",
                "Samples 0 and 1 go opposite ways",
                solve [ [ 0.0; 1.0 ]; [ 1.0; 0.0 ] ] (SolveOptions(Resumable = true))
                "a model's sample without length",
                "starts and ends at t = 2 (sample 1)",
                (fun () ->
                    EventModels.solveFrom
                        (EventModels.create "Fall")
                        [ "x", vector [ 1.0; 2.0 ] ]
                        (own (together [ [ 0.0; 1.0 ]; [ 2.0; 2.0 ] ]) EventModels.tight.Method)
                    |> ignore)
                "ends of unlike batches",
                "[2] and [3]",
                (fun () -> SaveAt.Between(vector [ 0.0; 1.0 ], vector [ 1.0; 2.0; 3.0 ]) |> ignore) ] do
              test name { Refusals.says words action } ]

let tests =
    testList
        "SampleTimes"
        [ likeSingles
          forms
          gradientTests
          warnings
          delays
          constraints
          events
          later
          refusals ]
