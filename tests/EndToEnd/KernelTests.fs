/// Kernels over SIMD registers against the reference interpreter: drift and vector-Jacobian products of random models and of
/// every model in the repository, in both precisions. The code for torch is held against the same in RandomModelTests.
module DiffEqLang.Tests.EndToEnd.KernelTests

open System
open System.Collections.Generic
open System.IO
open System.Reflection
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
open DiffEqLang.Compiler.Printing
open DiffEqLang.Compiler.Backends
open DiffEqLang.Compiler.Backends.Simd
open DiffEqLang.Runtime
open DiffEqLang.Tests.Support
open DiffEqLang.Tests.Support.RandomExpr
open DiffEqLang.Tests.Support.GeneratedCode

/// The generated files, in a namespace; the kernels in a precision, with Jacobians where they are run.
let private filesOf withJacobian nameSpace precision (model: Dynamics.Model) (kernel: Kernel.Kernel) =
    let face = Backends.CSharp.Face.ofModel model
    let text tree = CSharpLayout.file false tree
    let name = model.Typed.Name

    [ name + ".g.cs", text (Torch.ModelClass.file nameSpace false face)
      for width in [ SimdFile.Portable; SimdFile.Wide512 ] do
          SimdFile.fileName name width,
          text (SimdFile.file nameSpace (withJacobian && width.IsPortable) face kernel precision width) ]

let private precisionOf dtype =
    if dtype = torch.ScalarType.Float32 then Registers.Single else Registers.Double

let private loaded (files: (string * string) list) =
    let compilation, problems = compile files
    Expect.equal problems [] "no warnings"
    load compilation

// What the interpreter gives for one sample

let private numbersOf (t: torch.Tensor) =
    t.detach().to_type(torch.ScalarType.Float64).cpu().contiguous().reshape(-1L).data<float>().ToArray()

/// By packed element; the Jacobian row by row.
type private Interpreted =
    { Slopes: float[]
      OfState: float[]
      OfParameters: float[]
      Jacobian: Lazy<float[]> }

/// A model's slopes, the cotangents of the state and of each parameter, and the Jacobian, at a time and state.
let private interpreter (model: Dynamics.Model) (parameter: string -> float[]) =
    let drift = model.Components |> List.map _.Drift

    let product =
        Derivatives.vjp model.Components drift (model.Typed.Parameters |> List.map _.Symbol)

    let jacobian = lazy [ Derivatives.denseJacobian model.Components ]

    let part (packed: float[]) (c: Component) =
        let offset = int (Dim.tryConstant c.Offset).Value
        let shape = sizesOf c.Symbol.Shape
        ofArray shape packed[offset .. offset + sizeOf shape - 1]

    fun (time: float) (state: float[]) (w: float[]) ->
        let known = Dictionary<Symbol, Tensor>()
        known[{ Name = "t"; Role = Time; Shape = [] }] <- Tensor.scalar time

        for c, cotangent in List.zip model.Components product.Cotangents do
            known[c.Symbol] <- part state c
            known[cotangent] <- part w c

        let inputs (s: Symbol) =
            match known.TryGetValue s with
            | true, value -> value
            | _ -> ofArray (sizesOf s.Shape) (parameter s.Name)

        let values roots = Evaluate.run inputs Map.empty roots |> List.toArray |> Array.collect _.Data

        { Slopes = values drift
          OfState = values product.States
          OfParameters = values product.Parameters
          Jacobian = lazy (values jacobian.Value) }

/// A row-major matrix applied to a vector.
let private applied (matrix: float[]) (v: float[]) =
    Array.init v.Length (fun i ->
        Seq.sum (seq { for j in 0 .. v.Length - 1 -> matrix[i * v.Length + j] * v[j] }))

/// The largest difference, relative where values are above one; equal infinities and not-a-numbers agree.
let private distance (expected: float[]) (actual: float[]) =
    distance (Tensor.vector expected) (Tensor.vector actual)

