/// Methods that users give as files.
module DiffEqLang.Tests.Runtime.TableauFileTests

open System
open DiffEqLang.Runtime
open DiffEqLang.Tableaux
open DiffEqLang.Tests.Support.Odes
open Expecto
open TorchSharp

let private heun =
    """{ "name": "mine", "order": 2, "a": [[], [1]], "b": ["1/2", 0.5], "b_hat": [1, 0] }"""

let private kutta =
    """{
      // Comments are welcome.
      "name": "classical", "order": 4, "citation": "Kutta (1901)",
      "a": [[0, 0, 0, 0], ["1/2", 0, 0, 0], [0, "1/2", 0, 0], [0, 0, 1, 0]],
      "b": ["1/6", "1/3", "1/3", "1/6"], "c": [0, 0.5, 0.5, 1],
    }"""

let private rotation = ode (fun _ y -> torch.stack ([| part y 1; (part y 0).neg() |], -1L))

let private refused name (json: string) (words: string) =
    test name {
        try
            RungeKuttaTableau.FromJson json |> ignore
            failtest "it is taken"
        with :? FormatException as e ->
            Expect.stringContains e.Message words "message"
    }

let tests =
    testList
        "Tableau files"
        [ test "the classical method from a file is the built-in one, bit for bit" {
              use _ = torch.NewDisposeScope()
              let mine = Methods.Rk(RungeKuttaTableau.FromJson kutta, dt = Nullable 0.1)
              let solved method = finalState (span 0.0 2.0 method) rotation (vector [ 1.0; 0.0 ])
              Expect.sequenceEqual (solved mine) (solved (Methods.Rk4 0.1)) "states"
          }

          test "a pair adapts its steps" {
              use _ = torch.NewDisposeScope()
              let mine = Methods.Rk(RungeKuttaTableau.FromJson heun, Nullable 1e-7, Nullable 1e-9)
              let found = finalState (span 0.0 2.0 mine) rotation (vector [ 1.0; 0.0 ])
              Expect.isLessThan (distance found [| cos 2.0; -(sin 2.0) |]) 1e-5 "states"
          }

          test "a dense output of one's own" {
              // y + h (θ - θ²/2) k₁ + h θ²/2 k₂, of order 2.
              let json =
                  heun.Replace("\"b_hat\"", "\"dense\": [[1, -0.5], [0, 0.5]], \"dense_order\": 2, \"b_hat\"")

              let tableau = RungeKuttaTableau.FromJson json
              Expect.sequenceEqual (tableau.DenseWeights 0.5) [ 0.375; 0.125; 0.0 ] "weights"
          }

          test "its identity tells coefficients apart, where a built-in method's is its name" {
              let identity (json: string) = (RungeKuttaTableau.FromJson json).Identity
              let ralston = """{ "name": "mine", "order": 2, "a": [[], ["2/3"]], "b": [0.25, 0.75] }"""
              Expect.equal (identity heun) (identity heun) "the same file"
              Expect.notEqual (identity heun) (identity ralston) "another one of the name"
              Expect.equal (Catalogue.Find "rk4").Identity "rk4" "built in"
          }

          refused "no JSON" "rk4" "not JSON"
          refused "no object" "[1]" "a tableau is an object"
          refused "an unknown property" """{ "nome": "x" }""" "no property \"nome\""
          refused "no name" """{ "order": 1 }""" "\"name\" is missing"
          refused
              "the name of a method that there is"
              (heun.Replace("mine", "rk4"))
              "which is a method already"
          refused "an order that is none" (heun.Replace("\"order\": 2", "\"order\": 0")) "from 1 to 12"
          refused "a row too few" (heun.Replace("[[], [1]]", "[[]]")) "a has 1 rows, and b has 2 weights"
          refused
              "a row too short"
              (heun.Replace("[[], [1]]", "[[], []]"))
              "row 1 of a has 0 entries, and needs 1"
          refused
              "an implicit stage"
              (heun.Replace("[[], [1]]", "[[], [0, 1]]"))
              "row 1 of a has an entry in column 1"
          refused
              "no number"
              (heun.Replace("1/2", "one half"))
              "\"one half\", which is neither a number nor a fraction"
          refused "weights that do not sum to 1" (heun.Replace("0.5", "0.4")) "sum to 1"
          refused "wrong nodes" (kutta.Replace("0.5, 0.5, 1]", "0.5, 0.4, 1]")) "c[2] is 0.4"
          refused
              "an order that the solution has not"
              (heun.Replace("\"order\": 2", "\"order\": 3"))
              "the solution is not of the order 3"
          refused
              "a condition, by its tree"
              (kutta.Replace("[0, 0, 1, 0]", "[0, \"1/2\", \"1/2\", 0]"))
              "for the tree [[[τ]]] of 4 vertices"
          refused
              "an order that the error has not"
              (heun.Replace("\"b_hat\"", "\"error_order\": 2, \"b_hat\""))
              "b_hat is not of the order 2"
          refused
              "an order that the dense output has not"
              (heun.Replace("\"b_hat\"", "\"dense\": [[1, -0.5], [0, 0.5]], \"dense_order\": 3, \"b_hat\""))
              "the dense output is not of the order 3" ]
