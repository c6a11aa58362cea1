module DiffEqLang.Tests.Runtime.SimdTests

open System
open System.Collections.Generic
open System.Numerics
open System.Threading
open DiffEqLang.Benchmarks.Models
open DiffEqLang.Runtime
open DiffEqLang.Runtime.Simd
open DiffEqLang.Tests.Runtime.GradientTests
open DiffEqLang.Tests.Support
open DiffEqLang.Tests.Support.LaneKernels
open DiffEqLang.Tests.Support.Odes
open Expecto
open TorchSharp

let adaptive = [ "bosh3"; "dopri5"; "tsit5"; "vern6"; "vern7"; "dopri8"; "vern9" ]

let methods =
    [ for name in adaptive -> tolerances name 1e-7 1e-9
      for name in Methods.ExplicitNames -> fixedStep name 0.013 ]

let describe (m: Method) = if m.Dt.HasValue then $"{m.Name} by {m.Dt.Value}" else m.Name

/// 37 samples: not a multiple of any register's lanes.
let starts () = torch.linspace(0.5, 3.0, 111L, dtype = torch.float64).reshape(37L, 3L)

let saves =
    [ "end", SaveAt.End
      "grid", SaveAt.Grid 7
      "inside", SaveAt.Times(ReadOnlySpan [| 0.0; 0.0; 0.07; 0.1; 0.1; 0.33; 0.5 |])
      "backwards", SaveAt.Times(ReadOnlySpan [| 0.5; 0.41; 0.2; 0.0 |]) ]

let optionsOf save coupling (m: Method) =
    let isBounded =
        Object.Equals(save, SaveAt.End)
        || Object.Equals(save, SaveAt.Grid 7)
        || Object.Equals(save, SaveAt.Steps)

    SolveOptions(
        Save = save,
        Coupling = coupling,
        Method = m,
        Start = (if isBounded then Nullable 0.0 else Nullable()),
        End = (if isBounded then Nullable 0.5 else Nullable())
    )

/// Values, statuses, steps, and the gradients of a weighted sum, by both targets.
let expectEqualTargets (options: SolveOptions) =
    use _ = torch.NewDisposeScope()
    let w0, b0, _, normal = networkInputs ()
    let x0 = starts ()
    let mutable weights: Tensor = null

    let solved solve =
        let w, b, x = trained w0, trained b0, trained x0
        let solution: Solution = solve w b x

        if isNull weights then
            weights <- normal solution.Packed.shape

        backward ((solution.Packed.mul weights).sum())
        solution, [ gradientOf x; gradientOf w; gradientOf b ]

    let expected, expectedGradients = solved (fun w b x -> solveWith options (network w b) x)
    let found, gradients = solved (fun w b x -> solveLanes options (networkLanes w b) x)
    Expect.sequenceEqual found.Status expected.Status "statuses"
    Expect.sequenceEqual found.Statistics.Accepted expected.Statistics.Accepted "accepted steps"
    Expect.sequenceEqual found.Statistics.Rejected expected.Statistics.Rejected "rejected steps"
    Expect.sequenceEqual (values found.Times) (values expected.Times) "times"
    // The steps of vern6 and vern9 follow estimates that are sums of far larger terms: see StepControlTests.
    let rounding = if options.Method.Name.StartsWith "vern" then 1e-10 else 1e-12
    expectNear rounding (values expected.Packed) (values found.Packed) "values"
    expectNear rounding (values expected.LastState) (values found.LastState) "last states"

    for i, name in List.indexed [ "initial states"; "weights"; "registers" ] do
        expectNear (max 1e-10 (10.0 * rounding)) expectedGradients[i] gradients[i] name

/// A Lorenz model's solution by a target.
let solveLorenz (model: OdeModel) (target: SolveTarget) (options: SolveOptions) (x: Tensor) =

    let asked =
        SolveOptions(
            Target = Nullable target,
            Save = options.Save,
            Method = options.Method,
            Coupling = options.Coupling,
            Start = options.Start,
            End = options.End,
            Threads = options.Threads
        )

    let initial = dict [ "x", x; "y", torch.zeros_like x; "z", torch.ones_like x ]
    model, model.Solve(Dictionary initial, asked)

let lorenz target options x = solveLorenz (new Lorenz()) target options x

let bits (solution: Solution) = values solution.Packed |> Array.map BitConverter.DoubleToInt64Bits

/// Random lanes.
let private random (count: int) (seed: int) =
    let generator = Random seed

    Array.init count (fun _ ->
        Vector<float>(Array.init Vector<float>.Count (fun _ -> 2.0 * generator.NextDouble() - 1.0)))

