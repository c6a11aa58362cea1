module DiffEqLang.Tests.Runtime.GradientTests

open System
open DiffEqLang.Runtime
open DiffEqLang.Tests.Support.Gradients
open DiffEqLang.Tests.Support.Odes
open Expecto
open TorchSharp

let tests =
    testList
        "Gradient"
        [ test "ten Euler steps of 0.1: value and gradient 1.1^10" {
              for coupling in [ StepCoupling.PerSample; StepCoupling.Batch ] do
                  let x0 = trained (vector [ 1.0 ])
                  let equations = differentiableOde [] (fun _ x -> x) (fun _ _ w _ -> w)

                  let solution =
                      solveWith
                          (SolveOptions(
                              Start = Nullable 0.0,
                              End = Nullable 1.0,
                              Method = fixedStep "euler" 0.1,
                              Coupling = coupling
                          ))
                          equations
                          x0

                  backward (solution.Packed.sum ())
                  Expect.floatClose Accuracy.veryHigh (values solution.Packed).[0] (1.1 ** 10.0) "value"
                  Expect.floatClose Accuracy.veryHigh (gradientOf x0).[0] (1.1 ** 10.0) "gradient"
          }

          testList
              "is exact for the scheme"
              [ for name in Methods.OdeNames do
                    for coupling in [ StepCoupling.PerSample; StepCoupling.Batch ] do
                        let method = fixedStep name 0.13
                        let inside = [| 0.0; 0.07; 0.1; 0.5; 0.9; 1.0 |]

                        for save, what in
                            [ SaveAt.End, "end"
                              SaveAt.Times(ReadOnlySpan inside), "inside the steps"
                              SaveAt.Times(ReadOnlySpan [| 1.0; 0.4; 0.0 |]), "backwards"
                              SaveAt.Steps, "every step" ] do
                            test $"{name} {coupling}, saved at the {what}" {
                                let times = SolveOptions(Save = save, Method = method, Coupling = coupling)

                                let options =
                                    if what = "end" || what = "every step" then
                                        SolveOptions(
                                            Start = Nullable 0.0,
                                            End = Nullable 1.0,
                                            Save = save,
                                            Method = method,
                                            Coupling = coupling
                                        )
                                    else
                                        times

                                expectExactGradient options
                            } ]

          everyWay "x' = A x against the matrix exponential" (fun way ->
              // L = sum over times of c . x(t); dL/dA by a power series of the block matrix [[A, E], [0, A]] would be exact;
              // for A = a I + b J (rotation) the derivative along I and J is known: t x(t) and t J x(t).
              let a = trained (matrix [ [ -0.3; -1.2 ]; [ 1.2; -0.3 ] ])
              let x0 = trained (matrix [ [ 1.0; 0.5 ]; [ -2.0; 0.3 ] ])
              let times = [ 0.0; 0.4; 1.1; 2.0 ]
              let solution = solveWith (tight way times) (linear a) x0
              backward (solution.Packed.sum ())

              let state t (x, y) =
                  let decay, c, s = exp (-0.3 * t), cos (1.2 * t), sin (1.2 * t)
                  decay * (c * x - s * y), decay * (s * x + c * y)

              let starts = [ 1.0, 0.5; -2.0, 0.3 ]

              let alongI =
                  List.sum
                      [ for t in times do
                            for start in starts do
                                let x, y = state t start in t * (x + y) ]

              let alongJ =
                  List.sum
                      [ for t in times do
                            for start in starts do
                                let x, y = state t start in t * (x - y) ]

              let g = gradientOf a
              Expect.isLessThan (abs (g[0] + g[3] - alongI)) 1e-8 "along I"
              Expect.isLessThan (abs (g[2] - g[1] - alongJ)) 1e-8 "along J"

              let ofStart =
                  [ for _ in starts do
                        List.sum
                            [ for t in times do
                                  let x, y = state t (1.0, 0.0) in x + y ]

                        List.sum
                            [ for t in times do
                                  let x, y = state t (0.0, 1.0) in x + y ] ]

              expectNear 1e-9 ofStart (gradientOf x0) "initial state")

          everyWay "the gradient to the initial state of a linear system" (fun way ->
              let a = matrix [ [ 0.1; -1.0 ]; [ 1.0; -0.1 ] ]
              let x0 = trained (vector [ 0.9; 5.4 ])
              let solution = solveWith (tight way [ 0.3; 9.5 ]) (linear a) x0
              backward (solution.Packed.select(0L, 1L).sum())

              expectNear
                  1e-9
                  [ -2.29525343299846; -5.10625514528044 ]
                  (values (solution.Packed.select (0L, 1L)))
                  "state"

              expectNear 1e-9 [ -0.667697539800515; -1.25936681341823 ] (gradientOf x0) "gradient")

          fewWays "the spiral's gradient to its matrix" (fun way ->
              let a, y0 = trained (matrix [ [ -0.1; 2.0 ]; [ -2.0; -0.1 ] ]), trained (vector [ 2.0; 0.0 ])
              let solution = solveWith (tight way [ for i in 0..9 -> 25.0 * float i / 9.0 ]) (spiral a) y0
              let loss = solution.Packed.sum ()
              backward (loss)
              Expect.isLessThan (abs (loss.item<float>() - 0.474521175150849)) 1e-8 "loss"
              // The continuous adjoint loses digits where it solves the contracting spiral backwards.
              let mode, _, _ = way
              let accuracy = if mode = GradientMode.Backsolve then 1e-6 else 1e-8

              expectNear
                  accuracy
                  [ -66.0073525009108; -5.64759404573726; 4.02297734563360; -65.3658146788491 ]
                  (gradientOf a)
                  "matrix"

              expectNear accuracy [ -5.96656547719032; 0.661299586718226 ] (gradientOf y0) "initial state")

          fewWays "predator and prey, with and without a season" (fun way ->
              let p, u0 = trained (vector [ 1.5; 1.0; 3.0; 1.0 ]), trained (vector [ 1.0; 1.0 ])
              let seasonal = solveWith (tight way [ 0.0..0.5..10.0 ]) (predatorPrey p true) u0
              let loss = scale 0.5 ((plus -2.0 seasonal.Packed).Squared().sum())
              backward (loss)
              Expect.isLessThan (abs (loss.item<float>() - 64.9120895046476)) 1e-7 "loss"

              expectNear
                  1e-8
                  [ 13.1567195267663; -16.8105140435349; 7.70270813141437; -25.6394758596843 ]
                  (gradientOf p)
                  "seasonal, parameters"

              expectNear
                  1e-8
                  [ 0.211965669792251; -17.1910050707363 ]
                  (gradientOf u0)
                  "seasonal, initial state"

              let p, u0 = trained (vector [ 1.5; 1.0; 3.0; 1.0 ]), trained (vector [ 1.0; 1.0 ])

              let plain =
                  solveWith (tight way [ for i in 0..100 -> float i / 10.0 ]) (predatorPrey p false) u0

              backward (plain.Packed.sum ())

              expectNear
                  1e-8
                  [ 8.30536266231655; -159.484292715139; 75.2035082137728; -339.195092766061 ]
                  (gradientOf p)
                  "plain, parameters"

              expectNear 1e-8 [ -39.1275412226681; -8.78778021899264 ] (gradientOf u0) "plain, initial state")

          everyWay "the gradient to the saved times" (fun way ->
              // x' = x from x(t0) = 2: x(t) = 2 exp(t - t0); L = x(t0) + 3 x(t1) + x(t2).
              let times = trained (vector [ 0.5; 1.0; 2.0 ])
              let x0 = trained (vector [ 2.0 ])
              let equations = differentiableOde [] (fun _ x -> x) (fun _ _ w _ -> w)
              let mode, coupling, name = way
              let options = tight way [ 0.0 ]

              let options =
                  SolveOptions(
                      Save = SaveAt.Times times,
                      Method = options.Method,
                      Gradient = Nullable mode,
                      Coupling = coupling
                  )

              ignore name
              let solution = solveWith options equations x0
              backward ((solution.Packed.mul (vector [ 1.0; 3.0; 1.0 ] |> _.unsqueeze(-1L))).sum())
              let x1, x2 = 2.0 * exp 0.5, 2.0 * exp 1.5
              expectNear 1e-8 [ -(3.0 * x1 + x2); 3.0 * x1; x2 ] (gradientOf times) "times"
              expectNear 1e-8 [ (2.0 + 3.0 * x1 + x2) / 2.0 ] (gradientOf x0) "initial state")

          everyWay "the gradient to the start and the end of a solve" (fun (mode, coupling, name) ->
              // x' = x from x(t0) = 2, five times: x(t) = 2 exp(t - t0); L = sum of x, each at (t - t0) = (t1 - t0) i/4.
              let start, finish = trained (torch.tensor 0.5), trained (torch.tensor 1.5)
              let equations = differentiableOde [] (fun _ x -> x) (fun _ _ w _ -> w)

              let options =
                  SolveOptions(
                      Save = SaveAt.Between(start, finish, 5),
                      Method = (tight (mode, coupling, name) [ 0.0 ]).Method,
                      Gradient = Nullable mode,
                      Coupling = coupling
                  )

              let solution = solveWith options equations (vector [ 2.0 ])
              Expect.equal (values solution.Times) [| 0.5; 0.75; 1.0; 1.25; 1.5 |] "times"
              backward (solution.Packed.sum ())
              let ofLength = List.sum [ for i in 0..4 -> float i / 4.0 * 2.0 * exp (float i / 4.0) ]

              expectNear
                  1e-7
                  [ -ofLength; ofLength ]
                  [| (gradientOf start)[0]; (gradientOf finish)[0] |]
                  "ends")

          test "samples that step apart have the gradients they would have alone" {
              let w, b, x0, _ = networkInputs ()
              let x0 = x0.mul (vector [ 0.1; 1.0; 5.0; 30.0 ] |> _.unsqueeze(-1L))
              let options = saving [ 0.0; 0.3; 2.0; 5.0 ] (tolerances "tsit5" 1e-7 1e-9)
              let together = trained x0
              let both = trained w
              let solution = solveWith options (network both b) together

              Expect.isGreaterThan
                  (Seq.distinct solution.Statistics.Accepted |> Seq.length)
                  1
                  "they do step apart"

              backward (solution.Packed.Squared().sum())
              let alone = [ for i in 0L .. 3L -> trained (x0.select (0L, i)), trained w ]

              for x, w in alone do
                  backward ((solveWith options (network w b) x).Packed.Squared().sum())

              expectNear
                  1e-10
                  (alone |> Seq.collect (fst >> gradientOf))
                  (gradientOf together)
                  "initial states"

              let sum = alone |> List.map (snd >> gradientOf) |> List.reduce (Array.map2 (+))
              expectNear 1e-10 sum (gradientOf both) "parameters"
          }

          testList
              "a failed sample takes no part"
              [ for mode in modes do
                    for start in [ nan; 3.0 ] do // 3 blows up at t = 1/3
                        test $"{mode}, from {start}" {
                            let rate = trained (vector [ 1.0 ])

                            let equations =
                                differentiableOde
                                    [ rate ]
                                    (fun _ x -> x.Squared().mul rate)
                                    (fun _ x w into ->
                                        into.Add(0, w.mul (x.Squared()))
                                        w.mul(x).mul(scale 2.0 rate))

                            let x0 = trained (matrix [ [ 0.5 ]; [ start ]; [ 0.25 ] ])

                            let options =
                                SolveOptions(
                                    Start = Nullable 0.0,
                                    End = Nullable 1.0,
                                    Method = tolerances "dopri5" 1e-10 1e-10,
                                    Gradient = Nullable mode
                                )

                            let solution = solveWith options equations x0

                            Expect.equal
                                [ for s in solution.Status -> s = SolveStatus.Success ]
                                [ true; false; true ]
                                "status"

                            backward (solution.Packed.nansum ())
                            // x(t) = x0/(1 - r x0 t): dx/dx0 = 1/(1 - x0)^2, dx/dr = x0^2/(1 - x0)^2
                            expectNear 1e-8 [ 4.0; 0.0; 16.0 / 9.0 ] (gradientOf x0) "initial states"
                            expectNear 1e-8 [ 1.0 + 1.0 / 9.0 ] (gradientOf rate) "parameter"
                        } ]

          test "stage states computed again give the same gradient as those kept" {
              let w, b, x0, _ = networkInputs ()
              let options = saving [ 0.0; 0.35; 1.0 ] (fixedStep "dopri8" 0.25)

              let problem equations =
                  OdeProblem.Of(equations, SolveSpan.Of(options, Nullable(), Nullable()), options)

              let equations = network (trained w) (trained b)

              let record budget =
                  let problem = problem equations
                  let tape = new OdeTape(problem.LanesOf x0, budget)
                  tape, OdeIntegrator.Run(problem, x0, tape)

              let (kept, run), (forgetful, _) = record Int64.MaxValue, record 0L
              let cotangents = torch.ones_like run.Values

              let stepsOf (tape: StepTape) = [ for i in tape.Count - 1 .. -1 .. 0 -> tape.Step i ]

              let gradients (tape: StepTape) =
                  use _ = torch.no_grad ()
                  let into = ParameterGradients equations.Parameters
                  let initial = DiscreteAdjoint.Run(problem equations, tape, cotangents, into)
                  Array.concat [ values initial; values into[0]; values into[1] ]

              Expect.isTrue (stepsOf kept |> Seq.forall (fun step -> not (isNull step.StageStates))) "kept"

              Expect.isTrue (stepsOf forgetful |> Seq.forall (fun step -> isNull step.StageStates)) "not kept"

              Expect.isLessThan (distance (gradients kept) (gradients forgetful)) 1e-13 "gradients"
          } ]
