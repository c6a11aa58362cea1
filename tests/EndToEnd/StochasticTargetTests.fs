/// Stochastic models on SIMD registers against the same on tensors: the same paths of the same seed, the same gradients, the same
/// ends, whatever the noise, the method, the precision and what is saved.
module DiffEqLang.Tests.EndToEnd.StochasticTargetTests

open System
open System.Collections.Generic
open System.Threading
open Expecto
open TorchSharp
open DiffEqLang.Contracts
open DiffEqLang.Compiler
open DiffEqLang.Compiler.Backends.Simd
open DiffEqLang.Compiler.Ir
open DiffEqLang.Runtime
open DiffEqLang.Runtime.Simd
open DiffEqLang.Runtime.Solvers.Stochastic
open DiffEqLang.Tests.Runtime.SdeTests
open DiffEqLang.Tests.Support
open DiffEqLang.Tests.Support.StochasticModels
open DiffEqLang.Tests.EndToEnd.StochasticTargets

let private sameOnBothTargets =
    testList
        "paths and gradients are torch's"
        [ for name, _ in sources do
              for dtype in [ float64; torch.ScalarType.Float32 ] do
                  if name <> "BlowUp" && name <> "LeavesDomain" then
                      test $"{name} in {dtype}" {
                          let saves = if dtype = float64 then saves else [ List.last saves ]

                          for m in methodsOf (create dtype name) do
                              for save in saves do
                                  expectEqualTargets
                                      dtype
                                      name
                                      (fun target -> Options.Of(target, m, save))
                                      (fun model -> starts model 37L)
                      } ]

let private mirroredAndSplit =
    testList
        "which path a sample sees"
        [ for isAntithetic in [ false; true ] do
              for first in [ 0L; 5L; 64L ] do
                  for name in [ "Diagonal"; "OneNoise"; "CorrelatedDiagonal" ] do
                      test $"{name}, antithetic: {isAntithetic}, from {first}" {
                          let options target =
                              Options.Of(target, step, first = first, antithetic = isAntithetic)

                          expectEqualTargets float64 name options (fun model -> starts model 70L)
                      } ]

let private part (initial: Dictionary<string, torch.Tensor>) first count =
    Dictionary(dict [ for pair in initial -> pair.Key, pair.Value.detach().narrow(0L, first, count) ])

let private independence =
    testList
        "bit for bit"
        [ for name, dtype in [ "OneNoise", float64; "Diagonal", torch.ScalarType.Float32; "Network", float64 ] do
              test $"{name}: threads change nothing" {
                  use _ = torch.NewDisposeScope()
                  let model = create dtype name
                  let initial = starts model 700L

                  let solved threads =
                      let solution = model.Solve(initial, Options.Simd(step, grid, threads = threads))
                      bits solution, gradients model initial solution

                  Expect.equal (solved 3) (solved 1) "values and gradients"
              }

              test $"{name}: the split of a batch changes nothing" {
                  use _ = torch.NewDisposeScope()
                  use _ = torch.no_grad ()
                  let model = create dtype name
                  let initial = starts model 200L
                  let whole = model.Solve(initial, Options.Simd(step, grid))

                  for first, count in [ 0L, 1L; 33L, 50L; 64L, 136L ] do
                      let some =
                          model.Solve(part initial first count, Options.Simd(step, grid, first = first))

                      Expect.equal
                          (values some.Packed)
                          (values (whole.Packed.narrow (1, first, count)))
                          $"samples from {first} on"
              } ]

