/// Engines between solves: whatever happened before, a solve is bit for bit a fresh model's.
module DiffEqLang.Tests.Runtime.EnginePoolTests

open System
open System.Threading.Tasks
open System.Diagnostics
open DiffEqLang.Benchmarks.Models
open DiffEqLang.Runtime
open DiffEqLang.Runtime.Simd
open DiffEqLang.Tests.Support.Gradients
open DiffEqLang.Tests.Support.LaneKernels
open DiffEqLang.Tests.Support.Odes
open Expecto
open TorchSharp

let private starts (samples: int) : Tensor =
    torch.linspace(-0.9, 0.8, int64 (2 * samples), dtype = torch.float32).reshape(int64 samples, 2L)

let private options =
    SolveOptions(Target = Nullable SolveTarget.Simd, Save = SaveAt.Grid 5, Threads = Nullable 1)

let private solve (model: SpiralTraining) (options: SolveOptions) (y: Tensor) = model.Solve(y, options)

/// The values, and what a backward pass gives each parameter.
let private finish (model: SpiralTraining) (solution: SpiralTraining.Trajectory) =
    model.zero_grad ()
    backward (solution.y.Squared().sum())

    values solution.y,
    [| for p in model.parameters () do
           yield! values p.grad |]

let private fresh (options: SolveOptions) y =
    use model = new SpiralTraining()
    finish model (solve model options y)

let private variants =
    [ options
      SolveOptions(Target = options.Target, Save = SaveAt.Times(ReadOnlySpan [| 0.0; 0.1; 0.2 |]))
      SolveOptions(Target = options.Target, Save = SaveAt.Times(ReadOnlySpan [| 0.0; 0.05; 0.2 |]))
      SolveOptions(Target = options.Target, Coupling = StepCoupling.Batch, End = Nullable 0.4)
      SolveOptions(Target = options.Target, Method = Methods.Rk4 0.05)
      SolveOptions(
          Target = options.Target,
          Method = Methods.Dopri5(Nullable 1e-3, Nullable 1e-4),
          Threads = Nullable 2
      ) ]

/// Progress that fails while it is told to.
type private Failing() =
    member val Fails = true with get, set

    interface IProgress<SolveProgress> with
        member this.Report _ =
            if this.Fails then
                failwith "stop here"

/// x' = r x, whose vector-Jacobian product fails while it is told to.
type private FailingKernel(fails: bool ref) =
    inherit LaneKernel<Lanes>()
    override _.StateSize = 1
    override _.ParameterSize = 1
    override _.GradientSize = 1
    override _.Drift(_, state, parameters, slope, _) = slope[0] <- parameters[0] * state[0]

    override _.DriftVjp(_, state, parameters, _, w, stateGradient, parameterGradients) =
        if fails.Value then
            failwith "stop here"

        stateGradient[0] <- parameters[0] * w[0]
        parameterGradients[0] <- parameterGradients[0] + state[0] * w[0]

let private megabytes () =
    GC.Collect()
    GC.WaitForPendingFinalizers()
    GC.Collect()
    use self = Process.GetCurrentProcess()
    float (GC.GetTotalMemory true) / 1e6, float self.WorkingSet64 / 1e6

