/// Solves that go on where they ended, as if they had not.
module DiffEqLang.Tests.Runtime.ResumeTests

open System
open System.IO
open System.Threading
open DiffEqLang.Runtime
open DiffEqLang.Tests.Support
open DiffEqLang.Tests.Support.Gradients
open DiffEqLang.Tests.Support.Odes
open Expecto
open TorchSharp

/// Van der Pol's oscillator, of stiffness m in every sample of its own: x' = y, y' = m (1 - x²) y - x, m' = 0.
let private oscillator =
    let damping x = plus 1.0 ((x: Tensor).Squared().neg())

    withVjp
        (fun _ state ->
            let x, y, m = part state 0, part state 1, part state 2
            pack [ y; (m.mul(damping x).mul y).Minus x; torch.zeros_like m ])
        (fun _ state w ->
            let x, y, m = part state 0, part state 1, part state 2
            let wx, wy = part w 0, part w 1

            pack
                [ wy.mul ((scale -2.0 (m.mul(x).mul y)).Minus(torch.ones_like x))
                  wx.Plus(wy.mul(m).mul(damping x))
                  wy.mul(damping x).mul y ])

let private starts (stiffness: float list) = matrix [ for m in stiffness -> [ 2.0; 0.0; m ] ]
let private layout = layoutOf 3L
let private half, finish = 1.7, 4.0
let private times = [| half; 2.9; finish |]

let private options method coupling =
    SolveOptions(
        Start = Nullable 0.0,
        Method = method,
        Coupling = coupling,
        Resumable = true,
        MaxSteps = 1_000_000
    )

let private upTo last (options: SolveOptions) =
    SolveOptions(
        Start = options.Start,
        End = Nullable last,
        Method = options.Method,
        Coupling = options.Coupling,
        Resumable = true,
        MaxSteps = options.MaxSteps,
        CancellationToken = options.CancellationToken,
        Progress = options.Progress
    )

let private saved (times: float[]) (options: SolveOptions) =
    SolveOptions(
        Start = options.Start,
        Save = SaveAt.Times(ReadOnlySpan times),
        Method = options.Method,
        Coupling = options.Coupling,
        Resumable = true,
        MaxSteps = 1_000_000
    )

let private later (options: SolveOptions) =
    SolveOptions(
        Save = options.Save,
        End = options.End,
        Method = options.Method,
        Coupling = options.Coupling,
        MaxSteps = options.MaxSteps
    )

/// By way of a file.
let private reloaded (state: SolverState) =
    let path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.safetensors")

    try
        state.Save path
        SolverState.Load path
    finally
        File.Delete path

let private resume equations state options = OdeSolve.Resume(equations, layout, state, options, Nullable())

/// The bits of all numbers, NaN among them.
let private bits (tensor: Tensor) = values tensor |> Array.map BitConverter.DoubleToInt64Bits

let private expectSame (expected: Solution) (found: Solution) =
    found.EnsureSuccess()
    Expect.equal (bits found.Packed) (bits expected.Packed) "saved states"
    Expect.equal (bits found.LastState) (bits expected.LastState) "last states"

let private goesOn name method stiffness =
    [ for coupling in [ StepCoupling.PerSample; StepCoupling.Batch ] do
          test $"{name}, {coupling}" {
              use _ = torch.NewDisposeScope()
              let solve o = OdeSolve.Run(oscillator, layout, starts stiffness, o)
              let options = options method coupling
              let whole = solve (saved times options)
              let first = solve (upTo half options)
              Expect.equal first.SolverState.Time half "how far it has come"
              let second = resume oscillator (reloaded first.SolverState) (later (saved times options))
              expectSame whole second

              Expect.equal
                  second.MethodChanges.Count
                  whole.MethodChanges.Count
                  "methods are told where they change"
          } ]

let private families =
    [ for name in [ "tsit5"; "dopri8"; "bosh3" ] do
          yield! goesOn name (tolerances name 1e-6 1e-8) [ 1.0; 3.0; 5.0 ]
      for name in [ "kvaerno5"; "radau"; "rodas5p"; "bdf"; "auto" ] do
          yield! goesOn name (tolerances name 1e-5 1e-7) [ 1.0; 20.0; 200.0 ]
      yield! goesOn "adams" (tolerances "adams" 1e-6 1e-8) [ 1.0; 3.0; 5.0 ]
      for name in [ "rk4"; "dopri5"; "gauss4"; "bdf"; "adams" ] do
          yield! goesOn $"{name} in steps of one size" (fixedStep name 0.03) [ 1.0; 2.0; 3.0 ] ]