let private faults =
    testList
        "a sample that meets NaN keeps to itself"
        [ let blowUp (model: SdeModel) =
              let x = torch.linspace (-0.3, 0.3, 41L, dtype = model.Dtype)

              let x =
                  torch.where (
                      torch.arange(41L).remainder(Scalar.op_Implicit 7L).eq(Scalar.op_Implicit 3L),
                      torch.full_like (x, Scalar.op_Implicit 1e4),
                      x
                  )

              Dictionary(dict [ "x", x.requires_grad_ () ])

          for dtype in [ float64; torch.ScalarType.Float32 ] do
              test $"at once, in {dtype}" {
                  for m in methodsOf (create dtype "BlowUp") do
                      expectEqualTargets
                          dtype
                          "BlowUp"
                          (fun target -> Options.Of(target, m, SaveAt.Grid 11))
                          blowUp
              }

          test "one after another, out of the domain of the equations" {
              use _ = torch.NewDisposeScope()
              let model = create float64 "LeavesDomain"
              let x0 = torch.linspace (0.02, 3.0, 100L, dtype = float64)
              let initial = Dictionary(dict [ "x", x0.requires_grad_ () ])

              let solved target = model.Solve(initial, Options.Of(target, em 0.01, SaveAt.Grid 11))

              let expected, found = solved SolveTarget.Torch, solved SolveTarget.Simd
              let bad = found.Status |> Seq.filter ((=) SolveStatus.NonFinite) |> Seq.length
              Expect.isTrue (bad > 5 && bad < 95) $"some of them: {bad}"
              Expect.sequenceEqual found.Status expected.Status "statuses"
              Expect.sequenceEqual found.LastTime expected.LastTime "last times"
              near 1e-11 "values" (values expected.Packed) (values found.Packed)
              near 1e-11 "last states" (values expected.LastState) (values found.LastState)

              // The root's derivative is no number there: it must not reach what the samples share.
              let states, parameters = gradients model initial found
              Expect.isTrue (states |> List.forall (Array.forall Double.IsFinite)) "gradients of the states"
              Expect.isTrue (parameters |> List.forall (Array.forall Double.IsFinite)) "of the parameters"

              let good =
                  [| for i in 0..99 do
                         if found.Status[i] = SolveStatus.Success then
                             int64 i |]

              let index = torch.tensor good
              let alone = Dictionary(dict [ "x", x0.detach().index_select(0L, index) ])

              for i, sample in Seq.indexed (Seq.truncate 5 good) do
                  let one = Dictionary(dict [ "x", alone["x"].narrow(0L, int64 i, 1L) ])

                  let solution = model.Solve(one, Options.Simd(em 0.01, SaveAt.Grid 11, first = sample))

                  Expect.equal
                      (values solution.Packed)
                      (values (found.Packed.narrow (1, sample, 1L)))
                      "its neighbours change nothing"
          } ]

let private ends =
    testList
        "how a solve ends"
        [ test "running out of steps" {
              let options target = Options.Of(target, em 0.01, SaveAt.Grid 6, most = 27)

              expectEqualTargets float64 "OneNoise" options (fun model -> starts model 50L)
          }

          test "cancelled" {
              use _ = torch.NewDisposeScope()
              let model = create float64 "OneNoise"
              use source = new CancellationTokenSource()
              let told = List<float>()

              let progress =
                  { new IProgress<SolveProgress> with
                      member _.Report p =
                          told.Add p.Fraction

                          if p.Fraction > 0.3 then
                              source.Cancel() }

              let initial = starts model 20L

              let solution =
                  model.Solve(initial, Options.Simd(em 1e-4, grid, progress = progress, token = source.Token))

              Expect.allEqual solution.Status SolveStatus.Cancelled "status"
              let last = told[told.Count - 1]
              Expect.isTrue (last > 0.3 && last < 0.5) "soon after it was asked"
              closeTo 1e-9 (solution.LastTime[0] / 0.5) last "time reached"
              let finite = values (solution.Packed.isfinite().all(-1L).all(-1L).to_type float64)
              Expect.equal finite [| 1.0; 0.0; 0.0; 0.0 |] "only the start was reached"

              let states, _ = gradients model initial solution
              Expect.isTrue (states |> List.forall (Array.forall Double.IsFinite)) "and it has a gradient"
          }

          test "progress never goes back, and ends at the end" {
              let model = create float64 "OneNoise"
              let told = List<float>()

              let progress =
                  { new IProgress<SolveProgress> with
                      member _.Report p = told.Add p.Fraction }

              model.Solve(starts model 200L, Options.Simd(step, grid, threads = 2, progress = progress))
              |> ignore

              Expect.isAscending told "ascending"
              closeTo 1e-9 told[told.Count - 1] 1.0 "all"
          } ]

