/// Which entries of a Jacobian the compiler finds to be other than zero.
module DiffEqLang.Tests.Compiler.SparsityTests

open Expecto
open DiffEqLang.Contracts
open DiffEqLang.Compiler
open DiffEqLang.Compiler.Syntax
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Passes
open DiffEqLang.Compiler.Checking

/// What is found of a model of these statements.
let private pattern (statements: string) =
    Arena.Run(fun () ->
        let text = sprintf "model M {\n%s\n}" (statements.Replace("; ", "\n"))
        let tree, _ = Reader.read (SourceFile("m.deq", text))
        let models, diagnostics = Check.check (CompileOptions()) tree

        match models with
        | [ model ] -> Sparsity.analyse (Pipeline.run true None model).Model
        | _ -> failtestf "%A" diagnostics)

let private runs statements =
    [ for run in (pattern statements).Value.Runs -> run.Count, List.ofArray run.Offsets ]

let private has name statements expected = test name { Expect.equal (runs statements) expected statements }

let private generated (statements: string) =
    let text = sprintf "model M {\n%s\n}" (statements.Replace("; ", "\n"))
    let result = Compilation.Compile(SourceFile("m.deq", text), CompileOptions())
    Expect.isEmpty result.Diagnostics statements
    result.Files |> Seq.map _.Text |> String.concat "\n"

let private diffusion =
    "const D = 0.1; state c : R[100]; dc/dt = D*(concat(c[1..100], 0) - 2*c + concat(0, c[0..99])) + c*(1 - c)"

let tests =
    testList
        "Sparsity"
        [ has "neighbours on a line" diffusion [ 1, [ 0; 1 ]; 98, [ -1; 0; 1 ]; 1, [ -1; 0 ] ]

          has
              "neighbours on a ring, and a second field"
              "state u, v : R[5]; du/dt = concat(u[1..5], u[0]) - v; dv/dt = u^2"
              [ 4, [ 1; 5 ]; 1, [ -4; 5 ]; 5, [ -5 ] ]

          has
              "a scalar reads a sum"
              "state s; state x : R[3]; ds/dt = sum(x); dx/dt = s*x"
              [ 1, [ 1; 2; 3 ]; 1, [ -1; 0 ]; 1, [ -2; 0 ]; 1, [ -3; 0 ] ]

          has
              "a product with a matrix reads all of a row"
              "param A : R[2, 2] = [[1, 2], [3, 4]]; state x : R[2]; dx/dt = A @ x"
              [ 1, [ 0; 1 ]; 1, [ -1; 0 ] ]

          test "the rows of a matrix of states" {
              let found = runs "state X : R[2, 3]; dX/dt = -X*X[1, 2]"
              Expect.equal found ([ for place in 0..4 -> 1, [ 0; 5 - place ] ] @ [ 1, [ 0 ] ]) "runs"
          }

          test "a derivative without states has none" {
              Expect.equal (runs "state x : R[4]; dx/dt = [t, t, t, t]") [ 4, [] ] "runs"
          }

          test "sizes that the caller gives leave it open" {
              Expect.isNone (pattern "dim n; state x : R[n]; dx/dt = -x") "pattern"
          }

          test "explain counts it" {
              let text = sprintf "model M {\n%s\n}" (diffusion.Replace("; ", "\n"))
              let struct (explanation, _) = Compilation.Explain(SourceFile("m.deq", text), null, "text")
              Expect.stringContains explanation "298 of 10000 entries" "text"
          }

          test "generated code has it where it is worth its while" {
              for part in [ "SparsityPattern JacobianPattern"; "(98, [-1, 0, 1])" ] do
                  Expect.stringContains (generated diffusion) part "a line"

              for dense in
                  [ "state x : R[100]; dx/dt = sum(x) - x"
                    "state x : R[8]; dx/dt = -x"
                    "state x : R[300]; dx/dt = -x/(1 + sum(x^2))" ] do
                  Expect.isFalse ((generated dense).Contains "JacobianPattern") dense
          } ]