/// A ball that loses a part of its speed at each bounce, counted, and a flag that is raised at given times.
let private ball =
    lazy
        (GeneratedCode.ofModels
            "Resumed.deq"
            [ "Ball",
              "state h, flag; d2h/dt2 = -9.81; dflag/dt = 0.1*h; when falling(h) { h' := -0.9*h' }; when every(0.7) { flag := flag + 1 }; init h = 1; init h' = 0; init flag = 0; solve { method = dopri5(rtol = 1e-8, atol = 1e-10), dtype = float64 }"
              "Flight",
              "state h; d2h/dt2 = -9.81; when falling(h) { stop }; init h = 1; init h' = 0; solve { method = dopri5(rtol = 1e-8, atol = 1e-10), dtype = float64 }" ])

let private happened (solution: Solution) =
    [ for ofSample in solution.Events do
          [ for one in ofSample -> one.Event.Name, one.Time ] ]

let private endings =
    [ for heights, expect in
          [ [ 1.0 ], expectSame
            // An event of one sample makes the others evaluate their slopes anew, which rounds them otherwise.
            [ 1.0; 1.4 ],
            (fun whole found -> expectNear 1e-11 (values whole.Packed) (values found.Packed) "saved states") ] do
          test $"events of {heights.Length}, by the root and by the clock, go on, and none is told twice" {
              use _ = torch.NewDisposeScope()
              let model = GeneratedCode.create ball.Value "Ball" :?> OdeModel
              let initial = System.Collections.Generic.Dictionary<string, Tensor>()
              initial["h"] <- vector heights
              initial["h'"] <- vector [ for h in heights -> h - 1.0 ]
              initial["flag"] <- vector [ for h in heights -> 0.5 * h ]
              let solve o = model.Solve(initial, o)

              // On registers, which a solve that can go on does not take, sums are rounded otherwise.
              let whole =
                  solve (
                      SolveOptions(
                          Start = Nullable 0.0,
                          Save = SaveAt.Times(ReadOnlySpan times),
                          Target = Nullable SolveTarget.Torch
                      )
                  )

              let first = solve (SolveOptions(Start = Nullable 0.0, End = Nullable half, Resumable = true))

              let second =
                  model.Resume(
                      reloaded first.SolverState,
                      SolveOptions(Save = SaveAt.Times(ReadOnlySpan times))
                  )

              expect whole second

              for expected, found in
                  List.zip (happened whole) (List.map2 (@) (happened first) (happened second)) do
                  Expect.equal (List.map fst found) (List.map fst expected) "events"
                  expectNear 1e-12 (List.map snd expected) (Array.ofList (List.map snd found)) "times"
          }

      test "what an event has stopped falls on" {
          use _ = torch.NewDisposeScope()
          let model = GeneratedCode.create ball.Value "Flight" :?> OdeModel

          let first =
              model.Solve(options = SolveOptions(Start = Nullable 0.0, End = Nullable 2.0, Resumable = true))

          Expect.equal first.Status[0] SolveStatus.Stopped "on the ground"
          let second = model.Resume(first.SolverState, SolveOptions(End = Nullable 2.0))
          second.EnsureSuccess()
          expectNear 1e-9 [ 1.0 - 9.81 * 2.0; -9.81 * 2.0 ] (values second.LastState) "below it"
      }

      test "samples that have run out of steps catch up" {
          use _ = torch.NewDisposeScope()
          let solve o = OdeSolve.Run(oscillator, layout, starts [ 1.0; 3.0; 200.0 ], o)
          let options = options (tolerances "tsit5" 1e-6 1e-8) StepCoupling.PerSample
          let whole = solve (saved [| finish |] options)

          let mutable latest =
              solve (
                  upTo finish (SolveOptions(Start = options.Start, Method = options.Method, MaxSteps = 300))
              )

          Expect.equal latest.Status[0] SolveStatus.Success "one has arrived"
          Expect.equal latest.Status[2] SolveStatus.MaxSteps "another has not"

          while not latest.Succeeded do
              let options =
                  SolveOptions(
                      End = Nullable finish,
                      Method = options.Method,
                      MaxSteps = 300,
                      Resumable = true
                  )

              latest <- resume oscillator latest.SolverState options

          expectSame whole latest
      }

      test "a solve that was cancelled goes on, and tells nothing of what a sample has passed" {
          use _ = torch.NewDisposeScope()
          use cancellation = new CancellationTokenSource()
          let stiffness = [ 1.0; 200.0 ]
          let solve o = OdeSolve.Run(oscillator, layout, starts stiffness, o)
          let options = options (tolerances "tsit5" 1e-6 1e-8) StepCoupling.PerSample

          let progress =
              { new IProgress<SolveProgress> with
                  member _.Report report =
                      if report.Steps > 40L then
                          cancellation.Cancel() }

          let first =
              solve (
                  upTo
                      finish
                      (SolveOptions(
                          Start = options.Start,
                          Method = options.Method,
                          MaxSteps = options.MaxSteps,
                          Progress = progress,
                          CancellationToken = cancellation.Token
                      ))
              )

          Expect.equal first.Status[1] SolveStatus.Cancelled "cancelled"
          Expect.equal first.SolverState.Time (Seq.min first.LastTime) "the slower sample's time"
          let times = [| Seq.min first.LastTime; finish |]
          let whole = solve (saved times options)
          let second = resume oscillator first.SolverState (later (saved times options))
          let found, expected = second.Packed.unbind 0, whole.Packed.unbind 0
          Expect.isTrue (Double.IsNaN(Array.head (values found[0]))) "told before"
          Expect.equal (bits found[1]) (bits expected[1]) "the end"
      } ]

