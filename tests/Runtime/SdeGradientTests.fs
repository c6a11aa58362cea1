/// Gradients of stochastic solves, in both modes.
module DiffEqLang.Tests.Runtime.SdeGradientTests

open System
open System.Collections.Generic
open Expecto
open DiffEqLang.Runtime
open DiffEqLang.Tests.Runtime.SdeTests
open DiffEqLang.Tests.Support.StochasticModels
open TorchSharp

/// Central differences of the solve itself, on the same path.
let private difference (value: float -> float) x =
    let h = 1e-5 * max 1.0 (abs x)
    (value (x + h) - value (x - h)) / (2.0 * h)

/// d S(1) / d (S(0), v(0)) of 64 paths of Heston's model that start from S = 1 and the variance that theirs returns to.
let private hestonGradient (method': Method) variance mode =
    let start (x: float) =
        torch.full ([| 64L |], Scalar.op_Implicit x, Nullable float64, requires_grad = true)

    let S, v = start 1.0, start variance

    let options =
        SolveOptions(
            Start = Nullable 0.0,
            End = Nullable 1.0,
            Method = method',
            Seed = 5UL,
            Gradient = Nullable mode
        )

    let solution = (new HestonModel(variance)).Solve(Dictionary(dict [ "S", S; "v", v ]), options)
    (solution.Packed.select (-1, 0L)).sum().backward()
    GradientFault.ThrowIfAny()
    Array.append (values S.grad) (values v.grad)

let tests =
    testList
        "SdeGradient"
        [ test "gradients of Stratonovich geometric motion are the closed form's" {
              use _ = torch.NewDisposeScope()
              let model = new GeometricModel(Calculus.Stratonovich, 0.5, 0.3)
              let times = [| for i in 0..20 -> 0.005 * float i |]

              let options mode =
                  SolveOptions(
                      Save = SaveAt.Times(ReadOnlySpan times),
                      Method = heun 1e-4,
                      Seed = 5UL,
                      Gradient = Nullable mode
                  )

              for mode in [ GradientMode.Discrete; GradientMode.Backsolve ] do
                  let u0 = torch.tensor (0.8, Nullable float64, requires_grad = true)
                  model.zero_grad ()
                  let solution = model.Solve(Dictionary(dict [ "u", u0 ]), options mode)
                  let u, w, t = solution.State "u", (solution.State "w").detach(), solution.Times
                  let loss = number 0.5 * u.square().sum()
                  loss.backward ()
                  let u2 = u.detach().square()
                  let raw = model.get_parameter "b_unconstrained"

                  closeTo
                      1e-4
                      (model.get_parameter("a").grad.item<float>())
                      ((t * u2).sum().item<float>())
                      $"{mode} a"

                  let toValue = 1.0 - exp -0.3 // d softplus(u) / du where softplus(u) = 0.3
                  closeTo 1e-4 (raw.grad.item<float>()) (toValue * (w * u2).sum().item<float>()) $"{mode} b"
                  closeTo 1e-4 (u0.grad.item<float>()) (u2.sum().item<float>() / 0.8) $"{mode} u0"
          }

          testList
              "the discrete gradient is that of the scheme"
              [ for calculus in [ Calculus.Ito; Calculus.Stratonovich ] do
                    for method' in [ em; heun; milstein ] do
                        test $"{calculus} {(method' 1.0).Name}" {
                            use _ = torch.NewDisposeScope()
                            // Saved times off the grid, a batch, and a loss that uses both states.
                            let times = [| 0.0; 0.13; 0.5; 0.77; 0.9 |]

                            let options =
                                SolveOptions(
                                    Save = SaveAt.Times(ReadOnlySpan times),
                                    Method = method' 0.05,
                                    Seed = 9UL
                                )

                            let loss (model: GeometricModel) (u0: torch.Tensor) =
                                let solution = model.Solve(Dictionary(dict [ "u", u0 ]), options)
                                (solution.Packed.square () * vector [| 1.0; 0.3 |]).sum()

                            let model = new GeometricModel(calculus, 0.7, 0.6)
                            let u0 = (vector [| 0.5; -1.1; 0.9 |]).requires_grad_()
                            (loss model u0).backward()

                            let at a b (u: float[]) =
                                (loss (new GeometricModel(calculus, a, b)) (vector u)).item<float>()

                            let u = [| 0.5; -1.1; 0.9 |]
                            let byA = difference (fun a -> at a 0.6 u) 0.7
                            let byB = difference (fun b -> at 0.7 b u) 0.6
                            closeTo 1e-7 (model.get_parameter("a").grad.item<float>()) byA "a"

                            closeTo
                                1e-7
                                (model.get_parameter("b_unconstrained").grad.item<float>())
                                (byB * (1.0 - exp -0.6))
                                "b"

                            let byU = difference (fun x -> at 0.7 0.6 [| 0.5; x; 0.9 |]) -1.1
                            closeTo 1e-7 ((values u0.grad)[1]) byU "u0"
                        } ]

          test "recomputed states give the gradient of recorded ones; a batch's parts add up to it" {
              use _ = torch.NewDisposeScope()
              let model = new GeometricModel(Calculus.Ito, 0.1, 0.2)
              let start (count: int64) = torch.full ([| count |], Scalar.op_Implicit 1.0, Nullable float64)

              let gradient first count =
                  let options = SolveOptions(Method = em 0.025, Seed = 2UL, FirstSample = first)
                  model.zero_grad ()
                  let solution = model.Solve(Dictionary(dict [ "u", start count ]), options)
                  (solution.Packed.sum ()).backward()
                  model.get_parameter("a").grad.item<float>()

              // Two times 240,000 samples times 40 steps are more than is recorded; a quarter is not.
              let whole = gradient 0L 240_000L
              let parts = List.sum [ for i in 0L .. 3L -> gradient (60_000L * i) 60_000L ]
              closeTo (1e-9 * abs whole) whole parts "sum over the samples"
          }

          test "an exception in a backward pass is thrown by the next solve, not lost" {
              let model =
                  pointwise
                      NoiseStructure.Diagonal
                      Calculus.Ito
                      { hyperbolic with G' = fun _ _ -> failwith "no derivative" }

              let x0 = (vector [| 0.5 |]).requires_grad_()

              let solve () =
                  model.Solve(
                      Dictionary(dict [ "x", x0 ]),
                      SolveOptions(Start = Nullable 0.0, End = Nullable 1.0, Method = em 0.1)
                  )

              let solution = solve ()
              (solution.Packed.sum ()).backward()
              Expect.equal (values x0.grad) [| 0.0 |] "no gradient"

              Expect.throwsC (fun () -> solve () |> ignore) (fun e ->
                  Expect.equal e.Message "no derivative" "kept")

              solve () |> ignore
          }

          test "a second backward pass runs again" {
              let model = new GeometricModel(Calculus.Ito, 0.1, 0.2)
              let u0 = (vector [| 0.5 |]).requires_grad_()
              let solution = model.Solve(Dictionary(dict [ "u", u0 ]), SolveOptions(Method = em 0.1))
              let loss = solution.Packed.sum ()
              loss.backward (retain_graph = true)
              let once = values u0.grad
              loss.backward ()
              Expect.equal (values u0.grad) [| 2.0 * once[0] |] "twice the gradient"
          }

          testList
              "discrete and backsolve differ by the discretization alone"
              [ // The one differentiates the scheme, the other solves the adjoint by Euler-Heun: where noises do not commute, the pathwise
                // difference vanishes like the square root of dt for Euler-Maruyama, and faster where the scheme is Euler-Heun too.
                for method', order in [ em, 0.5; heun, 1.0 ] do
                    test (method' 1.0).Name {
                        use _ = torch.NewDisposeScope()

                        let differenceAt dt =
                            let gradient = hestonGradient (method' dt) 0.3

                            let exact, continuous =
                                gradient GradientMode.Discrete, gradient GradientMode.Backsolve

                            let size (x: float[]) = sqrt (Array.averageBy (fun x -> x * x) x)
                            size (Array.map2 (-) exact continuous) / size exact

                        let differences =
                            [ for k in 5..10 -> 2.0 ** float -k, differenceAt (2.0 ** float -k) ]

                        closeTo 0.2 (slope differences) order $"{differences}"
                    } ]

          test "a state that cannot be solved backwards is an error, not NaN" {
              use _ = torch.NewDisposeScope()
              let gradient = hestonGradient (em 0.004) 0.04

              Expect.isTrue
                  (gradient GradientMode.Discrete |> Array.forall Double.IsFinite)
                  "forwards all is well"

              Expect.throwsC (fun () -> gradient GradientMode.Backsolve |> ignore) (fun e ->
                  Expect.stringContains e.Message "gradient = discrete" e.Message)
          } ]
