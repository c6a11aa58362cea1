/// Kernels over SIMD registers against the reference interpreter: drift, noise and vector-Jacobian products of random models and
/// of every model in the repository, in both precisions. The code for torch is held against the same in RandomModelTests.
module DiffEqLang.Tests.EndToEnd.KernelTests

open System
open System.Collections.Generic
open Expecto
open TorchSharp
open DiffEqLang.Contracts
open DiffEqLang.Compiler
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Builtins
open DiffEqLang.Compiler.Backends.Simd
open DiffEqLang.Runtime
open DiffEqLang.Tests.Support
open DiffEqLang.Tests.Support.GeneratedCode
open DiffEqLang.Tests.Support.GeneratedKernels
open DiffEqLang.Tests.Support.KernelComparison

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
    testList
        "Kernels"
        [ everyFunctionHasItsName
          randomModels
          for dtype in [ torch.ScalarType.Float64; torch.ScalarType.Float32 ] do
              writtenModels dtype
              everyFunction dtype ]