/// A kernel's vector-Jacobian products against central differences of its right-hand side, by state and by registers.
let expectDerivatives (kernel: LaneKernel<Vector<float>>) (gradientOfRegister: int -> int) =
    let t, state, parameters, w =
        Vector<float> 0.7, random kernel.StateSize 1, random kernel.ParameterSize 2, random kernel.StateSize 3

    let scratch = Array.zeroCreate<Vector<float>> kernel.TermSize

    let along (state: Vector<float>[]) (parameters: Vector<float>[]) =
        let slope = Array.zeroCreate<Vector<float>> kernel.StateSize
        kernel.Drift(t, state.AsSpan(), parameters.AsSpan(), slope.AsSpan(), scratch.AsSpan())

        Array.map2 (fun (a: Vector<float>) (b: Vector<float>) -> a * b) slope w
        |> Array.reduce (+)

    let gradient, byParameter =
        Array.zeroCreate<Vector<float>> kernel.StateSize, Array.zeroCreate<Vector<float>> kernel.GradientSize

    along state parameters |> ignore

    kernel.DriftVjp(
        t,
        state.AsSpan(),
        parameters.AsSpan(),
        scratch.AsSpan(),
        w.AsSpan(),
        gradient.AsSpan(),
        byParameter.AsSpan()
    )

    let check (measured: float -> Vector<float>) (exact: Vector<float>) what =
        let h = 1e-6
        let difference = (measured h - measured -h) / Vector<float>(2.0 * h)

        for lane in 0 .. Vector<float>.Count - 1 do
            Expect.isLessThan (abs (difference[lane] - exact[lane])) 1e-8 $"{what}, lane {lane}"

    let moved (vector: Vector<float>[]) i h =
        vector |> Array.mapi (fun j x -> if i = j then x + Vector<float>(h: float) else x)

    for i in 0 .. kernel.StateSize - 1 do
        check (fun h -> along (moved state i h) parameters) gradient[i] $"state {i}"

    for i in 0 .. kernel.ParameterSize - 1 do
        check (fun h -> along state (moved parameters i h)) byParameter[gradientOfRegister i] $"register {i}"

/// The generated code of a Lorenz model, on registers of one of the widths.
let lorenzLanes (model: Lorenz) isWide =
    let binding = Kernels.binding model |> Option.get :?> SimdBinding<float>
    binding.IsWide <- isWide
    binding

