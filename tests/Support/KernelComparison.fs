/// Kernels over SIMD registers against the reference interpreter, sample by sample: drift, noise, vector-Jacobian products, Jacobians.
module internal DiffEqLang.Tests.Support.KernelComparison

open System
open System.Collections.Generic
open Expecto
open TorchSharp
open DiffEqLang.Contracts
open DiffEqLang.Compiler
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Dim
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Tensor
open DiffEqLang.Compiler.Ir.Typed
open DiffEqLang.Compiler.Ir.Dynamics
open DiffEqLang.Compiler.Builtins
open DiffEqLang.Compiler.Passes
open DiffEqLang.Compiler.Backends
open DiffEqLang.Compiler.Backends.Simd
open DiffEqLang.Runtime
open DiffEqLang.Tests.Support
open DiffEqLang.Tests.Support.RandomExpr
open DiffEqLang.Tests.Support.GeneratedCode
open DiffEqLang.Tests.Support.GeneratedKernels

// What the interpreter gives for one sample

let private numbersOf (t: torch.Tensor) =
    t.detach().to_type(torch.ScalarType.Float64).cpu().contiguous().reshape(-1L).data<float>().ToArray()

/// What the inputs of a model are for one sample.
let private inputsOf
    (model: Dynamics.Model)
    (parameter: string -> float[])
    (samples: Kernels.Samples)
    sample
    =
    let part (packed: float[]) (offset: int) (symbol: Symbol) =
        let shape = sizesOf symbol.Shape
        ofArray shape packed[offset .. offset + sizeOf shape - 1]

    let known = Dictionary<Symbol, Tensor>()
    known[{ Name = "t"; Role = Time; Shape = [] }] <- Tensor.scalar samples.Times[sample]

    let cotangents = Derivatives.cotangents model.Components
    let tangents, _ = Derivatives.alongSlope model.Components []

    for c, cotangent, tangent in List.zip3 model.Components cotangents tangents do
        let offset = int (Dim.tryConstant c.Offset).Value
        known[c.Symbol] <- part samples.States[sample] offset c.Symbol
        known[cotangent] <- part samples.Cotangents[sample] offset c.Symbol
        known[tangent] <- part samples.Cotangents[sample] offset c.Symbol

    let mutable offset = 0

    for w in model.Typed.Wiener do
        known[w.Increment] <- part samples.Increments[sample] offset w.Increment
        offset <- offset + sizeOf (sizesOf w.Increment.Shape)

    fun (s: Symbol) ->
        match known.TryGetValue s with
        | true, value -> value
        | _ -> ofArray (sizesOf s.Shape) (parameter s.Name)

let private values inputs roots = Evaluate.run inputs Map.empty roots |> List.toArray |> Array.collect _.Data

/// By sample and packed element: values, and the cotangents of the state and of each parameter.
let private interpreted
    (model: Dynamics.Model)
    (quantity: Stochastic.Quantity)
    parameter
    (samples: Kernels.Samples)
    =
    let product =
        Derivatives.vjp model.Components quantity.Values (model.Typed.Parameters |> List.map _.Symbol)

    Array.init samples.Times.Length (fun sample ->
        let inputs = inputsOf model parameter samples sample
        values inputs quantity.Values, values inputs product.States, values inputs product.Parameters)

/// A row-major matrix applied to a vector.
let private applied (matrix: float[]) (v: float[]) =
    Array.init v.Length (fun i ->
        Seq.sum (seq { for j in 0 .. v.Length - 1 -> matrix[i * v.Length + j] * v[j] }))

