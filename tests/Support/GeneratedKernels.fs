/// Kernels of models, written, compiled and made.
module internal DiffEqLang.Tests.Support.GeneratedKernels

open System
open System.IO
open Expecto
open TorchSharp
open DiffEqLang.Contracts
open DiffEqLang.Compiler
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Printing
open DiffEqLang.Compiler.Backends
open DiffEqLang.Compiler.Backends.Simd
open DiffEqLang.Runtime
open DiffEqLang.Tests.Support.GeneratedCode

/// The generated files, in a namespace; the kernels in a precision, with Jacobians where they are run.
let filesOf withJacobian nameSpace precision (model: Dynamics.Model) (kernel: Kernel.Kernel) =
    let face = Backends.CSharp.Face.ofModel model
    let text tree = CSharpLayout.file false tree
    let name = model.Typed.Name

    [ name + ".g.cs", text (Torch.ModelClass.file nameSpace false false face)
      for width in [ SimdFile.Portable; SimdFile.Wide512 ] do
          SimdFile.fileName name width,
          text (SimdFile.file nameSpace (withJacobian && width.IsPortable) face kernel precision width) ]

let precisionOf dtype = if dtype = torch.ScalarType.Float32 then Registers.Single else Registers.Double

let loaded (files: (string * string) list) =
    let compilation, problems = compile files
    Expect.equal problems [] "no warnings"
    load compilation

/// Every file of models in the repository: the examples', the benchmarks' and the goldens'.
let written =
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
let kernelsOf (sources: SourceFile list) =
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
let generated
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
