/// What the methods of kernels take in: no more than the just-in-time compiler inlines.
module DiffEqLang.Tests.EndToEnd.InliningTests

open System
open System.Text.RegularExpressions
open Expecto
open TorchSharp
open DiffEqLang.Contracts
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Builtins
open DiffEqLang.Compiler.Backends.Simd
open DiffEqLang.Tests.Support.GeneratedCode
open DiffEqLang.Tests.Support.GeneratedKernels
open DiffEqLang.Tests.Support.KernelComparison

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

let tests =
    testSequenced
    <| testList
        "Inlining"
        [ noMethodTakesInTooMuch
          productsAndSums
          for dtype in [ torch.ScalarType.Float64; torch.ScalarType.Float32 ] do
              crowdedModels dtype ]
