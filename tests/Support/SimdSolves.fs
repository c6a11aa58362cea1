/// Solves on registers beside the same on tensors, and what they are held to.
module DiffEqLang.Tests.Support.SimdSolves

open System
open System.Collections.Generic
open System.Numerics
open System.Threading
open DiffEqLang.Benchmarks.Models
open DiffEqLang.Runtime
open DiffEqLang.Runtime.Simd
open DiffEqLang.Tests.Support.Gradients
open DiffEqLang.Tests.Support.LaneKernels
open DiffEqLang.Tests.Support.OdeMethods
open DiffEqLang.Tests.Support.Odes
open Expecto
open TorchSharp

let methods =
    [ for name in adaptiveMethods -> tolerances name 1e-7 1e-9
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
let random (count: int) (seed: int) =
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

    let once () =
        let before = GC.GetAllocatedBytesForCurrentThread()
        engine.Forward(solve, false)
        GC.GetAllocatedBytesForCurrentThread() - before

    // A collection that another test brings about counts what it leaves unused.
    List.min [ for _ in 1..5 -> once () ], Seq.sum solve.Accepted
