module DiffEqLang.Tests.Runtime.SimdTests

open System
open System.Threading
open DiffEqLang.Benchmarks.Models
open DiffEqLang.Runtime
open DiffEqLang.Runtime.Simd
open DiffEqLang.Tests.Support.Gradients
open DiffEqLang.Tests.Support
open DiffEqLang.Tests.Support.LaneKernels
open DiffEqLang.Tests.Support.Odes
open DiffEqLang.Tests.Support.SimdSolves
open Expecto
open TorchSharp

let tests =
    testList
        "Simd"
        [ testList
              "values and gradients are torch's"
              [ for coupling in [ StepCoupling.PerSample; StepCoupling.Batch ] do
                    for m in methods do
                        for what, save in saves do
                            test $"{coupling} {describe m}, {what}" {
                                expectEqualTargets (optionsOf save coupling m)
                            }

                        if m.Dt.HasValue then
                            test $"{coupling} {describe m}, every step" {
                                expectEqualTargets (optionsOf SaveAt.Steps coupling m)
                            } ]

          testList
              "the generated shape of code: Lorenz"
              [ for m in [ tolerances "dopri5" 1e-7 1e-9; Methods.Rk4 0.01; Methods.Rk4 0.013 ] do
                    for what, save in saves do
                        test $"{describe m}, {what}" {
                            let x = torch.linspace (0.5, 3.0, 37L, dtype = torch.float64)
                            let options = optionsOf save StepCoupling.PerSample m
                            use _ = torch.no_grad ()
                            let model: OdeModel = if m.Name = "rk4" then new LorenzRk4() else new Lorenz()
                            let _, expected = solveLorenz model SolveTarget.Torch options x
                            let _, found = solveLorenz model SolveTarget.Simd options x
                            expectNear 1e-11 (values expected.Packed) (values found.Packed) "values"

                            Expect.sequenceEqual
                                found.Statistics.Accepted
                                expected.Statistics.Accepted
                                "steps"

                            // Of the sample that took most; fixed steps of torch may count the slope at the end besides.
                            if m.Name = "dopri5" then
                                Expect.equal
                                    found.Statistics.Evaluations
                                    expected.Statistics.Evaluations
                                    "evaluations"
                        } ]

          test "512-bit registers give the same" {
              let model = new Lorenz()
              let parameters = model.parameters () |> List.ofSeq
              let x = (starts ())

              let solved isWide =
                  let binding = lorenzLanes model isWide

                  let solution =
                      solveLanes
                          (optionsOf (SaveAt.Grid 7) StepCoupling.PerSample (tolerances "dopri5" 1e-7 1e-9))
                          binding
                          (trained x)

                  for p in parameters do
                      p.grad <- null

                  backward (solution.Packed.Squared().sum())
                  values solution.Packed, parameters |> List.map gradientOf |> Array.concat

              let narrow, narrowGradient = solved false
              let wide, wideGradient = solved true
              expectNear 1e-12 narrow wide "values"
              expectNear 1e-10 narrowGradient wideGradient "gradients"
          }

          test "a network in float32 is torch's to its rounding" {
              use model = new SpiralTraining()
              let y0: Tensor = plus -1.0 (scale 2.0 (torch.rand ([| 20L; 2L |], dtype = torch.float32)))

              let solved (target: SolveTarget) =
                  model.zero_grad ()

                  let solution =
                      model.Solve(y0, SolveOptions(Target = Nullable target, Save = SaveAt.Grid 10))

                  backward (solution.y.Squared().mean())

                  values solution.y,
                  [| for p in model.parameters () do
                         yield! values p.grad |]

              let expected, expectedGradient = solved SolveTarget.Torch
              let found, gradient = solved SolveTarget.Simd
              expectNear 1e-5 expected found "values"

              Expect.isLessThan
                  (distance expectedGradient gradient / largest expectedGradient)
                  1e-4
                  "gradients"
          }

          test "vector-Jacobian products are derivatives" {
              use w = (starts ()).narrow(0L, 0L, 3L).contiguous()
              expectDerivatives (new NetworkKernel(w)) (fun i -> 9 + i)
              expectDerivatives (new BlowUpKernel()) id
              expectDerivatives (Kernels.kernelOf (lorenzLanes (new Lorenz()) false)) id
          }

          testList
              "statuses are torch's, and the others go on"
              [ for what, m, most in
                    [ "blow up", tolerances "dopri5" 1e-8 1e-10, 100_000
                      "used up", tolerances "tsit5" 1e-8 1e-10, 20
                      "fixed", fixedStep "rk4" 0.01, 100_000 ] do
                    for start in [ 3.0; nan; infinity ] do
                        test $"{what}, from {start}" {
                            let x0 =
                                (vector [ for i in 0..24 -> if i % 5 = 3 then start else 0.02 * float i ])
                                    .unsqueeze
                                    -1L

                            let options =
                                SolveOptions(
                                    Start = Nullable 0.0,
                                    End = Nullable 1.5,
                                    Method = m,
                                    MaxSteps = most,
                                    Save = SaveAt.Grid 4
                                )

                            let rate = trained (vector [ 1.0 ])

                            let equations =
                                differentiableOde
                                    [ rate ]
                                    (fun _ x -> x.Squared().mul rate)
                                    (fun _ x w into ->
                                        into.Add(0, w.mul (x.Squared()))
                                        w.mul(x).mul(scale 2.0 rate))

                            let expected = solveWith options equations x0
                            let x, r = trained x0, trained (vector [ 1.0 ])
                            let found = solveLanes options (blowUpLanes r) x
                            Expect.sequenceEqual found.Status expected.Status "statuses"

                            Expect.sequenceEqual
                                found.Statistics.Accepted
                                expected.Statistics.Accepted
                                "accepted"

                            Expect.sequenceEqual
                                found.Statistics.Rejected
                                expected.Statistics.Rejected
                                "rejected"

                            let isMissing = values expected.Packed |> Array.map Double.IsNaN

                            Expect.sequenceEqual
                                (values found.Packed |> Array.map Double.IsNaN)
                                isMissing
                                "what is missing"

                            for a, b in Seq.zip (values found.Packed) (values expected.Packed) do
                                if Double.IsFinite b then
                                    Expect.isLessThan (abs (a - b)) (1e-12 * max 1.0 (abs b)) "values"

                            backward (found.Packed.nansum ())
                            backward (expected.Packed.nansum ())
                            let g = gradientOf r

                            Expect.isTrue
                                (Double.IsFinite g[0])
                                $"a failed sample reaches no parameter: {g[0]}"

                            Expect.isLessThan
                                (abs (g[0] - (gradientOf rate)[0]))
                                (1e-10 * abs g[0])
                                "parameter's gradient"
                        } ]

          test "a sample alone is bit for bit what it is among others, in any order" {
              let x = torch.linspace (-8.0, 8.0, 61L, dtype = torch.float64)
              let options = optionsOf (SaveAt.Grid 7) StepCoupling.PerSample (tolerances "dopri5" 1e-6 1e-8)
              use _ = torch.no_grad ()
              let _, together = lorenz SolveTarget.Simd options x
              let _, reversed = lorenz SolveTarget.Simd options (x.flip (0L))

              Expect.isGreaterThan
                  (together.Statistics.Accepted |> Seq.distinct |> Seq.length)
                  3
                  "they step apart"

              let all = together.Packed

              Expect.sequenceEqual
                  (values (reversed.Packed.flip (1L)) |> Array.map BitConverter.DoubleToInt64Bits)
                  (bits together)
                  "reversed"

              for i in 0L .. 60L do
                  let _, alone = lorenz SolveTarget.Simd options (x.narrow (0L, i, 1L))
                  Expect.sequenceEqual (values alone.Packed) (values (all.narrow (1L, i, 1L))) $"sample {i}"
          }

          test "the number of threads changes no bit" {
              let x = torch.linspace (-8.0, 8.0, 1500L, dtype = torch.float64)

              let solved threads =
                  let m = tolerances "dopri5" 1e-6 1e-8
                  let options = SolveOptions(Save = SaveAt.Grid 3, Method = m, Threads = Nullable threads)
                  let model, solution = lorenz SolveTarget.Simd options x
                  backward (solution.Packed.Squared().sum())

                  bits solution,
                  [| for p in model.parameters () do
                         yield! values p.grad |]

              let one, oneGradient = solved 1
              let four, fourGradient = solved 4
              Expect.sequenceEqual four one "values"
              Expect.sequenceEqual fourGradient oneGradient "gradients"
          }

          test "steps allocate nothing" {
              let lanes () = lorenzLanes (new Lorenz()) false
              let few, fewSteps = allocated (lanes ()) 1e-3
              let many, manySteps = allocated (lanes ()) 1e-10
              Expect.isGreaterThan manySteps (5L * fewSteps) "the one takes many more steps"
              Expect.equal many few "bytes"
          }

          test "a backward pass may be repeated" {
              let w0, b0, _, _ = networkInputs ()
              let w, x = trained w0, trained (starts ())

              let solution =
                  solveLanes
                      (optionsOf (SaveAt.Grid 7) StepCoupling.PerSample (tolerances "tsit5" 1e-7 1e-9))
                      (networkLanes w (trained b0))
                      x

              let loss = solution.Packed.Squared().sum()
              loss.backward (retain_graph = true)
              let first = gradientOf w
              loss.backward ()
              GradientFault.ThrowIfAny()
              expectNear 1e-15 (first |> Array.map ((*) 2.0)) (gradientOf w) "twice"
          }

          test "gradients to the saved times" {
              let w0, b0, _, _ = networkInputs ()

              let solved solve =
                  let times = trained (vector [ 0.1; 0.3; 0.9 ])

                  let options =
                      SolveOptions(Save = SaveAt.Times times, Method = tolerances "dopri5" 1e-9 1e-11)

                  let solution: Solution = solve options
                  backward (solution.Packed.Squared().sum())
                  gradientOf times

              let expected =
                  solved (fun options ->
                      solveWith options (network (trained w0) (trained b0)) (trained (starts ())))

              let found =
                  solved (fun options ->
                      solveLanes options (networkLanes (trained w0) (trained b0)) (trained (starts ())))

              expectNear 1e-9 expected found "times"
          }

          test "a cancelled solve says so" {
              use source = new CancellationTokenSource()
              source.Cancel()
              let w, b, _, _ = networkInputs ()

              for coupling in [ StepCoupling.PerSample; StepCoupling.Batch ] do
                  let options =
                      SolveOptions(
                          Start = Nullable 0.0,
                          End = Nullable 1.0,
                          Method = tolerances "dopri5" 1e-6 1e-8,
                          Coupling = coupling,
                          CancellationToken = source.Token
                      )

                  let solution = solveLanes options (networkLanes w b) (starts ())
                  Expect.allEqual solution.Status SolveStatus.Cancelled "status"
                  Expect.allEqual solution.LastTime 0.0 "time"
          }

          testList
              "the choice of target"
              [ test "a model without code, or in another precision" {
                    use model = new SpiralTraining(dtype = Nullable torch.float64)
                    let y = torch.rand ([| 3L; 2L |], dtype = torch.float64)
                    Expect.isTrue (model.Solve(y)).Succeeded "torch takes it over"

                    Expect.throwsC
                        (fun () -> model.Solve(y, SolveOptions(Target = Nullable SolveTarget.Simd)) |> ignore)
                        (fun e ->
                            Expect.stringContains e.Message "Float32" "the reason"
                            Expect.stringContains e.Message "SolveTarget.Torch" "the remedy")
                }
                test "every adaptive step, and backsolve" {
                    use model = new Lorenz()

                    for options in
                        [ SolveOptions(
                              Target = Nullable SolveTarget.Simd,
                              Save = SaveAt.Steps,
                              Coupling = StepCoupling.Batch
                          )
                          SolveOptions(
                              Target = Nullable SolveTarget.Simd,
                              Gradient = Nullable GradientMode.Backsolve
                          ) ] do
                        Expect.throwsT<InvalidOperationException>
                            (fun () -> model.Solve((null: Tensor), null, null, options) |> ignore)
                            "said"
                }
                test "samples with times of their own" {
                    use model = new Lorenz()
                    let own = SaveAt.Times(matrix [ [ 0.0; 0.5 ]; [ 0.1; 0.3 ] ])

                    let solve target =
                        model.Solve(
                            (null: Tensor),
                            null,
                            null,
                            SolveOptions(Target = Nullable target, Save = own)
                        )

                    Expect.isTrue (solve SolveTarget.Auto).Succeeded "torch takes them over"

                    Expect.throwsC (fun () -> solve SolveTarget.Simd |> ignore) (fun e ->
                        Expect.stringContains e.Message "Samples with times of their own" "the reason")
                }
                test "a tensor of times that wants no gradient" {
                    for target in [ SolveTarget.Simd; SolveTarget.Torch ] do
                        use model = new Lorenz()

                        let options =
                            SolveOptions(Target = Nullable target, Save = SaveAt.Times(vector [ 0.0; 0.1 ]))

                        backward (model.Solve((null: Tensor), null, null, options).Packed.sum())
                        Expect.isFalse (isNull (model.get_parameter "rho").grad) "parameters have one"
                } ] ]