let private wide =
    test "512-bit registers give the same" {
        use _ = torch.NewDisposeScope()
        let model = create float64 "Long"
        let binding = Kernels.binding model |> Option.get :?> SimdBinding<float>
        let initial = (starts model 37L)["x"]
        let options = Options.Simd(milstein 0.013, SaveAt.Grid 7)

        let problem =
            StochasticProblem.Of(
                model.Calculus,
                model.Noise,
                model.NoiseSize,
                null,
                SolveSpan.Of(options, options.Start, options.End),
                options
            )

        let solved isWide =
            binding.IsWide <- isWide
            let result = SimdSdeSolve.Solve(binding, problem, initial)
            initial.grad <- null
            model.zero_grad ()
            result.Saved.square().sum().backward()
            GradientFault.ThrowIfAny()

            [ values result.Saved
              values initial.grad
              yield! [ for p in model.parameters () -> values p.grad ] ]

        List.iter2 (near 1e-12 "values and gradients") (solved false) (solved true)
    }

let private again =
    test "a second backward pass gives the same gradient" {
        use _ = torch.NewDisposeScope()
        let model = create float64 "Diagonal"
        let initial = starts model 40L
        let loss = model.Solve(initial, Options.Simd(step, grid)).Packed.square().sum()
        loss.backward (retain_graph = true)
        let once = values initial["x"].grad
        loss.backward ()
        GradientFault.ThrowIfAny()
        near 1e-15 "twice as much" (Array.map ((*) 2.0) once) (values initial["x"].grad)
    }

/// How many bytes a solve of some steps allocates on this thread once everything is warm.
let private allocated (model: SdeModel) (steps: int) =
    let options = Options.Simd(heun (0.5 / float steps), threads = 1)

    let problem =
        StochasticProblem.Of(
            model.Calculus,
            model.Noise,
            model.NoiseSize,
            null,
            SolveSpan.Of(options, options.Start, options.End),
            options
        )

    let binding = Kernels.binding model |> Option.get :?> SimdBinding<float>
    let engine = binding.EngineOf problem

    let solve =
        StochasticLaneSolve<float>(problem, 100, 2, Parameters = binding.RegisterNumbers())

    use initial = torch.ones ([| 100L; 2L |], dtype = float64)
    use results = torch.empty ([| 100L; 2L |], dtype = float64)
    use last = torch.empty ([| 100L; 2L |], dtype = float64)
    solve.Initial <- UnmanagedSpan<float> initial
    solve.Values <- UnmanagedSpan<float> results
    solve.LastState <- UnmanagedSpan<float> last
    engine.Forward(solve, false)
    let before = GC.GetAllocatedBytesForCurrentThread()
    engine.Forward(solve, false)
    GC.GetAllocatedBytesForCurrentThread() - before

let private allocations =
    test "a step allocates nothing" {
        let model = create float64 "OneNoise"
        Expect.equal (allocated model 4000) (allocated model 40) "bytes do not grow with the steps"
    }

let private strongOrders =
    testList
        "strong order on registers"
        [ for method', order in [ em, 0.5; milstein, 1.0; heun, 1.0 ] do
              test (method' 1.0).Name {
                  use _ = torch.NewDisposeScope()
                  use _ = torch.no_grad ()
                  let model, paths = create float64 "Growth", 1000L

                  let initial =
                      Dictionary(
                          dict
                              [ "u", torch.full ([| paths |], Scalar.op_Implicit 0.5, Nullable float64)
                                "w", torch.zeros ([| paths |], dtype = float64) ]
                      )

                  let error dt =
                      let solution = model.Solve(initial, Options.Simd(method' dt, finish = 1.0))
                      let end' = solution.Packed.select (0, 0L)
                      let u, w = end'.select (-1, 0L), end'.select (-1, 1L)
                      let exact = number 0.5 * (number (1.01 - 0.87 * 0.87 / 2.0) + number 0.87 * w).exp()
                      dt, (u - exact).abs().mean().item<float>()

                  closeTo 0.2 (slope [ for k in 3..7 -> error (2.0 ** float -k) ]) order "slope"
              } ]

let private refusals =
    test "the backsolve gradient is torch's" {
        let model = create float64 "Diagonal"
        let options target = Options.Of(target, step, gradient = GradientMode.Backsolve)

        Expect.throwsC (fun () -> model.Solve(starts model 3L, options SolveTarget.Simd) |> ignore) (fun e ->
            Expect.stringContains e.Message "The backsolve gradient is computed by torch alone" "why")

        (model.Solve(starts model 3L, options SolveTarget.Auto)).EnsureSuccess()
    }

let tests =
    testList
        "StochasticTargets"
        [ sameOnBothTargets
          mirroredAndSplit
          independence
          faults
          ends
          wide
          again
          allocations
          strongOrders
          refusals ]
