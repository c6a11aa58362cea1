module DiffEqLang.Tests.Runtime.SdeTests

open System
open System.Collections.Generic
open System.Threading
open Expecto
open DiffEqLang.Runtime
open DiffEqLang.Runtime.Solvers.Stochastic
open DiffEqLang.Tests.Support.StochasticModels
open TorchSharp

let private solveAt
    seed
    (method': Method)
    finish
    (model: DifferentialModel)
    (initial: (string * torch.Tensor) list)
    =
    let options =
        SolveOptions(Start = Nullable 0.0, End = Nullable finish, Method = method', Seed = seed)

    let solution = model.Solve(Dictionary(dict initial), options)
    solution.EnsureSuccess()
    solution.Packed.select (0, 0L)

/// W at the end, of each sample and process: [B, M]. The path of a seed is the same for every dt = 2^-k.
let private pathEnd seed batch size finish (dt: float) =
    let driver = Noise.BrownianDriver(seed, batch, size, 0L, false, null, torch.CPU, float64)

    let source =
        Noise.BrownianIncrements(driver, Noise.StepGrid(0.0, finish, dt, ReadOnlySpan<float>.Empty))

    let sums = [| for chunk in 0 .. source.Chunks - 1 -> (source.Chunk chunk).sum 0L |]
    torch.stack(sums, 0L).sum 0L

let private steps = [ for k in 3..7 -> 2.0 ** float -k ]

let private paths = 1000L

/// The mean pathwise error at t = 1 over the steps, on one set of paths.
let private strongOrder
    (model: DifferentialModel)
    size
    initial
    (exact: torch.Tensor -> torch.Tensor)
    (method': float -> Method)
    =
    use _ = torch.NewDisposeScope()
    let wanted = exact (pathEnd 17UL paths size 1.0 (List.last steps))

    slope
        [ for dt in steps ->
              let reached = solveAt 17UL (method' dt) 1.0 model initial
              dt, (reached - wanted).square().sum(-1L).sqrt().mean().item<float>() ]

let private fill (x: float) = torch.full ([| paths |], Scalar.op_Implicit x, Nullable float64)

/// du = -0.01 sin u cos^3 u dt + 0.1 cos^2 u dW: u = atan(0.1 W + tan u0).
let private arctangent =
    { F = fun _ u -> number -0.01 * u.sin () * u.cos().pow(number 3.0)
      F' = fun _ u -> number -0.01 * (u.cos().pow(number 4.0) - number 3.0 * square (u.sin () * u.cos ()))
      G = fun _ u -> number 0.1 * square (u.cos ())
      G' = fun _ u -> number -0.1 * (number 2.0 * u).sin()
      G'' = fun _ u -> number -0.2 * (number 2.0 * u).cos() }

/// du = (b / sqrt(1 + t) - u / (2 + 2t)) dt + a b / sqrt(1 + t) dW: u = (u0 + b (t + a W)) / sqrt(1 + t).
let private additive =
    let a, b = 0.1, 0.05

    { F = fun t u -> number b / (number 1.0 + t).sqrt() - u / (number 2.0 + number 2.0 * t)
      F' = fun t u -> -torch.ones_like u / (number 2.0 + number 2.0 * t)
      G = fun t u -> number (a * b) / (number 1.0 + t).sqrt() * torch.ones_like u
      G' = fun _ u -> torch.zeros_like u
      G'' = fun _ u -> torch.zeros_like u }

let private strongOrders =
    let geometric calculus =
        let drift = if calculus = Calculus.Ito then 1.01 - 0.87 * 0.87 / 2.0 else 1.01

        let exact (w: torch.Tensor) =
            torch.cat ([| number 0.5 * (number drift + number 0.87 * w).exp(); w |], -1L)

        new GeometricModel(calculus, 1.01, 0.87) :> DifferentialModel, 1L, [ "u", fill 0.5 ], exact

    let linear =
        let A = (vector [| -0.99; 1.0; 1.0; -0.99 |]).reshape(2L, 2L)
        // Symmetric and antisymmetric parts of X decay with the eigenvalues of A, 0.01 and -1.99.
        let exact (w: torch.Tensor) =
            let growth (rate: float) = (number (rate - 2.0 * 0.87 * 0.87) + number 0.87 * w.sum -1L).exp()
            let sum, difference = growth 0.01 * number 1.5, growth -1.99 * number -0.5
            torch.stack ([| sum + difference; sum - difference |], -1L)

        new LinearModel(A, 0.87) :> DifferentialModel,
        4L,
        [ "x", (vector [| 1.0; 2.0 |]).expand(paths, 2L) ],
        exact

    let scalarCase (model: PointwiseModel) u0 exact = model :> DifferentialModel, 1L, [ "x", fill u0 ], exact

    let atan' =
        scalarCase (pointwise NoiseStructure.Diagonal Calculus.Ito arctangent) 1.0 (fun (w: torch.Tensor) ->
            (number 0.1 * w + number (tan 1.0)).atan())

    let tanh' =
        scalarCase (pointwise NoiseStructure.Diagonal Calculus.Ito hyperbolic) 0.5 (fun (w: torch.Tensor) ->
            let e = number 1.5 * w.exp ()
            (e - number 0.5) / (e + number 0.5))

    let additive' calculus =
        scalarCase (pointwise NoiseStructure.Additive calculus additive) 1.0 (fun (w: torch.Tensor) ->
            (number 1.0 + number 0.05 * (number 1.0 + number 0.1 * w)) / number (sqrt 2.0))

    [ "geometric, Ito", geometric Calculus.Ito, [ em, 0.5; milstein, 1.0; heun, 1.0 ]
      "geometric, Stratonovich", geometric Calculus.Stratonovich, [ em, 0.5; milstein, 1.0; heun, 1.0 ]
      "arctangent", atan', [ milstein, 1.0; heun, 1.0; em, 0.5 ]
      "hyperbolic", tanh', [ em, 0.5; milstein, 1.0; heun, 1.0 ]
      "additive", additive' Calculus.Ito, [ em, 1.0; milstein, 1.0 ]
      "additive, Stratonovich", additive' Calculus.Stratonovich, [ em, 1.0; heun, 1.0 ]
      "four commuting noises", linear, [ em, 0.5; milstein, 1.0; heun, 1.0 ] ]

let closeTo tolerance (actual: float) wanted message =
    Expect.isLessThan (abs (actual - wanted)) tolerance $"{message}: {actual} for {wanted}"

let tests =
    testList
        "Sde"
        [ for name, (model, size, initial, exact), methods in strongOrders do
              for method', order in methods do
                  test $"strong order, {name}, {(method' 1.0).Name}" {
                      let declared =
                          StochasticMethod.All |> Seq.find (fun known -> known.Name = (method' 1.0).Name)

                      Expect.equal (declared.StrongOrder (model :?> SdeModel).Noise) order "declared order"
                      closeTo 0.2 (strongOrder model size initial exact method') order "slope"
                  }

          test "weak order of Euler-Maruyama" {
              use _ = torch.NewDisposeScope()
              let model, batch = new GeometricModel(Calculus.Ito, 1.01, 0.87), 200_000L
              let u0 = torch.full ([| batch |], Scalar.op_Implicit 0.5, Nullable float64)

              let errors =
                  [ for k in 1..4 ->
                        let dt = 2.0 ** float -k
                        let reached = solveAt 3UL (em dt) 1.0 model [ "u", u0 ]
                        let u, w = reached.select (-1, 0L), reached.select (-1, 1L)
                        // The mean of the exact solution on these very paths: most of the sampling error cancels.
                        let exact = number 0.5 * (number (1.01 - 0.87 * 0.87 / 2.0) + number 0.87 * w).exp()
                        dt, abs ((u - exact).mean().item<float>()) ]

              closeTo 0.3 (slope errors) 1.0 "slope"
          }

          test "an Ornstein-Uhlenbeck process has its mean and variance" {
              use _ = torch.NewDisposeScope()
              let theta, sigma, count, finish = 1.5, 0.4, 10_000L, 1.0

              let model =
                  pointwise
                      NoiseStructure.Additive
                      Calculus.Ito
                      { additive with
                          F = fun _ x -> x * number -theta
                          F' = fun _ x -> torch.full_like (x, Scalar.op_Implicit -theta)
                          G = fun _ x -> torch.full_like (x, Scalar.op_Implicit sigma) }

              let x = solveAt 7UL (em 1e-3) finish model [ "x", torch.ones (count, dtype = float64) ]

              let mean, variance =
                  exp (-theta * finish), sigma * sigma / (2.0 * theta) * (1.0 - exp (-2.0 * theta * finish))

              closeTo (3.0 * sqrt (variance / float count)) (x.mean().item<float>()) mean "mean"
              closeTo (3.0 * variance * sqrt (2.0 / float count)) (x.var().item<float>()) variance "variance"
          }

          test "a sample that blows up keeps to itself" {
              use _ = torch.NewDisposeScope()

              let model =
                  pointwise
                      NoiseStructure.Diagonal
                      Calculus.Ito
                      { hyperbolic with
                          F = fun _ x -> x.pow (number 3.0)
                          F' = fun _ x -> number 3.0 * x.square () }

              let options =
                  SolveOptions(
                      Start = Nullable 0.0,
                      End = Nullable 1.0,
                      Save = SaveAt.Grid 11,
                      Method = em 0.05
                  )

              let x0 = (vector [| 0.1; 1e5; -0.2 |]).requires_grad_()
              let solution = model.Solve(Dictionary(dict [ "x", x0 ]), options)

              Expect.equal
                  (List.ofSeq solution.Status)
                  [ SolveStatus.Success; SolveStatus.NonFinite; SolveStatus.Success ]
                  "status"

              Expect.isFalse solution.Succeeded "not all"
              Expect.stringContains solution.Message "Sample 1 met NaN or infinity" "message"
              Expect.isTrue (Double.IsFinite((values solution.LastState)[1])) "the last good state is kept"
              Expect.isLessThan solution.LastTime[1] 0.5 "and its time"
              let alone = model.Solve(Dictionary(dict [ "x", vector [| 0.1 |] ]), options)

              Expect.isTrue
                  (same (solution.Packed.select (1, 0L)) (alone.Packed.select (1, 0L)))
                  "its neighbour is as alone"

              (solution.Packed.select (0, 10L)).nan_to_num().sum().backward()
              let gradient = values x0.grad
              Expect.isTrue (Array.forall Double.IsFinite gradient) "gradients of the others are good"
              Expect.equal gradient[1] 0.0 "none flows through what was not reached"
          }

          test "cancelling and running out of steps are told apart" {
              let model = new GeometricModel(Calculus.Ito, 0.1, 0.2)
              let start = Dictionary(dict [ "u", number 1.0 ])
              use source = new CancellationTokenSource()
              let mutable last = 0.0

              let progress =
                  { new IProgress<SolveProgress> with
                      member _.Report p =
                          last <- p.Fraction

                          if p.Fraction > 0.3 then
                              source.Cancel() }

              let cancelled =
                  model.Solve(
                      start,
                      SolveOptions(Method = em 1e-4, Progress = progress, CancellationToken = source.Token)
                  )

              Expect.equal cancelled.Status[0] SolveStatus.Cancelled "cancelled"
              Expect.isTrue (last > 0.3 && last < 0.5) "soon after it was asked"
              closeTo 1e-12 cancelled.LastTime[0] last "time reached"
              Expect.isTrue (Double.IsNaN(cancelled.Packed.select(-1, 0L).item<float>())) "nothing at the end"

              let short = model.Solve(start, SolveOptions(Method = em 1e-2, MaxSteps = 30))
              Expect.equal short.Status[0] SolveStatus.MaxSteps "steps"
              closeTo 1e-12 short.LastTime[0] 0.3 "thirty of them"
              Expect.equal short.Statistics.Accepted[0] 30L "counted"
          }

          test "every saved step, and the end exactly" {
              use _ = torch.NewDisposeScope()
              let model = new GeometricModel(Calculus.Ito, 0.1, 0.2)
              let start = Dictionary(dict [ "u", number 1.0 ])
              let all = model.Solve(start, SolveOptions(Method = em 0.3, Save = SaveAt.Steps))
              Expect.sequenceEqual (values all.Times) [ 0.0; 0.3; 0.6; 0.3 * 3.0; 1.0 ] "times"
              Expect.equal all.Packed.shape [| 5L; 2L |] "no batch axes where none were given"
          }

          testList
              "refused"
              [ let model = new GeometricModel(Calculus.Ito, 0.1, 0.2)

                let refuses name (options: SolveOptions) (words: string) =
                    test name {
                        let problem =
                            try
                                model.Solve(Dictionary(dict [ "u", number 1.0 ]), options) |> ignore
                                "nothing was thrown"
                            with :? ArgumentException as e ->
                                e.Message

                        Expect.stringContains problem words "message"
                    }

                refuses
                    "an unknown method"
                    (SolveOptions(Method = Method "euler_maryama"))
                    "Did you mean 'euler_maruyama'?"

                refuses
                    "a method for other equations"
                    (SolveOptions(Method = Method "dopri5"))
                    "euler_heun, euler_maruyama, milstein"

                refuses "a step of zero" (SolveOptions(Method = em 0.0)) "must be positive and finite, not 0"
                refuses "a step that is not a number" (SolveOptions(Method = em nan)) "not NaN"
                refuses "no steps" (SolveOptions(MaxSteps = 0)) "MaxSteps must be positive"
                refuses "no time" (SolveOptions(End = Nullable 0.0)) "starts and ends at t = 0"
                refuses "backwards" (SolveOptions(End = Nullable -1.0)) "forwards in time"

                refuses
                    "times out of order"
                    (SolveOptions(Save = SaveAt.Times(ReadOnlySpan [| 0.0; 0.5; 0.2; 1.0 |])))
                    "0.2"

                refuses
                    "times of every sample's own"
                    (SolveOptions(Save = SaveAt.Times(torch.tensor (array2D [ [ 0.0; 0.0 ]; [ 1.0; 2.0 ] ]))))
                    "share the grid of their steps"

                test "Milstein's method for general noise" {
                    let general = pointwise NoiseStructure.General Calculus.Ito hyperbolic

                    Expect.throwsC
                        (fun () -> solveAt 0UL (milstein 0.1) 1.0 general [ "x", number 0.5 ] |> ignore)
                        (fun e ->
                            Expect.stringContains e.Message "take euler_heun or euler_maruyama" "message")
                } ] ]
