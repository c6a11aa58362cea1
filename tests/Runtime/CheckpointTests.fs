/// The discrete gradient with a few of the solve's states: that it is the same, and what it costs.
module DiffEqLang.Tests.Runtime.CheckpointTests

open System
open DiffEqLang.Runtime
open DiffEqLang.Tests.Support
open DiffEqLang.Tests.Support.Gradients
open DiffEqLang.Tests.Support.Odes
open Expecto
open TorchSharp

/// The gradients of a weighted sum of what is saved, by parameters and initial states.
let private gradients (options: SolveOptions) (w: Tensor) (b: Tensor) (x0: Tensor) =
    use _ = torch.NewDisposeScope()
    let w, b, x0 = trained w, trained b, trained x0
    let solution = solveWith options (network w b) x0
    let states = solution.Packed.nan_to_num ()
    let weights = torch.arange(states.numel (), dtype = torch.float64).sin().view states.shape
    backward ((states.mul weights).sum())
    gradientOf w, gradientOf b, gradientOf x0

/// How often each step is taken, and how many states are kept at most, by the rule alone.
let private walk most steps =
    use state = torch.zeros [| 1L |]
    use checkpoints = new Checkpoints(most)
    let taken = Array.zeroCreate<int> steps
    let mutable kept = 0

    let keep step =
        checkpoints.Add(new Checkpoint(step, state.alias (), null))
        kept <- max kept checkpoints.Count

    keep 0

    for step in 0 .. steps - 1 do
        taken[step] <- taken[step] + 1

        if step + 1 < steps then
            keep (step + 1)

    for step in steps - 1 .. -1 .. 0 do
        while checkpoints.Last.Step < step do
            let from = checkpoints.Last.Step
            taken[from] <- taken[from] + 1
            keep (from + 1)

        if step > 0 then
            checkpoints.RemoveLast().Dispose()

    Array.max taken, kept

/// n over k
let private binomial (n: int) (k: int) =
    List.fold (fun product (i: int) -> product * bigint (n - k + i) / bigint i) 1I [ 1..k ]

/// Steps in lanes of their own, rejected ones among them; save times inside steps.
let private solves =
    let grid = [| 0.0; 0.07; 0.1; 0.5; 0.9; 2.0 |]

    [ for name in [ "tsit5"; "dopri8"; "bosh3"; "kvaerno5"; "rodas5p"; "radau" ] do
          for coupling in [ StepCoupling.PerSample; StepCoupling.Batch ] do
              $"{name} {coupling}", tolerances name 1e-5 1e-7, coupling, SaveAt.Times(ReadOnlySpan grid)
      for name in [ "rk4"; "euler"; "gauss4"; "dopri5" ] do
          name + ", fixed steps", fixedStep name 0.03, StepCoupling.PerSample, SaveAt.Times(ReadOnlySpan grid)
      "rk4, every step", fixedStep "rk4" 0.03, StepCoupling.PerSample, SaveAt.Steps
      "rk4, backwards",
      fixedStep "rk4" 0.03,
      StepCoupling.PerSample,
      SaveAt.Times(ReadOnlySpan(Array.rev grid)) ]

let tests =
    testList
        "Checkpoints"
        [ test "the schedule keeps its number, and takes no step more often than the binomial bound says" {
              for most in [ 1; 2; 3; 7; 50 ] do
                  for steps in [ 1; 2; 3; 10; 99; 100; 1000; 4000 ] do
                      if most > 1 || steps <= 100 then
                          let bound =
                              Seq.initInfinite id |> Seq.find (fun t -> binomial (most + t) t >= bigint steps)

                          let taken, kept = walk most steps
                          Expect.isLessThanOrEqual taken (max 1 bound) $"{steps} steps, {most} checkpoints"
                          Expect.isLessThanOrEqual kept (most + 1) "with the initial state"
          }

          testList
              "the gradient is that of all states, to the last bit"
              [ for name, method, coupling, save in solves do
                    for most in [ 1; 4; 1000 ] do
                        test $"{name}, {most}" {
                            let w, b, x0, _ = networkInputs ()
                            let x0 = scale 3.0 x0

                            let options checkpoints =
                                SolveOptions(
                                    Start = (if name = "rk4, every step" then Nullable 0.0 else Nullable()),
                                    End = (if name = "rk4, every step" then Nullable 2.0 else Nullable()),
                                    Save = save,
                                    Method = method,
                                    Coupling = coupling,
                                    Checkpoints = checkpoints
                                )

                            let expected = gradients (options (Nullable())) w b x0
                            Expect.equal (gradients (options (Nullable most)) w b x0) expected "gradients"
                        } ]

          test "a symplectic method, whose first stage is the last step's" {
              let gradient checkpoints =
                  let x0 = trained (matrix [ [ 1.0; 0.2 ]; [ 0.3; -1.0 ] ])
                  let positions = [| struct (0L, 1L) |] :> System.Collections.Generic.IReadOnlyList<_>

                  let equations =
                      { new OdeEquations() with
                          member _.Parameters = [||]
                          member _.Positions = positions
                          member _.Drift(_, x) = pack [ part x 1; (part x 0).sin().neg() ]

                          member _.DriftVjp(_, x, v, _) =
                              pack [ (part v 1).mul((part x 0).cos()).neg(); part v 0 ] }

                  let options =
                      SolveOptions(
                          Save = SaveAt.Times(ReadOnlySpan [| 0.0; 0.44; 3.0 |]),
                          Method = fixedStep "leapfrog" 0.1,
                          Checkpoints = checkpoints
                      )

                  backward ((solveWith options equations x0).Packed.Squared().sum())
                  gradientOf x0

              Expect.equal (gradient (Nullable 3)) (gradient (Nullable())) "gradient"
          }

          test "a sample that fails takes no part" {
              let x0 = trained (matrix [ [ 0.5 ]; [ 3.0 ]; [ 0.25 ] ]) // 3 blows up at t = 1/3
              let equations = withVjp (fun _ x -> x.Squared()) (fun _ x w -> scale 2.0 (w.mul x))

              let options =
                  SolveOptions(
                      Start = Nullable 0.0,
                      End = Nullable 1.0,
                      Method = tolerances "dopri5" 1e-10 1e-10,
                      Checkpoints = Nullable 4
                  )

              backward ((solveWith options equations x0).Packed.nansum())
              expectNear 1e-8 [ 4.0; 0.0; 16.0 / 9.0 ] (gradientOf x0) "initial states"
          }

          testSequenced
          <| test "tensors alive do not grow with the steps" {
              expectBounded (SolveOptions(Checkpoints = Nullable 20)) "euler" 120L
              let all, _ = mostAlive (SolveOptions()) "euler" 1_000
              Expect.isGreaterThan all 1_000L "where all are kept"
          }

          test "what is refused" {
              let solve checkpoints gradient () =
                  let options =
                      SolveOptions(
                          Start = Nullable 0.0,
                          End = Nullable 1.0,
                          Checkpoints = Nullable checkpoints,
                          Gradient = Nullable gradient
                      )

                  solveWith options (ode (fun _ x -> x)) (vector [ 1.0 ]) |> ignore

              Refusals.says "at least one" (solve 0 GradientMode.Discrete)
              Refusals.says "the discrete gradient's" (solve 5 GradientMode.Backsolve)
          } ]
