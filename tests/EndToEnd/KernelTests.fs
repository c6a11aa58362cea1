/// Kernels over SIMD registers against the reference interpreter: drift, noise and vector-Jacobian products of random models and
/// of every model in the repository, in both precisions. The code for torch is held against the same in RandomModelTests.
module DiffEqLang.Tests.EndToEnd.KernelTests

open System
open System.Collections.Generic
open System.Text.RegularExpressions
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

    for c, cotangent in List.zip model.Components (Derivatives.cotangents model.Components) do
        let offset = int (Dim.tryConstant c.Offset).Value
        known[c.Symbol] <- part samples.States[sample] offset c.Symbol
        known[cotangent] <- part samples.Cotangents[sample] offset c.Symbol

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

/// On states that are drawn by lane.
let private compareOn
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
        let reached = quantities |> List.collect _.Values |> inputs |> HashSet
        let parameter name = numbersOf (generated.Value name)

        for quantity in quantities do
            compareQuantity what tolerance model binding parameter samples reached quantity

        compareJacobian what tolerance model binding parameter samples

let internal compareWith what tolerance (model: Dynamics.Model) generated =
    let size = int (Dim.tryConstant model.Size).Value
    let draw (random: Random) = Array.init size (fun _ -> 0.3 + 0.8 * random.NextDouble())
    compareOn draw what tolerance model generated

let internal toleranceOf dtype = if dtype = torch.ScalarType.Float32 then 3e-4 else 1e-9

let private randomModels =
    test (sprintf "%d random models" RandomModels.count) {
        Arena.Run(fun () ->
            for seed in 1 .. RandomModels.count do
                let name = RandomModels.nameOf seed

                let dtype =
                    match RandomModels.precision seed with
                    | Registers.Single -> torch.ScalarType.Float32
                    | Registers.Double -> torch.ScalarType.Float64

                createAs dtype RandomModels.assembly.Value name
                |> compareWith name (toleranceOf dtype) (RandomModels.model seed))
    }

// Written models

let private writtenModels dtype =
    test (sprintf "written models in %O" dtype) {
        Arena.Run(fun () ->
            let models = kernelsOf written.Value
            Expect.isGreaterThan models.Length 10 "models that have kernels"

            for (path, _, model, _), instance in List.zip models (generated dtype (fun _ -> true) models) do
                compareWith (path + " " + model.Typed.Name) (toleranceOf dtype) model instance)
    }

// Functions

/// Functions that need the torch target.
let private notOverRegisters: string list = []

let private sourceOf (c: BuiltinCases.Case) =
    let lines = BuiltinCases.lines c |> String.concat "\n"
    SourceFile(c.Title, sprintf "model Case {\n%s\n}\n" lines)

/// Operands inside a function's domain; zeros for the result.
let private drawOperands (c: BuiltinCases.Case) (size: int) (random: Random) =
    let operands =
        c.Samples |> List.toArray |> Array.collect (fun s -> (Builtin.draw random s).Data)

    Array.append operands (Array.zeroCreate (size - operands.Length))

let private everyFunction dtype =
    test (sprintf "every function of the language in %O" dtype) {
        Arena.Run(fun () ->
            let cases =
                BuiltinCases.cases
                |> List.filter (fun c -> not (List.contains c.Builtin.Name notOverRegisters))

            let models = kernelsOf (List.map sourceOf cases)

            let missing =
                Set.ofList (cases |> List.map _.Title)
                - Set.ofList [ for title, _, _, _ in models -> title ]

            Expect.isEmpty missing "functions without a form over registers"

            // Elementwise functions differ in the rule that the products test already.
            let isGeneral =
                Set.ofList
                    [ for c in cases do
                          if not (Builtin.isElementwise c.Builtin) then
                              c.Title ]

            for c, (title, _, model, _), instance in
                List.zip3 cases models (generated dtype isGeneral.Contains models) do
                let size = int (Dim.tryConstant model.Size).Value
                compareOn (drawOperands c size) title (toleranceOf dtype) model instance)
    }

// What the just-in-time compiler inlines

/// More functions than one method takes in: element by element, in and around loops, in the stages of a fused step.
let private crowded =
    [ "unrolled", "state x : R[6]; param a : R[6] ~ normal(0, 1); x' = tanh(a*x) + sin(x)*silu(a) - exp(-x)"
      "loops",
      "state x : R[12], y : R[5]; x' = tanh(x) + sin(x)*sum(exp(-y)) + sigmoid(x)*cos(x); y' = log(1 + exp(y))*sum(tanh(x))"
      "fused", "state q, p; param k = 2; q' = p; p' = -k*sin(q)" ]
    |> List.map (fun (name, body) ->
        SourceFile(name, sprintf "model Crowded {\n%s\n}\n" (body.Replace("; ", "\n"))))