/// How many bytes a solve allocates on this thread once everything is warm.
let allocated (binding: SimdBinding<float>) (rtol: float) =
    let options =
        SolveOptions(
            Start = Nullable 0.0,
            End = Nullable 20.0,
            Method = tolerances "dopri5" rtol rtol,
            Threads = Nullable 1
        )

    let problem = RungeKuttaProblem.Of(SolveSpan.Of(options, options.Start, options.End), options)
    let engine = binding.EngineOf problem
    let solve = LaneSolve<float>(problem, 40, 3, Parameters = binding.RegisterNumbers())
    use initial = (torch.linspace (-1.0, 1.0, 120L, dtype = torch.float64)).reshape(40L, 3L)
    use results = torch.empty ([| 40L; 3L |], dtype = torch.float64)
    use last = torch.empty ([| 40L; 3L |], dtype = torch.float64)
    solve.Initial <- UnmanagedSpan<float> initial
    solve.Values <- UnmanagedSpan<float> results
    solve.LastState <- UnmanagedSpan<float> last
    engine.Forward(solve, false)
    let before = GC.GetAllocatedBytesForCurrentThread()
    engine.Forward(solve, false)
    let bytes = GC.GetAllocatedBytesForCurrentThread() - before
    bytes, Seq.sum solve.Accepted

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

                  backward (solution.Packed.square().sum())
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

                  backward (solution.y.square().mean())

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
                                differentiableOde [ rate ] (fun _ x -> x.square().mul rate) (fun _ x w into ->
                                    into.Add(0, w.mul (x.square ()))
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
                  backward (solution.Packed.square().sum())

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

              let loss = solution.Packed.square().sum()
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
                  backward (solution.Packed.square().sum())
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
                } ]

          testList
              "ensembles"
              [ test "samples with their own start and parameter are those of single solves" {
                    use model = new Lorenz()
                    let count = 50
                    let initial = [| for i in 0 .. 3 * count - 1 -> 1.0 + 0.01 * float i |]
                    let rho = [| for i in 0 .. count - 1 -> 0.5 * float i |]
                    let options = SolveOptions(Save = SaveAt.Grid 3)
                    let found = Array.zeroCreate<float>(3 * count * 3)

                    let ensemble =
                        Ensemble<float>(model).From(ReadOnlyMemory initial).Vary("rho", ReadOnlyMemory rho)

                    let summary = ensemble.Solve(options, Memory found)
                    Expect.equal summary.Succeeded count "all"

                    for i in 0..7 .. count - 1 do
                        model.SetValue("rho", torch.tensor (rho[i], dtype = torch.float64))
                        let part k = torch.tensor (initial[3 * i + k], dtype = torch.float64)
                        use _ = torch.no_grad ()
                        let alone = model.Solve(part 0, part 1, part 2, options)

                        let ofEnsemble =
                            [| for time in 0..2 do
                                   for c in 0..2 -> found[(time * count + i) * 3 + c] |]

                        Expect.sequenceEqual ofEnsemble (values alone.Packed) $"sample {i}"
                }
                test "chunks come in order, all of them" {
                    use model = new Lorenz()
                    let rho = [| for i in 0..40_000 -> 1e-3 * float i |]
                    let mutable next, last = 0, 0.0

                    let summary =
                        Ensemble<float>(model)
                            .Vary("rho", ReadOnlyMemory rho)
                            .Solve(
                                SolveOptions(End = Nullable 0.01),
                                EnsembleReceiver<float>(fun chunk ->
                                    Expect.equal chunk.First next "first"
                                    next <- next + chunk.Count
                                    last <- chunk.Values[chunk.Values.Length - 1])
                            )

                    Expect.equal (next, summary.Samples, summary.Succeeded) (40_001, 40_001, 40_001) "all"
                    Expect.isTrue (Double.IsFinite last) "solved"
                }
                test "a sample that fails ends alone" {
                    use model = new Lorenz()
                    let count, failing = 75, [ 5, nan; 17, infinity; 41, 1e300; 42, nan ]
                    let options = SolveOptions(Save = SaveAt.Grid 3)

                    let solved (rho: float[]) =
                        let found = Array.zeroCreate<float>(3 * count * 3)
                        let status = Array.zeroCreate<SolveStatus> count

                        Ensemble<float>(model)
                            .From(ReadOnlyMemory [| 1.0; 0.5; 0.0 |])
                            .Vary("rho", ReadOnlyMemory rho)
                            .Solve(options, Memory found, Memory status)
                        |> ignore

                        found, status

                    let sound = Array.init count (fun i -> 0.3 * float i)
                    let mixed = Array.copy sound

                    for i, rho in failing do
                        mixed[i] <- rho

                    let (expected, _), (found, status) = solved sound, solved mixed

                    for i in 0 .. count - 1 do
                        if List.exists (fun (j, _) -> i = j) failing then
                            Expect.equal status[i] SolveStatus.NonFinite $"sample {i}"
                        else
                            Expect.equal status[i] SolveStatus.Success $"sample {i}"

                            for time in 0..2 do
                                let place = (time * count + i) * 3

                                Expect.sequenceEqual
                                    found[place .. place + 2]
                                    expected[place .. place + 2]
                                    $"sample {i}"
                }
                test "a longer ensemble takes no more memory" {
                    use model = new Lorenz()

                    let allocated samples =
                        let rho = Array.init samples (fun i -> 1e-3 * float i)
                        let ensemble = Ensemble<float>(model).Vary("rho", ReadOnlyMemory rho)
                        let options = SolveOptions(End = Nullable 0.01, Threads = Nullable 1)
                        let before = GC.GetAllocatedBytesForCurrentThread()
                        ensemble.Solve(options, EnsembleReceiver<float>(fun _ -> ())) |> ignore
                        GC.GetAllocatedBytesForCurrentThread() - before

                    allocated 40_000 |> ignore
                    let short, long = allocated 40_000, allocated (40_000 + 6 * 16_384)
                    // The states of the hundred thousand samples more are 2.4 million bytes.
                    Expect.isLessThan (long - short) 100_000L "bytes"
                }
                test "what does not fit is said" {
                    use model = new Lorenz()
                    let ensemble = Ensemble<float>(model).Vary("rho", ReadOnlyMemory [| 1.0; 2.0 |])

                    Expect.throwsT<ArgumentException>
                        (fun () -> ensemble.Vary("beta", ReadOnlyMemory [| 1.0; 2.0; 3.0 |]) |> ignore)
                        "length"

                    Expect.throwsT<ArgumentException>
                        (fun () -> ensemble.Vary("bta", ReadOnlyMemory [| 1.0; 2.0 |]) |> ignore)
                        "name"
                } ] ]
