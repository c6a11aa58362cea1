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
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Runtime
open DiffEqLang.Runtime.Simd
open DiffEqLang.Runtime.Solvers.Stochastic
open DiffEqLang.Tests.Runtime.SdeTests
open DiffEqLang.Tests.Support
open DiffEqLang.Tests.Support.StochasticModels

let private sources =
    [ "Additive",
      "state x : R[2]; wiener W : R[3]; param G : R[2, 3] ~ normal(0, 1); param a = 0.7
       dx = -a*x*dt + sin(t)*G @ dW"
      "Diagonal",
      "state x : R[3]; wiener W : R[3]; param theta = 0.7; param mu : R[3] = 1.5; param sigma = 0.4
       dx = theta*(mu - x)*dt + sigma*x*dW"
      "DiagonalStratonovich",
      "calculus stratonovich
       state x : R[3]; wiener W : R[3]; param theta = 0.7; param sigma = 0.4 in (0, inf)
       dx = -theta*x*dt + sigma*sin(x + t)*dW"
      "OneNoise",
      "state s, v; wiener W; param mu = 0.1; param nu = 0.2
       ds = mu*s*dt + nu*s*dW
       dv = -v*dt + sqrt(1 + v^2)*dW"
      "OneNoiseStratonovich",
      "calculus stratonovich
       state s, v; wiener W; param mu = 0.1; param nu = 0.2
       ds = mu*s*dt + nu*s*dW
       dv = -v*dt + sqrt(1 + v^2)*dW"
      "TwoNoises",
      "state x : R[2]; wiener V, W; param a = 0.3; param b = 0.2
       dx = -x*dt + a*x*dV + b*x*dW"
      "GeneralNoise",
      "state x : R[2], y; wiener W : R[2]; wiener V; param G : R[2, 2] ~ normal(0, 0.5)
       dx = -x*dt + (G * outer(x, x)) @ dW + x*dV
       dy = -y*dt + y*dV"
      "Correlated",
      "state x : R[2], y; wiener W : R[2]; wiener V; param G : R[2, 2] ~ normal(0, 0.5)
       dx = -x*dt + (G * outer(x, x)) @ dW + x*dV
       dy = -y*dt + y*dV"
      "CorrelatedDiagonal",
      "state x : R[2]; wiener W : R[2]; param sigma = 0.4
       dx = -x*dt + sigma*x*dW"
      "Long",
      "state x : R[12]; wiener W : R[12]; param theta : R[12] ~ normal(1, 0.2); param sigma = 0.3
       dx = theta*(1 - x)*dt + sigma*x*dW"
      "Network",
      "state x : R[4]; wiener W : R[4]
       net f : R[5] -> R[4] = dense(20) |> tanh |> dense(4)
       net g : R[4] -> R[4] = dense(20) |> tanh |> dense(4) |> sigmoid
       dx = f(concat(x, t))*dt + 0.3*g(x)*dW"
      "BlowUp", "state x; wiener W; param a = 1; dx = a*x^3*dt + 0.1*x*dW"
      "LeavesDomain", "state x; wiener W; param a = 1; dx = -0.2*dt + a*sqrt(x)*dW"
      "Growth",
      "state u, w; wiener W; param a = 1.01; param b = 0.87
       du = a*u*dt + b*u*dW
       dw = dW" ]

let private correlated (model: Typed.Model) =
    let matrix = [ [ 1.0; 0.6 ]; [ 0.6; 1.0 ] ]

    let value =
        Build.stack [ for row in matrix -> Build.stack [ for x in row -> Build.number x ] ]

    { model with
        Wiener =
            [ for w in model.Wiener -> { w with Correlation = if w.Name = "W" then Some value else None } ] }

let private filesOf dtype =
    [ for name, text in sources do
          let text = text.Replace(";", "\n")

          let tree, syntax =
              Syntax.Reader.read (SourceFile(name + ".deq", $"model {name} {{\n{text}\n}}\n"))

          let models, errors = Checking.Check.models (CompileOptions()) tree
          Expect.isEmpty (syntax @ errors) name

          let typed =
              if name.StartsWith "Correlated" then
                  correlated models.Head.Model
              else
                  models.Head.Model

          let model = (Pipeline.run true None typed).Model

          match Kernel.ofModel model with
          | Ok kernel ->
              yield!
                  KernelTests.filesOf
                      false
                      "DiffEqLang.Stochastic"
                      (KernelTests.precisionOf dtype)
                      model
                      kernel
          | Error reason -> failtestf "%s has no kernel: %s" name reason ]

let private assemblies =
    Dictionary(
        [ for dtype in [ float64; torch.ScalarType.Float32 ] ->
              KeyValuePair(dtype, lazy (Arena.Run(fun () -> filesOf dtype) |> KernelTests.loaded)) ]
    )

let private create dtype name = GeneratedCode.createAs dtype assemblies[dtype].Value name :?> SdeModel

// Solves

let private methodsOf (model: SdeModel) =
    [ em; heun; milstein ]
    |> List.map (fun m -> m 0.013)
    |> List.filter (fun m ->
        StochasticMethod.All
        |> Seq.exists (fun known -> known.Name = m.Name && known.Takes model.Noise))

/// States well inside every domain, by sample.
let private starts (model: SdeModel) (count: int64) =
    use generator = new torch.Generator 5UL

    Dictionary(
        dict
            [ for slot in model.Layout.Slots ->
                  slot.Name,
                  (torch.rand ([| count; yield! slot.Shape |], dtype = model.Dtype, generator = generator)
                   + (0.5).ToScalar())
                      .requires_grad_() ]
    )

let private saves =
    [ SaveAt.End
      SaveAt.Grid 7
      SaveAt.Steps
      // Inside steps.
      SaveAt.Times(ReadOnlySpan [| 0.0; 0.0; 0.07; 0.1; 0.1; 0.333; 0.5 |]) ]

/// Options over t = 0 .. 0.5 unless saved times say otherwise.
type private Options =
    static member Of
        (
            target,
            method': Method,
            ?save,
            ?threads,
            ?first,
            ?antithetic,
            ?most,
            ?finish,
            ?gradient,
            ?progress,
            ?token
        ) =
        let save = defaultArg save SaveAt.End
        let isBounded = not (save.ToString().Contains "Source")

        SolveOptions(
            Target = Nullable target,
            Save = save,
            Method = method',
            Seed = 9UL,
            Start = (if isBounded then Nullable 0.0 else Nullable()),
            End = (if isBounded then Nullable(defaultArg finish 0.5) else Nullable()),
            Threads = Option.toNullable threads,
            FirstSample = defaultArg first 0L,
            Antithetic = defaultArg antithetic false,
            MaxSteps = defaultArg most 100_000,
            Gradient = Option.toNullable gradient,
            Progress = Option.toObj progress,
            CancellationToken = defaultArg token CancellationToken.None
        )

    static member Simd
        (method', ?save, ?threads, ?first, ?antithetic, ?most, ?finish, ?gradient, ?progress, ?token)
        =
        Options.Of(
            SolveTarget.Simd,
            method',
            ?save = save,
            ?threads = threads,
            ?first = first,
            ?antithetic = antithetic,
            ?most = most,
            ?finish = finish,
            ?gradient = gradient,
            ?progress = progress,
            ?token = token
        )

/// A weighted sum of all that was saved, backwards: the gradients of the states, and of the parameters.
let private gradients (model: SdeModel) (initial: Dictionary<string, torch.Tensor>) (solution: Solution) =
    use generator = new torch.Generator 6UL
    model.zero_grad ()

    for x in initial.Values do
        x.grad <- null

    let weights = torch.randn (solution.Packed.shape, dtype = model.Dtype, generator = generator)
    (solution.Packed.nan_to_num () * weights).sum().backward()
    GradientFault.ThrowIfAny()

    let ofTensor (x: torch.Tensor) = if isNull x.grad then [||] else values x.grad
    [ for x in initial.Values -> ofTensor x ], [ for p in model.parameters () -> ofTensor p ]

let private near tolerance what (expected: float[]) (actual: float[]) =
    Expect.equal actual.Length expected.Length (what + ": length")
    let size = expected |> Seq.filter Double.IsFinite |> Seq.fold (fun m x -> max m (abs x)) 1e-3

    Array.iter2
        (fun e a ->
            if not (e = a || Double.IsNaN e && Double.IsNaN a) then
                Expect.isLessThan (abs (e - a) / size) tolerance what)
        expected
        actual

let private expectEqualTargets
    dtype
    name
    (options: SolveTarget -> SolveOptions)
    (initial: SdeModel -> Dictionary<_, _>)
    =
    use _ = torch.NewDisposeScope()
    let model = create dtype name
    let tolerance = if dtype = float64 then 1e-11 else 1e-4
    let start = initial model

    let solved target =
        let solution = model.Solve(start, options target)
        solution, gradients model start solution

    let expected, (expectedStates, expectedParameters) = solved SolveTarget.Torch
    let found, (states, parameters) = solved SolveTarget.Simd
    Expect.sequenceEqual found.Status expected.Status "statuses"
    Expect.sequenceEqual found.Statistics.Accepted expected.Statistics.Accepted "steps"
    Expect.equal found.Statistics.Evaluations expected.Statistics.Evaluations "evaluations"
    Expect.sequenceEqual found.LastTime expected.LastTime "last times"
    Expect.sequenceEqual (values found.Times) (values expected.Times) "times"
    Expect.equal found.Packed.shape expected.Packed.shape "shape"
    near tolerance "values" (values expected.Packed) (values found.Packed)
    near tolerance "last states" (values expected.LastState) (values found.LastState)
    List.iter2 (near (10.0 * tolerance) "gradients of the states") expectedStates states
    List.iter2 (near (10.0 * tolerance) "gradients of the parameters") expectedParameters parameters

let private bits (solution: Solution) = values solution.Packed |> Array.map BitConverter.DoubleToInt64Bits

/// Four times in steps of 0.013.
let private grid, step = SaveAt.Grid 4, em 0.013

// Tests

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
    testSequenced
    <| testList
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