/// What a kernel's methods take in, by name; a method that others inline counts in them.
let private takenIn (text: string) =
    let methods =
        Regex.Split(text, @"(?=\n        (?:public override|private static) )")
        |> Array.skip 1
        |> Array.map (fun m -> Regex.Match(m, @"(\w+)\(").Groups[1].Value, m)

    let count (name: string) body = Regex.Matches(body, sprintf @"(?<!\w)%s\(" name).Count

    let own body =
        [ for builtin in Catalogue.all do
              match Inlining.weight builtin.Name with
              | Some weight -> weight * count (Registers.functionName builtin.Name) body
              | None -> () ]
        |> List.sum

    let slope =
        methods
        |> Array.tryFind (fst >> (=) "Slope")
        |> Option.map (snd >> own)
        |> Option.defaultValue 0

    [ for name, body in methods do
          if name <> "Slope" then
              name, own body + slope * count "Slope" body ]

let private noMethodTakesInTooMuch =
    test "no method takes in more functions than the just-in-time compiler inlines" {
        Arena.Run(fun () ->
            for path, nameSpace, model, kernel in kernelsOf (written.Value @ crowded) do
                for _, text in (filesOf true nameSpace Registers.Double model kernel).Tail do
                    for method', taken in takenIn text do
                        Expect.isLessThanOrEqual taken Inlining.most (sprintf "%s %s" path method'))
    }

let private crowdedModels dtype =
    test (sprintf "crowded models in %O" dtype) {
        Arena.Run(fun () ->
            let models = kernelsOf crowded

            for (path, nameSpace, model, kernel), instance in
                List.zip models (generated dtype (fun _ -> true) models) do
                let text = filesOf true nameSpace (precisionOf dtype) model kernel |> List.item 1 |> snd
                Expect.stringContains text " Called" (path + " has calls")
                compareWith path (toleranceOf dtype) model instance)
    }

// Products and sums

/// A linear system with each coefficient written down: n² products.
let private coefficients n =
    let term i j = sprintf "%.3f*x%d" (0.01 + 0.001 * float (i * n + j)) j
    let equation i = sprintf "x%d' = %s" i (String.Join(" + ", [ for j in 0 .. n - 1 -> term i j ]))

    sprintf "state %s\n" (String.Join(", ", [ for i in 0 .. n - 1 -> sprintf "x%d" i ]))
    + String.Join("\n", [ for i in 0 .. n - 1 -> equation i ])

let private productsAndSums =
    let bodies =
        [ "few", "state x, y, z; x' = y*z - x; y' = x - 2*z*y; z' = x*y + z"
          "loop",
          "param A : R[40, 2] ~ normal(0, 1); param B : R[2, 40] ~ normal(0, 1); state x : R[2]; x' = B @ tanh(A @ x)"
          "many", coefficients 21 ]

    let sources =
        [ for name, body in bodies ->
              SourceFile(name, sprintf "model Products {\n%s\n}\n" (body.Replace("; ", "\n"))) ]

    test
        "products and sums are one instruction, where there are no more than the just-in-time compiler inlines" {
        Arena.Run(fun () ->
            let dtype = torch.ScalarType.Float64
            let models = kernelsOf sources

            let texts =
                [ for _, nameSpace, model, kernel in models ->
                      filesOf true nameSpace (precisionOf dtype) model kernel |> List.item 1 |> snd ]

            Expect.stringContains texts[0] "Fms(y, z, x)" "a product less a value"
            Expect.stringContains texts[0] "Fnma(2, z * y, x)" "a value less a product"
            Expect.stringContains texts[0] "Fma(x, y, z)" "a product and a value"

            Expect.stringContains
                texts[1]
                "tanh[i] = tanhI;"
                "what a loop stores and reads again is a variable"

            Expect.isFalse (texts[2].Contains "Fma(") "too many to fuse"

            for (path, _, model, _), instance in List.zip models (generated dtype (fun _ -> true) models) do
                compareWith path (toleranceOf dtype) model instance)
    }

let private everyFunctionHasItsName =
    test "every elementwise function of the language is one over registers" {
        let known =
            typeof<DiffEqLang.Runtime.Simd.Elementary>.GetMethods() |> Seq.map _.Name |> HashSet

        for builtin in Catalogue.all do
            match builtin.Definition with
            | Builtin.Primitive _ when Builtin.isElementwise builtin ->
                let name = Registers.functionName builtin.Name
                Expect.isTrue (Registers.isOfRegisters name || known.Contains name) builtin.Name
            | Builtin.Primitive _
            | Builtin.Expansion _ -> ()
    }

let tests =
    testSequenced
    <| testList
        "Kernels"
        [ everyFunctionHasItsName
          noMethodTakesInTooMuch
          productsAndSums
          randomModels
          for dtype in [ torch.ScalarType.Float64; torch.ScalarType.Float32 ] do
              writtenModels dtype
              everyFunction dtype
              crowdedModels dtype ]
