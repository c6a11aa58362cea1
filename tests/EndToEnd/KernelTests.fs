/// Kernels over SIMD registers against the reference interpreter: drift, noise and vector-Jacobian products of random models and
/// of every model in the repository, in both precisions. The code for torch is held against the same in RandomModelTests.
module DiffEqLang.Tests.EndToEnd.KernelTests

open System
open System.Collections.Generic
open System.IO
open System.Reflection
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
open DiffEqLang.Compiler.Printing
open DiffEqLang.Compiler.Backends
open DiffEqLang.Compiler.Backends.Simd
open DiffEqLang.Runtime
open DiffEqLang.Tests.Support
open DiffEqLang.Tests.Support.RandomExpr
open DiffEqLang.Tests.Support.GeneratedCode

/// The generated files, in a namespace; the kernels in a precision.
let internal filesOf nameSpace precision (model: Dynamics.Model) (kernel: Kernel.Kernel) =
    let face = Backends.CSharp.Face.ofModel model
    let text tree = CSharpLayout.file false tree
    let name = model.Typed.Name

    [ name + ".g.cs", text (Torch.ModelClass.file nameSpace false face)
      for width in [ SimdFile.Portable; SimdFile.Wide512 ] do
          SimdFile.fileName name width, text (SimdFile.file nameSpace face kernel precision width) ]

let internal precisionOf dtype =
    if dtype = torch.ScalarType.Float32 then Registers.Single else Registers.Double

let internal loaded (files: (string * string) list) =
    let compilation, problems = compile files
    Expect.equal problems [] "no warnings"
    load compilation

// What the interpreter gives for one sample

let private numbersOf (t: torch.Tensor) =
    t.detach().to_type(torch.ScalarType.Float64).cpu().contiguous().reshape(-1L).data<float>().ToArray()

/// By packed element: values, and the cotangents of the state and of each parameter.
let private interpreted
    (model: Dynamics.Model)
    (quantity: Stochastic.Quantity)
    (parameter: string -> float[])
    (samples: Kernels.Samples)
    (sample: int)
    =
    let part (packed: float[]) (offset: int) (symbol: Symbol) =
        let shape = sizesOf symbol.Shape
        ofArray shape packed[offset .. offset + sizeOf shape - 1]

    let product =
        Derivatives.vjp model.Components quantity.Values (model.Typed.Parameters |> List.map _.Symbol)

    let known = Dictionary<Symbol, Tensor>()
    known[{ Name = "t"; Role = Time; Shape = [] }] <- Tensor.scalar samples.Times[sample]

    for c, cotangent in List.zip model.Components product.Cotangents do
        let offset = int (Dim.tryConstant c.Offset).Value
        known[c.Symbol] <- part samples.States[sample] offset c.Symbol
        known[cotangent] <- part samples.Cotangents[sample] offset c.Symbol

    let mutable offset = 0

    for w in model.Typed.Wiener do
        known[w.Increment] <- part samples.Increments[sample] offset w.Increment
        offset <- offset + sizeOf (sizesOf w.Increment.Shape)

    let inputs (s: Symbol) =
        match known.TryGetValue s with
        | true, value -> value
        | _ -> ofArray (sizesOf s.Shape) (parameter s.Name)

    let values roots = Evaluate.run inputs Map.empty roots |> List.toArray |> Array.collect _.Data
    values quantity.Values, values product.States, values product.Parameters

/// The largest difference, relative where values are above one; equal infinities and not-a-numbers agree.
let private distance (expected: float[]) (actual: float[]) =
    distance (Tensor.vector expected) (Tensor.vector actual)

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

    let expected = Array.init samples.Times.Length (interpreted model quantity parameter samples)

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

let internal compareWith (what: string) tolerance (model: Dynamics.Model) (generated: DifferentialModel) =
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
            { States = draw size 0.3 1.1
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

/// Every file of models in the repository: the examples', the benchmarks' and the goldens'.
let private written =
    lazy
        [ for folder in [ "examples"; "tests/Benchmarks" ] do
              for path in
                  Directory.GetFiles(
                      Path.Combine(Prelude.repositoryRoot, folder),
                      "*.deq",
                      SearchOption.AllDirectories
                  ) do
                  if not (path.Contains "/obj/" || path.Contains "/bin/") then
                      SourceFile(Path.GetFileName path, File.ReadAllText path)
          for path in Directory.GetFiles(Path.Combine(Prelude.repositoryRoot, "tests", "golden"), "*.golden") do
              let text = File.ReadAllText path
              let section = text.Split("==== ", StringSplitOptions.RemoveEmptyEntries)[0]
              let cut = section.IndexOf '\n'
              SourceFile(section.Substring(0, cut).Trim(), section.Substring(cut + 1)) ]

/// Those that have kernels, each with a namespace of its own.
let private models () =
    [ for source in written.Value do
          let tree, _ = Syntax.Reader.read source
          let models, _ = Checking.Check.models (CompileOptions()) tree

          for m in models do
              let model = (Pipeline.run true None m.Model).Model

              match Kernel.ofModel model with
              | Ok kernel -> source.Path, model, kernel
              | Error _ -> () ]
    |> List.mapi (fun i (path, model, kernel) -> path, sprintf "Written%d" i, model, kernel)

let private writtenModels dtype =
    test (sprintf "written models in %O" dtype) {
        Arena.Run(fun () ->
            let models = models ()
            Expect.isGreaterThan models.Length 10 "models that have kernels"

            let assembly =
                models
                |> List.collect (fun (_, nameSpace, model, kernel) ->
                    filesOf nameSpace (precisionOf dtype) model kernel)
                |> loaded

            for path, nameSpace, model, _ in models do
                let name = (Backends.CSharp.Face.ofModel model).ClassName.TrimStart '@'

                createFrom dtype assembly (nameSpace + "." + name)
                |> compareWith (path + " " + name) (toleranceOf dtype) model)
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
          randomModels
          for dtype in [ torch.ScalarType.Float64; torch.ScalarType.Float32 ] do
              writtenModels dtype ]
