/// Methods whose steps can be undone, and the gradient that undoes them.
module DiffEqLang.Tests.Runtime.ReversibleTests

open System
open DiffEqLang.Runtime
open DiffEqLang.Tests.Support
open DiffEqLang.Tests.Support.Gradients
open DiffEqLang.Tests.Support.Odes
open Expecto
open TorchSharp

let private reversible (name: string) (dt: float) = Method(name, Dt = Nullable dt)

/// x' = t x + y, y' = t y with x(0) = y(0) = 1: y = exp(t^2/2), x = (1 + t) exp(t^2/2).
let private timeDependent =
    ode (fun t x ->
        let t = if t.dim () = 0L then t else t.unsqueeze -1L
        pack [ ((part x 0).mul t).Plus(part x 1); (part x 1).mul t ])

let private errorAtOne name dt =
    let found = finalState (span 0.0 1.0 (reversible name dt)) timeDependent (vector [ 1.0; 1.0 ])
    distance found [| 2.0 * exp 0.5; exp 0.5 |]

let tests =
    testList
        "Reversible"
        [ testList
              "of order 2"
              [ for name in Methods.ReversibleNames do
                    test name {
                        let coarse, fine = errorAtOne name 0.01, errorAtOne name 0.005
                        Expect.isLessThan (abs (Math.Log2(coarse / fine) - 2.0)) 0.1 $"{coarse} to {fine}"
                    } ]

          testList
              "is exact for the scheme"
              [ for name in Methods.ReversibleNames do
                    for save, what in
                        [ SaveAt.Times(ReadOnlySpan [| 0.0; 0.07; 0.5; 0.5; 1.0 |]), "inside the solve"
                          SaveAt.Times(ReadOnlySpan [| 1.0; 0.4; 0.0 |]), "backwards"
                          SaveAt.Steps, "every step"
                          SaveAt.End, "the end" ] do
                        test $"{name}, saved at {what}" {
                            let bounded = (what = "every step" || what = "the end")

                            expectExactGradient (
                                SolveOptions(
                                    Start = (if bounded then Nullable 0.0 else Nullable()),
                                    End = (if bounded then Nullable 1.0 else Nullable()),
                                    Save = save,
                                    Method = reversible name 0.06
                                )
                            )
                        } ]

          testList
              "undoes its steps"
              [ for scheme in ReversibleScheme.All do
                    test scheme.Name {
                        let w, b, x0, _ = networkInputs ()
                        let equations = network w b
                        let h, steps = 0.05, 400
                        let mutable at = scheme.Begin(equations, 0.0, x0)

                        for i in 0 .. steps - 1 do
                            at <- scheme.Step(equations, float i * h, h, at)

                        Expect.isGreaterThan
                            (distance (values at.State) (values x0))
                            0.1
                            "it has gone somewhere"

                        for i in steps .. -1 .. 1 do
                            at <- scheme.Step(equations, float i * h, -h, at)

                        expectNear 1e-9 (values x0) (values at.State) "where it began"
                    } ]

          test "predator and prey by tiny steps: the gradient of the exact solution" {
              // Of order 2: extrapolated from two step sizes, but for what oscillates from step to step.
              let gradient name dt =
                  let p, u0 = trained (vector [ 1.5; 1.0; 3.0; 1.0 ]), trained (vector [ 1.0; 1.0 ])

                  let options =
                      SolveOptions(
                          Save = SaveAt.Times(ReadOnlySpan [| for i in 0..100 -> float i / 10.0 |]),
                          Method = reversible name dt,
                          Gradient = Nullable GradientMode.Reversible
                      )

                  backward ((solveWith options (predatorPrey p false) u0).Packed.sum())
                  gradientOf p

              for name in Methods.ReversibleNames do
                  let coarse, fine = gradient name 2e-3, gradient name 1e-3
                  let extrapolated = Array.map2 (fun c f -> (4.0 * f - c) / 3.0) coarse fine

                  expectNear
                      1e-4
                      [ 8.30536266231655; -159.484292715139; 75.2035082137728; -339.195092766061 ]
                      extrapolated
                      name
          }

          test "a sample that fails takes no part" {
              let x0 = trained (matrix [ [ 0.5 ]; [ 3.0 ]; [ 0.25 ] ]) // 3 blows up at t = 1/3
              let equations = withVjp (fun _ x -> x.Squared()) (fun _ x w -> scale 2.0 (w.mul x))

              for name in Methods.ReversibleNames do
                  let solution = solveWith (span 0.0 1.0 (reversible name 1e-3)) equations x0

                  Expect.equal
                      (List.ofSeq solution.Status)
                      [ SolveStatus.Success; SolveStatus.NonFinite; SolveStatus.Success ]
                      "status"

                  Expect.isLessThan solution.LastTime[1] 0.5 "last time"
                  Expect.isTrue (Double.IsNaN (values solution.Packed).[1]) "saved"

                  if not (isNull x0.grad) then
                      x0.grad.zero_ () |> ignore

                  backward (solution.Packed.nansum ())
                  expectNear 1e-4 [ 4.0; 0.0; 16.0 / 9.0 ] (gradientOf x0) "initial states"
          }

          test "the number of steps and the caller end a solve" {
              let equations = linear (matrix [ [ -1.0 ] ])
              let method' = reversible "asynchronous_leapfrog" 0.01

              let short =
                  solveWith
                      (SolveOptions(Start = Nullable 0.0, End = Nullable 1.0, Method = method', MaxSteps = 40))
                      equations
                      (vector [ 1.0 ])

              Expect.equal short.Status[0] SolveStatus.MaxSteps "status"
              Expect.floatClose Accuracy.high short.LastTime[0] 0.4 "time"
              use source = new Threading.CancellationTokenSource()
              source.Cancel()

              let cancelled =
                  solveWith
                      (SolveOptions(
                          Start = Nullable 0.0,
                          End = Nullable 1.0,
                          Method = method',
                          CancellationToken = source.Token
                      ))
                      equations
                      (vector [ 1.0 ])

              Expect.equal cancelled.Status[0] SolveStatus.Cancelled "status"
          }

          testSequenced
          <| test "tensors alive do not grow with the steps" {
              for name in Methods.ReversibleNames do
                  expectBounded (SolveOptions(Gradient = Nullable GradientMode.Reversible)) name 100L
          }

          test "what is refused" {
              let solve (method': Method) gradient checkpoints () =
                  let options =
                      SolveOptions(
                          Start = Nullable 0.0,
                          End = Nullable 1.0,
                          Method = method',
                          Gradient = gradient,
                          Checkpoints = checkpoints
                      )

                  solveWith options (linear (matrix [ [ -1.0 ] ])) (vector [ 1.0 ]) |> ignore

              let heun = reversible "reversible_heun" 0.1
              let none, no = Nullable(), Nullable()

              Refusals.says
                  "cannot be undone"
                  (solve (fixedStep "rk4" 0.1) (Nullable GradientMode.Reversible) no)

              Refusals.says "steps back by itself" (solve heun (Nullable GradientMode.Discrete) no)
              Refusals.says "no checkpoints" (solve heun none (Nullable 5))
              Refusals.says "fixed steps" (solve (Method "reversible_heun") none no)

              Refusals.says
                  "does not estimate its error"
                  (solve (tolerances "reversible_heun" 1e-6 1e-6) none no)
          } ]
