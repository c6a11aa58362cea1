/// Which part of a system methods that split take implicitly.
module DiffEqLang.Tests.Compiler.SplittingTests

open Expecto
open DiffEqLang.Contracts
open DiffEqLang.Compiler
open DiffEqLang.Compiler.Syntax
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Dynamics
open DiffEqLang.Compiler.Checking

/// A model of these statements, for kencarp4 unless they say otherwise: what is split, and the parts of each derivative as text.
let private split (statements: string) =
    Arena.Run(fun () ->
        let solve = if statements.Contains "solve" then "" else "\nsolve { method = kencarp4 }"

        let text = sprintf "model M {\n%s%s\n}" (statements.Replace("; ", "\n")) solve
        let tree, _ = Reader.read (SourceFile("m.deq", text))
        let models, diagnostics = Check.check (CompileOptions()) tree

        match models with
        | [ model ] ->
            let system = (Pipeline.run true None model).Model

            system.Splitting,
            [ for c in system.Components do
                  let parts = partsOf c
                  Print.inlined parts.Explicit, Print.inlined parts.Implicit ]
        | _ -> failtestf "%A" diagnostics)

let private splits name statements splitting parts =
    test name { Expect.equal (split statements) (splitting, parts) statements }

let private marked name statements parts = splits name statements Marked parts
let private linear name statements parts = splits name statements LinearTerms parts

let private nothing = "no term is linear in the states with constant coefficients"

let tests =
    testList
        "Splitting"
        [ marked "a marked term" "state x; dx/dt = implicit { -100*x } + cos(t)" [ "cos(t)", "-100 * x" ]
          marked "one behind a minus" "state x; dx/dt = cos(t) - implicit { x^3 }" [ "cos(t)", "-(x ^ 3)" ]
          marked
              "within brackets and signs"
              "state x; dx/dt = -(cos(t) - (implicit { x } + 2))"
              [ "2 - cos(t)", "x" ]
          marked
              "several"
              "state x; dx/dt = implicit { x } + sin(x) + implicit { x^2 }"
              [ "sin(x)", "x + (x ^ 2)" ]
          marked "a whole right side" "state x; dx/dt = implicit { -x }" [ "0", "-x" ]
          marked
              "a scalar term of a vector"
              "state x : R[2]; dx/dt = x + implicit { 3 }"
              [ "x", "broadcast[R[2] along ](3)" ]
          marked
              "a block of equations, each on the whole"
              "state x, y; implicit { dx/dt = -x; dy/dt = x - y }"
              [ "0", "-x"; "0", "x - y" ]
          marked
              "a state that reads another one, unmarked"
              "state x, y; dx/dt = implicit { -x }; dy/dt = x"
              [ "0", "-x"; "x", "0" ]
          marked
              "of a second-order equation the velocity's"
              "state q; d2q/dt2 = implicit { -1e4*q } - q'^3"
              [ "q'", "0"; "-(q' ^ 3)", "-10000 * q" ]
          marked
              "whatever the method"
              "state x; dx/dt = implicit { -x } + 1; solve { method = tsit5 }"
              [ "1", "-x" ]
          marked
              "derivatives of a network"
              "state x : R[2]; let V = sum(x^4); dx/dt = implicit { -grad(V, x) } + x"
              [ "x", "-4 * (x ^ 3)" ]

          linear "linear terms" "state x; param k = 2; dx/dt = -k*x + x^2 + 1" [ "(x ^ 2) + 1", "-(k * x)" ]
          linear
              "those of another state"
              "state x, y; dx/dt = 3*y; dy/dt = x*y"
              [ "0", "3 * y"; "x * y", "0" ]
          linear
              "matrix products"
              "state x : R[3]; param A : R[3, 3] ~ orthogonal; dx/dt = A @ x - x^3"
              [ "-(x ^ 3)", "contract[1; 0](A, x)" ]
          linear
              "elements that are joined"
              "state x : R[2]; dx/dt = [2*x[1], sin(x[0]) + x[0]]"
              [ "[0, sin(x[0])]", "[2 * x[1], x[0]]" ]
          linear
              "terms in brackets behind a factor"
              "state x; dx/dt = 5*(x + sin(x))"
              [ "5 * sin(x)", "5 * x" ]

          for name, statements in
              [ "coefficients of time", "state x; dx/dt = -t*x"
                "coefficients of states", "state x, y; dx/dt = x*y; dy/dt = 1"
                "nothing of a state", "state x; dx/dt = sin(t)" ] do
              test $"no linear terms: {name}" {
                  Expect.equal (fst (split statements)) (Unsplit nothing) statements
              }

          test "nothing is looked for where the method does not split" {
              let statements = "state x; dx/dt = -x; solve { method = tsit5 }"
              Expect.equal (fst (split statements)) (Unsplit "its method does not split") statements
          } ]