/// On states that are drawn by lane.
let private compareOn
    (drawn: Random -> float[])
    (what: string)
    tolerance
    (model: Dynamics.Model)
    (generated: DifferentialModel)
    =
    use _ = torch.NewDisposeScope()
    let dtype = generated.Dtype

    match Kernels.binding generated with
    | None -> failtestf "%s has no kernel" what
    | Some binding ->
        let lanes = Kernels.lanesOf binding
        let size = int generated.Layout.Size
        let random = Random 3

        let states = Array.init lanes (fun _ -> drawn random |> Array.map (float32 >> float))

        let cotangents =
            Array.init lanes (fun _ ->
                Array.init size (fun _ -> float (float32 (2.0 * random.NextDouble() - 1.0))))

        let times = Array.init lanes (fun lane -> 0.25 * float lane)
        let kernel = Kernels.evaluate binding times states cotangents
        let parameter name = numbersOf (generated.Value name)

        let interpreted = interpreter model parameter
        let samples = Array.init lanes (fun i -> interpreted times[i] states[i] cotangents[i])

        let close part expected actual =
            Expect.isLessThan (distance expected actual) tolerance (sprintf "%s: %s" what part)

        samples
        |> Array.iteri (fun i sample ->
            close "drift" sample.Slopes kernel.Slopes[i]
            close "cotangent of the state" sample.OfState kernel.StateGradients[i]

            match kernel.Jacobians with
            | Some(jacobians, tangents) ->
                close "Jacobian" sample.Jacobian.Value jacobians[i]
                close "tangents" (applied sample.Jacobian.Value cotangents[i]) tangents[i]
            | None -> ())

        // Parameters that the drift reaches, in the order of the declarations.
        let reached = inputs (model.Components |> List.map _.Drift) |> HashSet

        let sums =
            model.Typed.Parameters
            |> List.mapFold
                (fun offset p ->
                    let count = sizeOf (sizesOf p.Symbol.Shape)

                    let sum =
                        Array.init count (fun i ->
                            samples |> Array.sumBy (fun sample -> sample.OfParameters[offset + i]))

                    (if reached.Contains p.Symbol then sum else [||]), offset + count)
                0
            |> fst
            |> Array.concat

        close "cotangents of the parameters" sums kernel.ParameterGradients

let private compareWith what tolerance (model: Dynamics.Model) generated =
    let size = int (Dim.tryConstant model.Size).Value
    let draw (random: Random) = Array.init size (fun _ -> 0.3 + 0.8 * random.NextDouble())
    compareOn draw what tolerance model generated

let private toleranceOf dtype = if dtype = torch.ScalarType.Float32 then 3e-4 else 1e-9

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

/// The models of sources that have kernels, each with a namespace of its own.
let private kernelsOf (sources: SourceFile list) =
    [ for source in sources do
          let tree, _ = Syntax.Reader.read source
          let models, _ = Checking.Check.models (CompileOptions()) tree

          for m in models do
              let model = (Pipeline.run true None m.Model).Model

              match Kernel.ofModel model with
              | Ok kernel -> source.Path, model, kernel
              | Error _ -> () ]
    |> List.mapi (fun i (path, model, kernel) -> path, sprintf "Written%d" i, model, kernel)

/// Their classes, made of one assembly.
let private generated
    dtype
    (withJacobian: string -> bool)
    (models: (string * string * Dynamics.Model * Kernel.Kernel) list)
    : DifferentialModel list =
    let assembly =
        models
        |> List.collect (fun (path, nameSpace, model, kernel) ->
            filesOf (withJacobian path) nameSpace (precisionOf dtype) model kernel)
        |> loaded

    [ for _, nameSpace, model, _ in models ->
          let name = (Backends.CSharp.Face.ofModel model).ClassName.TrimStart '@'
          createFrom dtype assembly (nameSpace + "." + name) ]

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
          randomModels
          for dtype in [ torch.ScalarType.Float64; torch.ScalarType.Float32 ] do
              writtenModels dtype
              everyFunction dtype
              crowdedModels dtype ]