/// The largest difference, relative where values are above one; equal infinities and not-a-numbers agree. Of a thousand values some are
/// differences of much larger ones that happen to cancel: there it is relative to the size of them all.
let private distance (expected: float[]) (actual: float[]) =
    let unit' =
        if expected.Length < 1000 then
            1.0
        else
            max 1.0 (sqrt (expected |> Array.averageBy (fun x -> x * x)))

    let inUnits = Array.map (fun x -> x / unit') >> Tensor.vector
    distance (inUnits expected) (inUnits actual)

/// One quantity of a kernel. `reached` are the parameters that gradients flow to.
let private compareQuantity
    what
    tolerance
    (model: Dynamics.Model)
    (binding: DiffEqLang.Runtime.Simd.SimdBinding)
    parameter
    (samples: Kernels.Samples)
    (reached: HashSet<Symbol>)
    (quantity: Stochastic.Quantity)
    =
    let kernel = Kernels.evaluate binding quantity.Name samples

    let expected = interpreted model quantity parameter samples

    let close part expected actual =
        Expect.isLessThan
            (distance expected actual)
            tolerance
            (sprintf "%s: %s of %s over registers" what part quantity.Name)

    expected
    |> Array.iteri (fun i (values, gradients, _) ->
        close "values" values kernel.Values[i]
        close "cotangent of the state" gradients kernel.StateGradients[i])

    let sums =
        model.Typed.Parameters
        |> List.mapFold
            (fun offset p ->
                let count = sizeOf (sizesOf p.Symbol.Shape)

                let sum =
                    Array.init count (fun i -> expected |> Array.sumBy (fun (_, _, all) -> all[offset + i]))

                (if reached.Contains p.Symbol then sum else [||]), offset + count)
            0
        |> fst
        |> Array.concat

    close "cotangents of the parameters" sums kernel.ParameterGradients

/// The Jacobian of the drift, where the kernel has one, and its product with the cotangents.
let private compareJacobian
    what
    tolerance
    (model: Dynamics.Model)
    binding
    parameter
    (samples: Kernels.Samples)
    =
    let close part expected actual =
        Expect.isLessThan (distance expected actual) tolerance (sprintf "%s: %s over registers" what part)

    match (Kernels.evaluate binding "Drift" samples).Jacobians with
    | None -> ()
    | Some(jacobians, tangents) ->
        let jacobian = [ Derivatives.denseJacobian model.Components ]

        for i in 0 .. samples.Times.Length - 1 do
            let expected = values (inputsOf model parameter samples i) jacobian
            close "Jacobian" expected jacobians[i]
            close "tangents" (applied expected samples.Cotangents[i]) tangents[i]

/// What events watch, how that changes along a slope, and what they do.
let private compareEvents
    what
    tolerance
    (model: Dynamics.Model)
    binding
    parameter
    (samples: Kernels.Samples)
    =
    let found = Kernels.evaluateEvents binding samples
    let watched = model.Events |> List.choose _.Watched
    let _, rates = Derivatives.alongSlope model.Components watched

    let close part expected actual =
        Expect.isLessThan (distance expected actual) tolerance (sprintf "%s: %s over registers" what part)

    for i in 0 .. samples.Times.Length - 1 do
        let inputs = inputsOf model parameter samples i
        close "what events watch" (values inputs watched) found.Watched[i]
        close "its derivatives" (values inputs rates) found.Rates[i]

        for event, after in List.zip model.Events found.After do
            let expected = if event.After.IsEmpty then samples.States[i] else values inputs event.After
            close event.Decl.Name expected after[i]

/// On states that are drawn by lane.
let compareOn
    (drawn: Random -> float[])
    (what: string)
    tolerance
    (model: Dynamics.Model)
    (generated: DifferentialModel)
    =
    use _ = torch.NewDisposeScope()

    match Kernels.binding generated with
    | None -> failtestf "%s has no kernel" what
    | Some binding ->
        let lanes = Kernels.lanesOf binding
        let random = Random 3

        let draw size low high =
            Array.init lanes (fun _ ->
                Array.init size (fun _ -> float (float32 (low + (high - low) * random.NextDouble()))))

        let size = int generated.Layout.Size

        let samples: Kernels.Samples =
            { States = Array.init lanes (fun _ -> drawn random |> Array.map (float32 >> float))
              Cotangents = draw size -1.0 1.0
              Times = Array.init lanes (fun lane -> 0.25 * float lane)
              Increments =
                draw (model.Typed.Wiener |> List.sumBy (fun w -> sizeOf (sizesOf w.Increment.Shape))) -1.0 1.0 }

        let quantities =
            Stochastic.drift "" (model.Components |> List.map _.Drift) :: Stochastic.quantities model

        // In the order of the declarations.
        let ofEvents = model.Events |> List.collect (fun e -> Option.toList e.Watched @ e.After)

        let reached = (quantities |> List.collect _.Values) @ ofEvents |> inputs |> HashSet
        let parameter name = numbersOf (generated.Value name)

        for quantity in quantities do
            compareQuantity what tolerance model binding parameter samples reached quantity

        compareJacobian what tolerance model binding parameter samples

        if not model.Events.IsEmpty then
            compareEvents what tolerance model binding parameter samples

let compareWith what tolerance (model: Dynamics.Model) generated =
    let size = int (Dim.tryConstant model.Size).Value
    let draw (random: Random) = Array.init size (fun _ -> 0.3 + 0.8 * random.NextDouble())
    compareOn draw what tolerance model generated

let toleranceOf dtype = if dtype = torch.ScalarType.Float32 then 3e-4 else 1e-9
