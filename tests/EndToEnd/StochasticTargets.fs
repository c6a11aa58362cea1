/// Stochastic models with kernels, solved on registers and on tensors.
module internal DiffEqLang.Tests.EndToEnd.StochasticTargets

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

let sources =
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

let correlated (model: Typed.Model) =
    let matrix = [ [ 1.0; 0.6 ]; [ 0.6; 1.0 ] ]

    let value =
        Build.stack [ for row in matrix -> Build.stack [ for x in row -> Build.number x ] ]

    { model with
        Wiener =
            [ for w in model.Wiener -> { w with Correlation = if w.Name = "W" then Some value else None } ] }

let filesOf dtype =
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
                  GeneratedKernels.filesOf
                      false
                      "DiffEqLang.Stochastic"
                      (GeneratedKernels.precisionOf dtype)
                      model
                      kernel
          | Error reason -> failtestf "%s has no kernel: %s" name reason ]

let assemblies =
    Dictionary(
        [ for dtype in [ float64; torch.ScalarType.Float32 ] ->
              KeyValuePair(dtype, lazy (Arena.Run(fun () -> filesOf dtype) |> GeneratedKernels.loaded)) ]
    )

let create dtype name = GeneratedCode.createAs dtype assemblies[dtype].Value name :?> SdeModel

// Solves

let methodsOf (model: SdeModel) =
    [ em; heun; milstein ]
    |> List.map (fun m -> m 0.013)
    |> List.filter (fun m ->
        StochasticMethod.All
        |> Seq.exists (fun known -> known.Name = m.Name && known.Takes model.Noise))

/// States well inside every domain, by sample.
let starts (model: SdeModel) (count: int64) =
    use generator = new torch.Generator 5UL

    Dictionary(
        dict
            [ for slot in model.Layout.Slots ->
                  slot.Name,
                  (torch.rand ([| count; yield! slot.Shape |], dtype = model.Dtype, generator = generator)
                   + (0.5).ToScalar())
                      .requires_grad_() ]
    )

let saves =
    [ SaveAt.End
      SaveAt.Grid 7
      SaveAt.Steps
      // Inside steps.
      SaveAt.Times(ReadOnlySpan [| 0.0; 0.0; 0.07; 0.1; 0.1; 0.333; 0.5 |]) ]

/// Options over t = 0 .. 0.5 unless saved times say otherwise.
type Options =
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
let gradients (model: SdeModel) (initial: Dictionary<string, torch.Tensor>) (solution: Solution) =
    use generator = new torch.Generator 6UL
    model.zero_grad ()

    for x in initial.Values do
        x.grad <- null

    let weights = torch.randn (solution.Packed.shape, dtype = model.Dtype, generator = generator)
    (solution.Packed.nan_to_num () * weights).sum().backward()
    GradientFault.ThrowIfAny()

    let ofTensor (x: torch.Tensor) = if isNull x.grad then [||] else values x.grad
    [ for x in initial.Values -> ofTensor x ], [ for p in model.parameters () -> ofTensor p ]

let near tolerance what (expected: float[]) (actual: float[]) =
    Expect.equal actual.Length expected.Length (what + ": length")
    let size = expected |> Seq.filter Double.IsFinite |> Seq.fold (fun m x -> max m (abs x)) 1e-3

    Array.iter2
        (fun e a ->
            if not (e = a || Double.IsNaN e && Double.IsNaN a) then
                Expect.isLessThan (abs (e - a) / size) tolerance what)
        expected
        actual

let expectEqualTargets
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

let bits (solution: Solution) = values solution.Packed |> Array.map BitConverter.DoubleToInt64Bits

/// Four times in steps of 0.013.
let grid, step = SaveAt.Grid 4, em 0.013