let private refused words action =
    Expect.throwsC action (fun e -> Expect.stringContains e.Message words "message")

let private refusals =
    [ test "a state is of one model and one method" {
          use _ = torch.NewDisposeScope()
          let options = options (tolerances "tsit5" 1e-6 1e-8) StepCoupling.PerSample
          let first = OdeSolve.Run(oscillator, layout, starts [ 1.0 ], upTo half options)
          let state = first.SolverState
          let onwards method = SolveOptions(End = Nullable finish, Method = method)

          refused "the method tsit5, and this one has dopri5" (fun () ->
              resume oscillator state (onwards (tolerances "dopri5" 1e-6 1e-8)) |> ignore)

          refused "states x[3], and this one has x[2]" (fun () ->
              OdeSolve.Resume(
                  withVjp (fun _ x -> x) (fun _ _ w -> w),
                  layoutOf 2L,
                  state,
                  onwards options.Method,
                  Nullable()
              )
              |> ignore)

          refused "give an End that lies ahead" (fun () ->
              resume oscillator state (SolveOptions(End = Nullable half, Method = options.Method))
              |> ignore)

          let looser = resume oscillator state (onwards (tolerances "tsit5" 1e-4 1e-6))
          Expect.isTrue looser.Succeeded "tolerances may change"
      }

      test "a file of something else is refused" {
          let path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.safetensors")

          try
              Safetensors.Write(path, dict [ "x", vector [ 1.0 ] ] |> System.Collections.Generic.Dictionary)
              refused "holds no state of a solve" (fun () -> SolverState.Load path |> ignore)
          finally
              File.Delete path
      }

      test "what was not kept is not there" {
          use _ = torch.NewDisposeScope()

          let solution =
              OdeSolve.Run(oscillator, layout, starts [ 1.0 ], span 0.0 1.0 (fixedStep "rk4" 0.1))

          refused "SolveOptions.Resumable" (fun () -> solution.SolverState |> ignore)
      }

      test "methods that keep more than that say so" {
          let options =
              SolveOptions(
                  Start = Nullable 0.0,
                  End = Nullable 1.0,
                  Method = fixedStep "reversible_heun" 0.1,
                  Resumable = true
              )

          refused "reversible_heun" (fun () -> solveWith options oscillator (starts [ 1.0 ]) |> ignore)
      } ]

let tests =
    testList
        "Resume"
        [ testList "steps are those of one solve, to the last bit" families
          testList "whatever it ended by" endings
          testList "refusals" refusals ]
