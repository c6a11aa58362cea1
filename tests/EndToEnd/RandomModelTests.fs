/// Random models as the code for torch computes them, against the reference interpreter: drift, cotangents of the states and
/// gradients of the parameters, in both precisions and with any batch axes.
module DiffEqLang.Tests.EndToEnd.RandomModelTests

open System.Collections.Generic
open Expecto
open TorchSharp
open DiffEqLang.Compiler
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Tensor
open DiffEqLang.Compiler.Passes
open DiffEqLang.Runtime
open DiffEqLang.Tests.Support.RandomExpr
open DiffEqLang.Tests.Support.RandomModels
open DiffEqLang.Tests.Support.GeneratedCode

let private batch = [ 2L ]

let private values (t: torch.Tensor) =
    let double = t.detach().to_type(torch.ScalarType.Float64).contiguous().reshape(-1L)
    ofArray (t.shape |> Array.map int) (double.data<float>().ToArray())

/// What the interpreter gives for one sample: drifts, cotangents of the states, gradients of the parameters.
let private interpreted (seed: int) (inputs: Dictionary<string, Tensor>) =
    Arena.Run(fun () ->
        let drifts = drifts seed

        let weights =
            [ for s in states -> Build.input { s with Name = "w" + s.Name; Role = Cotangent } ]

        let wrt = List.map Build.input (states @ parameters)
        let products = ReverseMode.vjp (List.zip drifts weights) wrt
        let results = Evaluate.run (fun s -> inputs[s.Name]) Map.empty (drifts @ products)
        results |> List.splitAt drifts.Length)

/// The gradient of each parameter of the model, through what the equations compute once from them.
let private gradients (model: DifferentialModel) (equations: OdeEquations) (into: ParameterGradients) =
    let leaves = [ for p in parameters -> model.Value p.Name ]

    let sums =
        [ for i in 0 .. equations.Parameters.Count - 1 do
              if equations.Parameters[i].requires_grad then
                  equations.Parameters[i], into[i] ]

    let orZeros (leaf: torch.Tensor) (gradient: torch.Tensor) =
        if isNull gradient || gradient.IsInvalid then
            torch.zeros_like leaf
        else
            gradient

    if sums.IsEmpty then
        leaves |> List.map torch.zeros_like
    else
        torch.autograd.grad (
            ResizeArray(List.map fst sums),
            ResizeArray leaves,
            ResizeArray(List.map snd sums),
            allow_unused = true
        )
        |> Seq.map2 orZeros leaves
        |> Seq.toList

let private close tolerance what expected actual = Expect.isLessThan (distance expected actual) tolerance what

let private agrees dtype tolerance seed =
    use _ = torch.NewDisposeScope()
    let model = createAs dtype assembly.Value (nameOf seed)
    let equations = bind model
    let layout = model.Layout
    use generator = new torch.Generator(uint64 seed)
    let draw () = torch.randn ([| yield! batch; layout.Size |], dtype = dtype, generator = generator)
    let state, w = draw () * 0.7.ToScalar(), draw ()
    let t = torch.tensor (0.0, dtype = dtype)
    let into = ParameterGradients equations.Parameters

    let drift, cotangents =
        use _ = torch.no_grad ()
        equations.Drift(t, state), equations.DriftVjp(t, state, w, into)

    let part (packed: torch.Tensor) (sample: int64) slot =
        values (layout.Unpack(packed.select (0L, sample), slot))

    let summed =
        [ for sample in 0L .. batch.Head - 1L do
              let inputs = Dictionary<string, Tensor>()

              for slot, s in List.indexed states do
                  inputs[s.Name] <- part state sample slot
                  inputs["w" + s.Name] <- part w sample slot

              for p in parameters do
                  inputs[p.Name] <- values (model.Value p.Name)

              let drifts, products = interpreted seed inputs
              let ofStates, ofParameters = List.splitAt states.Length products

              for slot, s in List.indexed states do
                  let what = sprintf "%s, %s" (nameOf seed) s.Name
                  close tolerance (what + ": drift") drifts[slot] (part drift sample slot)
                  close tolerance (what + ": cotangent") ofStates[slot] (part cotangents sample slot)

              ofParameters ]
        |> List.reduce (List.map2 (map2 (+)))

    for p, expected, actual in List.zip3 parameters summed (gradients model equations into) do
        close tolerance (sprintf "%s: gradient of %s" (nameOf seed) p.Name) expected (values actual)

/// What the pattern leaves out is zero, wherever the states are.
let private patternHolds seed =
    use _ = torch.NewDisposeScope()
    let model = createAs torch.ScalarType.Float64 assembly.Value (nameOf seed)
    let equations = bind model
    use generator = new torch.Generator(uint64 seed)

    let state =
        torch.randn ([| 1L; model.Layout.Size |], dtype = torch.ScalarType.Float64, generator = generator)

    use _ = torch.no_grad ()

    let jacobian =
        values (equations.DriftJacobian(torch.tensor (0.0, dtype = torch.ScalarType.Float64), state))

    let pattern =
        Arena.Run(fun () -> (Sparsity.analyse (DiffEqLang.Tests.Support.RandomModels.model seed)).Value)

    let size = pattern.Size

    let rows =
        [ for run in pattern.Runs do
              yield! List.replicate run.Count run.Offsets ]

    for row, offsets in List.indexed rows do
        for column in 0 .. size - 1 do
            if not (Array.contains (column - row) offsets) then
                Expect.equal
                    jacobian.Data[row * size + column]
                    0.0
                    $"{nameOf seed}, row {row}, column {column}"

let tests =
    testList
        "RandomModels"
        [ for dtype, tolerance in [ torch.ScalarType.Float64, 1e-9; torch.ScalarType.Float32, 2e-3 ] do
              test (sprintf "%d in %A" count dtype) {
                  for seed in 1..count do
                      agrees dtype tolerance seed
              }

          test "patterns of Jacobians hold all entries" {
              for seed in 1..2..count do
                  patternHolds seed
          } ]
