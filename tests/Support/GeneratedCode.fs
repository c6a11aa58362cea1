/// Generated code compiled in memory, as a strict project of a user would compile it.
module DiffEqLang.Tests.Support.GeneratedCode

open System
open System.IO
open System.Reflection
open System.Runtime.Loader
open Microsoft.CodeAnalysis
open Microsoft.CodeAnalysis.CSharp
open Expecto
open TorchSharp
open DiffEqLang.Contracts
open DiffEqLang.Compiler
open DiffEqLang.Runtime

let private references =
    lazy
        ((AppContext.GetData "TRUSTED_PLATFORM_ASSEMBLIES" :?> string).Split Path.PathSeparator
         |> Seq.filter (fun path ->
             let name = Path.GetFileName path

             name.StartsWith "System."
             || name.StartsWith "TorchSharp"
             || name.StartsWith "DiffEqLang.Runtime"
             || name = "netstandard.dll")
         |> Seq.map (fun path -> MetadataReference.CreateFromFile path :> MetadataReference)
         |> Seq.toArray)

/// Warnings and errors, documentation among them.
let compile (files: (string * string) list) : CSharpCompilation * string list =
    let parse = CSharpParseOptions(LanguageVersion.Latest, DocumentationMode.Diagnose)

    let trees =
        files |> List.map (fun (name, text) -> CSharpSyntaxTree.ParseText(text, parse, name))

    let options =
        CSharpCompilationOptions(
            OutputKind.DynamicallyLinkedLibrary,
            optimizationLevel = OptimizationLevel.Release,
            nullableContextOptions = NullableContextOptions.Enable,
            warningLevel = 9999,
            // TorchSharp was built for .NET 8: the SDK silences these for every project.
            specificDiagnosticOptions =
                [ for code in [ "CS1701"; "CS1702" ] ->
                      System.Collections.Generic.KeyValuePair(code, ReportDiagnostic.Suppress) ]
        )

    let compilation =
        CSharpCompilation.Create(sprintf "Golden%O" (Guid.NewGuid()), trees, references.Value, options)

    let problems =
        compilation.GetDiagnostics()
        |> Seq.filter (fun d -> d.Severity >= DiagnosticSeverity.Warning)
        |> Seq.map string
        |> Seq.toList

    compilation, problems

let load (compilation: CSharpCompilation) : Assembly =
    use image = new MemoryStream()
    let emitted = compilation.Emit image

    if not emitted.Success then
        failwithf "%O" emitted.Diagnostics[0]

    image.Position <- 0L
    AssemblyLoadContext("golden", true).LoadFromStream image

let private compiled (options: CompileOptions) fileName text : Assembly =
    let result = Compilation.Compile(SourceFile(fileName, text), options)
    Expect.isEmpty result.Diagnostics "the models are right"
    let compilation, problems = compile [ for f in result.Files -> f.FileName, f.Text ]
    Expect.equal problems [] "no warnings"
    load compilation

let private namespaceOf (fileName: string) = "DiffEqLang." + Path.GetFileNameWithoutExtension fileName

/// The models of a file, compiled as a user compiles them.
let ofText (fileName: string) (text: string) : Assembly =
    compiled (CompileOptions(Validate = true, Namespace = namespaceOf fileName)) fileName text

let private written (models: (string * string) list) =
    [ for name, statements in models do
          sprintf "model %s {\n%s\n}\n" name (statements.Replace("; ", "\n")) ]
    |> String.concat ""

/// Models by name, each with its statements between `; `.
let ofModels (fileName: string) (models: (string * string) list) : Assembly = ofText fileName (written models)

/// The same for tensors alone.
let ofModelsOnTensors (fileName: string) (models: (string * string) list) : Assembly =
    let options =
        CompileOptions(Validate = true, Namespace = namespaceOf fileName, Target = "torch")

    compiled options fileName (written models)

/// The same with kernels in a precision that have their Jacobian.
let ofModelsOnRegisters (dtype: string) (fileName: string) (models: (string * string) list) : Assembly =
    let options =
        CompileOptions(Namespace = namespaceOf fileName, Target = "simd", Dtype = dtype, Jacobian = true)

    compiled options fileName (written models)

/// A model on the CPU; every dim that is left to the caller is 3.
let private construct (dtype: torch.ScalarType) (type': Type) : DifferentialModel =
    let constructor = type'.GetConstructors()[0]

    let arguments =
        [| for p in constructor.GetParameters() ->
               match p.Name with
               | "dtype" -> box dtype
               | "device" -> box torch.CPU
               | _ when p.HasDefaultValue -> p.DefaultValue
               | _ -> box 3L |]

    constructor.Invoke arguments :?> DifferentialModel

/// By the name of its class, the only one of that name.
let createAs dtype (assembly: Assembly) (name: string) =
    assembly.GetTypes()
    |> Array.find (fun t -> t.Name = name && not t.IsNested)
    |> construct dtype

/// By the name of its class with its namespace.
let createFrom dtype (assembly: Assembly) (fullName: string) = assembly.GetType fullName |> construct dtype

/// In float64.
let create (assembly: Assembly) (name: string) = createAs torch.ScalarType.Float64 assembly name

/// The equations with the model's parameter values.
let bind (model: DifferentialModel) =
    let bind = model.GetType().GetMethod("Bind", BindingFlags.Instance ||| BindingFlags.NonPublic)
    bind.Invoke(model, [||]) :?> OdeEquations
