/// Every function of the language as generated code computes it, against the reference interpreter: one model that
/// holds a call for each builtin's samples, compiled, and run in float64 on random operands with any batch axes.
module DiffEqLang.Tests.EndToEnd.LoweringTests

open System
open Expecto
open TorchSharp
open DiffEqLang.Contracts
open DiffEqLang.Compiler
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Tensor
open DiffEqLang.Compiler.Builtins
open DiffEqLang.Compiler.Builtins.Builtin
open DiffEqLang.Compiler.Passes
open DiffEqLang.Runtime
open DiffEqLang.Tests.Support.BuiltinCases
open DiffEqLang.Tests.Support.RandomExpr
open DiffEqLang.Tests.Support.GeneratedCode

let private model =
    lazy
        (let text =
            sprintf "model Every {\n%s\n}\n" (cases |> List.collect lines |> String.concat "\n")

         let result =
             Compilation.Compile(SourceFile("every.deq", text), CompileOptions(Validate = true))

         Expect.isEmpty result.Diagnostics "every builtin may be called by its name"
         let compilation, problems = compile [ result.Files[0].FileName, result.Files[0].Text ]
         Expect.equal problems [] "no warnings"
         let model = create (load compilation) "Every"
         model, bind model)

let private tensor (value: Tensor) =
    torch.tensor(value.Data, dtype = torch.ScalarType.Float64).reshape(value.Shape |> Array.map int64)

let private values (t: torch.Tensor) =
    ofArray
        (t.shape |> Array.map int)
        (t.``to``(torch.ScalarType.Float64).contiguous().reshape(-1L).data<float>().ToArray())

let private close (dtype: torch.ScalarType) what expected actual =
    let allowed = if dtype = torch.ScalarType.Float32 then 2e-4 else 1e-10
    Expect.isLessThan (distance expected actual) allowed what

/// A packed state whose operands are drawn inside each function's domain, sample by sample; zeros for the results.
let private draw (random: Random) (layout: StateLayout) (batch: int64 list) =
    let parts =
        [| for slot in layout.Slots do
               torch.zeros ([| yield! batch; yield! slot.Shape |], dtype = torch.ScalarType.Float64) |]

    let index name = layout.Slots |> Seq.findIndex (fun slot -> slot.Name = name)
    let size = List.fold (*) 1L batch

    for c in cases do
        for name, sample in List.zip c.Operands c.Samples do
            let drawn = [| for _ in 1L .. size -> tensor (Builtin.draw random sample) |]
            parts[index name] <- torch.stack(drawn).reshape(parts[index name].shape)

    layout.Pack parts

/// What the interpreter gives for one sample: the result, and the cotangent of each operand.
let private interpreted (c: Case) (part: string -> Tensor) (weight: Tensor) =
    Arena.Run(fun () ->
        let symbols = List.map2 (fun name (s: Sample) -> symbol name s.Shape) c.Operands c.Samples
        let f = c.Call(List.map Build.input symbols)
        let w = symbol "w" (List.ofArray weight.Shape)
        let inputs (s: Symbol) = if s = w then weight else part s.Name
        let cotangents = Differentiate.vjp [ f, Build.input w ] (List.map Build.input symbols)
        evaluate inputs f, List.map (evaluate inputs) cotangents)

let private agrees (dtype: torch.ScalarType) (batch: int64 list) =
    test (sprintf "%O with batch axes %A" dtype batch) {
        use _ = torch.NewDisposeScope()
        use _ = torch.no_grad ()
        let model, equations = model.Value
        let layout = model.Layout
        let state = (draw (Random 11) layout batch).``to``(dtype)
        let t = torch.tensor (0.0, dtype = dtype)
        use generator = new torch.Generator(5UL)
        let w = torch.randn (state.shape, dtype = dtype, generator = generator)
        let drift = equations.Drift(t, state)
        let vjp = equations.DriftVjp(t, state, w, ParameterGradients equations.Parameters)
        Expect.equal drift.shape state.shape "the drift is packed like the state"

        /// A state's part of a packed tensor, of one sample of the flattened batch.
        let part (packed: torch.Tensor) (sample: int64) name =
            let slot = layout.Slots |> Seq.findIndex (fun slot -> slot.Name = name)
            values (layout.Unpack(packed.reshape(-1L, layout.Size).select(0L, sample), slot))

        for sample in 0L .. (List.fold (*) 1L batch) - 1L do
            for c in cases do
                let result, cotangents = interpreted c (part state sample) (part w sample c.Result)
                close dtype c.Title result (part drift sample c.Result)

                for name, cotangent in List.zip c.Operands cotangents do
                    close dtype (sprintf "%s: cotangent of %s" c.Title name) cotangent (part vjp sample name)
    }

let tests =
    testList
        "Lowering"
        [ for dtype in [ torch.ScalarType.Float64; torch.ScalarType.Float32 ] do
              for batch in [ []; [ 3L ]; [ 2L; 2L ] ] do
                  agrees dtype batch ]