let tests =
    testList
        "Engine pool"
        [ test "one solve after another takes the same engine" {
              use model = new SpiralTraining()

              for _ in 1..5 do
                  finish model (solve model options (starts 20)) |> ignore
                  use _ = torch.no_grad ()
                  solve model options (starts 3) |> ignore

              Expect.equal model.Engines.Count 1 "engines"
          }

          test "solves alive at once do not disturb each other" {
              use model = new SpiralTraining()
              let inputs = [ for samples in [ 20; 3; 33 ] -> starts samples ]

              for order in [ id; List.rev ] do
                  let solutions = [ for y in inputs -> y, solve model options y ]

                  for y, solution in order solutions do
                      Expect.equal (finish model solution) (fresh options y) $"{y.size 0} samples"

              Expect.equal model.Engines.Count 3 "engines: as many as were alive"
          }

          test "options may change from solve to solve" {
              use model = new SpiralTraining()

              for round in 1..3 do
                  for i, variant in List.indexed variants do
                      for samples in [ 20; 300 ] do
                          let found = finish model (solve model variant (starts samples))
                          Expect.equal found (fresh variant (starts samples)) $"round {round}, variant {i}"

              Expect.equal model.Engines.Count variants.Length "engines: one a problem"
          }

          test "saved times that are written anew are the same problem" {
              use model = new SpiralTraining()

              use _ = torch.no_grad ()

              for _ in 1..3 do
                  let save = SaveAt.Times(ReadOnlySpan [| 0.0; 0.1; 0.2 |])
                  solve model (SolveOptions(Target = options.Target, Save = save)) (starts 4) |> ignore

              Expect.equal model.Engines.Count 1 "engines"
          }

          test "what an optimizer writes counts, and so does memory that takes the place of the old" {
              use model = new SpiralTraining()
              let y = starts 20
              finish model (solve model options y) |> ignore

              let expectFresh what =
                  use copy = new SpiralTraining()

                  for name in model.ParameterNames do
                      copy.SetValue(name, model.Value name)

                  Expect.equal
                      (finish model (solve model options y))
                      (finish copy (solve copy options y))
                      what

              model.SetValue("W1", (scale 0.5 (model.W1.detach ())))
              expectFresh "written in place"
              model.``to`` (torch.ScalarType.Float64) |> ignore
              model.``to`` (torch.ScalarType.Float32) |> ignore
              model.SetValue("b1", (plus 0.25 (model.b1.detach ())))
              expectFresh "replaced by to(...)"
              expectFresh "once more"
              Expect.equal model.Engines.Count 1 "engines"
          }

          testList
              "a solve that fails gives its engine back, as good as new"
              [ for coupling in [ StepCoupling.PerSample; StepCoupling.Batch ] do
                    test $"forwards, {coupling}" {
                        use model = new SpiralTraining()
                        let progress = Failing()

                        let asked =
                            SolveOptions(
                                Target = options.Target,
                                Coupling = coupling,
                                Progress = progress,
                                Threads = options.Threads,
                                Method = Method("rk4", Dt = Nullable 5e-4)
                            )

                        for _ in 1..3 do
                            Expect.throws (fun () -> solve model asked (starts 20) |> ignore) "it fails"
                            Expect.equal model.Engines.Count 1 "engines"

                        progress.Fails <- false

                        Expect.equal
                            (finish model (solve model asked (starts 20)))
                            (fresh asked (starts 20))
                            "then"

                        Expect.equal model.Engines.Count 1 "engines"
                    }
                test "backwards" {
                    let fails = ref true
                    let rate = trained (vector [ 0.7 ])
                    let binding = bind [ rate ] [ "r", rate ] [] (fun _ -> new FailingKernel(fails))
                    let asked = span 0.0 1.0 (tolerances "dopri5" 1e-8 1e-10)
                    let initial = (vector [ 1.0; 2.0; -1.0 ]).unsqueeze -1L

                    let gradient () =
                        rate.grad <- null
                        let solution = solveLanes asked binding initial
                        solution.Packed.sum().backward()
                        gradientOf rate

                    Expect.equal (gradient ()) [| 0.0 |] "no gradient"
                    Expect.throws GradientFault.ThrowIfAny "it fails"
                    Expect.equal binding.Engines.Count 1 "engines"
                    fails.Value <- false
                    Expect.isLessThan (abs ((gradient ())[0] - 2.0 * exp 0.7)) 1e-6 "d(2 exp r)/dr"
                    Expect.equal binding.Engines.Count 1 "engines"
                } ]

          test "threads that solve one model at once" {
              use model = new SpiralTraining()
              let sizes = [| for i in 0..15 -> 3 + 300 * (i % 3) |]
              let asked = SolveOptions(Target = options.Target, Save = options.Save, Threads = Nullable 2)

              let expected =
                  dict [ for samples in Array.distinct sizes -> samples, fst (fresh asked (starts samples)) ]

              let found = Array.zeroCreate<float[]> sizes.Length

              Parallel.For(
                  0,
                  sizes.Length,
                  fun i ->
                      use _ = torch.no_grad ()
                      found[i] <- values (solve model asked (starts sizes[i])).y
              )
              |> ignore

              for i, samples in Array.indexed sizes do
                  Expect.equal found[i] expected[samples] $"solve {i}"
          }

          test "a bounded number of engines waits, and none of a disposed model" {
              let model = new SpiralTraining()

              for i in 1..100 do
                  use _ = torch.no_grad ()
                  let asked = SolveOptions(Target = options.Target, End = Nullable(0.1 + 1e-3 * float i))
                  solve model asked (starts 2) |> ignore

              Expect.equal model.Engines.Count 64 "engines"
              model.Dispose()
              Expect.equal model.Engines.Count 0 "engines"
          }

          // Alone: the process is measured.
          testSequenced (
              test "memory is flat over 10,000 solves" {
                  use model = new SpiralTraining()
                  let y = starts 20

                  let train count =
                      for i in 1..count do
                          use _ = torch.NewDisposeScope()
                          model.zero_grad ()
                          let solution = solve model variants[i % variants.Length] y
                          solution.y.Squared().sum().backward()

                  train 1_000
                  let managed, resident = megabytes ()
                  train 10_000
                  let managedAfter, residentAfter = megabytes ()
                  Expect.isLessThan (managedAfter - managed) 1.0 "managed megabytes"
                  Expect.isLessThan (residentAfter - resident) 30.0 "megabytes of the process"
                  Expect.equal model.Engines.Count variants.Length "engines"
              }
          ) ]
