/// What `deqc explain` says: the notations, and that the adjoint it writes down is the derivative of the solution.
module DiffEqLang.Tests.Compiler.ExplainTests

open System
open System.Text.Json
open Expecto
open DiffEqLang.Contracts
open DiffEqLang.Compiler
open DiffEqLang.Compiler.Backends
open DiffEqLang.Compiler.Builtins
open DiffEqLang.Compiler.Backends.Explain.FormulaLine
open DiffEqLang.Compiler.Checking
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Dim
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Syntax
open DiffEqLang.Tests.Support.RandomExpr

let private wellFormed =
    testList
        "well-formed"
        [ for format in Compilation.ExplainFormats do
              test format {
                  for golden in GoldenTests.goldens.Value do
                      let struct (text, diagnostics) = Compilation.Explain(golden.Source, null, format)
                      Expect.isEmpty diagnostics ""
                      Expect.isGreaterThan text.Length 100 golden.Source.Path

                      if format = "json" then
                          use parsed = System.Text.Json.JsonDocument.Parse text

                          Expect.isGreaterThan
                              (parsed.RootElement.GetProperty("equations").GetArrayLength())
                              0
                              ""

                      let balance opening closing =
                          (text.Split(opening: string)).Length = (text.Split(closing: string)).Length

                      Expect.isTrue (balance "{" "}") (golden.Source.Path + ": braces pair up")

                      Expect.isTrue
                          (balance @"\left(" @"\right)")
                          (golden.Source.Path + ": parentheses pair up")
              } ]

let private events =
    test "an event shows what it watches, its rate along the solution and the states after it" {
        let golden = GoldenTests.goldens.Value |> List.find (fun g -> g.Source.Path = "events.deq")

        let explain format =
            let struct (text, _) = Compilation.Explain(golden.Source, null, format)
            text

        let expected =
            "Event falling(h)\n  watched = h\n  d watched/dt = h'\n  h' after = -(e*h')\n  count after = count + 1\n"

        Expect.stringContains (explain "text") expected "text"
        Expect.stringContains (explain "text") "Event rising(count - 10), where the solve stops\n" "stop"
        Expect.stringContains (explain "text") "Event at(3)\n" "an event without formulas"
        Expect.stringContains (explain "text") "Target: simd. The system is small" "and where it runs"

        for format in [ "markdown"; "latex" ] do
            Expect.stringContains (explain format) "At all multiples of 0.25 in time." format
            Expect.stringContains (explain format) @"\frac{\mathrm{d}g}{\mathrm{d}t}" format

        use json = JsonDocument.Parse(explain "json")

        Expect.equal
            [ for e in json.RootElement.GetProperty("events").EnumerateArray() ->
                  e.GetProperty("event").GetString() ]
            [ "falling(h)"
              "rising(t - tau)"
              "crossing(sum(q^2) - exp(tau))"
              "every(0.25)"
              "at(3)"
              "rising(count - 10)" ]
            "json"
    }

// The adjoint of an SDE

let private geometric calculus =
    sprintf
        """model Geometric {
  state s
  wiener W
  param mu    = 0.1
  param sigma = 0.3
  calculus %s
  ds = mu*s*dt + sigma*s*dW
}
"""
        calculus

let private explain text format =
    let struct (written, diagnostics) =
        Compilation.Explain(SourceFile("model.deq", text), null, format)

    Expect.isEmpty diagnostics ""
    written

let private contains (lines: string list) (text: string) =
    for line in lines do
        Expect.stringContains text line ""

let private notations =
    testList
        "the adjoint of an SDE"
        [ test "of an Itô SDE has the Stratonovich drift" {
              explain (geometric "ito") "text"
              |> contains
                  [ "Adjoint in the sense of Stratonovich, backwards from the loss\n"
                    "  drift of λ_s = 0.5*(λ_s*sigma^2) - λ_s*mu\n"
                    "  noise of λ_s = -(λ_s*dW*sigma)\n"
                    "Gradients, integrated over the solve in the sense of Stratonovich\n"
                    "  drift of dL/dmu = λ_s*s\n"
                    "  drift of dL/dsigma = -(λ_s*s*sigma)\n"
                    "  noise of dL/dsigma = λ_s*dW*s\n" ]
          }
          test "of a Stratonovich SDE has its own drift" {
              let text = explain (geometric "stratonovich") "text"
              text |> contains [ "  drift of λ_s = -(λ_s*mu)\n"; "  noise of λ_s = -(λ_s*dW*sigma)\n" ]
              Expect.isFalse (text.Contains "drift of dL/dsigma") "sigma is in the noise alone"
          }
          for format in [ "markdown"; "latex" ] do
              test format {
                  explain (geometric "ito") format
                  |> contains
                      [ @"f_{\lambda_{s}} &= 0.5 \, \lambda_{s} \, {\sigma}^{2} - \lambda_{s} \, \mu \\"
                        @"(g \circ \mathrm{d}W)_{\lambda_{s}} &= -\lambda_{s} \, \mathrm{d}W \, \sigma \\"
                        @"f_{\partial L / \partial \sigma} &= -\lambda_{s} \, s \, \sigma \\"
                        @"(g \circ \mathrm{d}W)_{\partial L / \partial \sigma} &= \lambda_{s} \, \mathrm{d}W \, s \\"
                        @"$\mathrm{d}\lambda = f_\lambda \, \mathrm{d}t + (g \circ \mathrm{d}W)_\lambda$" ]
              }
          test "json" {
              use json = JsonDocument.Parse(explain (geometric "ito") "json")

              let entries (property: string) =
                  [ for entry in json.RootElement.GetProperty(property).EnumerateArray() ->
                        entry.GetProperty("left").GetString(), entry.GetProperty("text").GetString() ]

              Expect.equal
                  (entries "adjoint")
                  [ "drift of λ_s", "0.5*(λ_s*sigma^2) - λ_s*mu"; "noise of λ_s", "-(λ_s*dW*sigma)" ]
                  ""

              Expect.equal
                  (entries "gradients" |> List.map fst)
                  [ "drift of dL/dmu"; "drift of dL/dsigma"; "noise of dL/dsigma" ]
                  ""

              let noise = json.RootElement.GetProperty "noise"
              Expect.equal (noise.GetProperty("adjointCalculus").GetString()) "Stratonovich" ""
          } ]

// What it says holds: the adjoint, integrated backwards along a path of the noise, is the derivative of the solution.

let private driven calculus =
    SourceFile(
        "driven.deq",
        sprintf
            """model Driven {
  state x : R[2], y
  wiener W
  param a = 0.7
  param b = 0.9
  calculus %s
  dx = (a*sin(x) - x*y)*dt + b*[cos(x[1]), x[0]*y]*dW
  dy = (x[0] - a*y)*dt + sqrt(b + y^2)*dW
}
"""
            calculus
    )

/// The explanation of the file's model, within the arena of the caller.
let private explanation (source: SourceFile) =
    let tree, _ = Reader.read source
    let models, errors = Check.models (CompileOptions()) tree
    Expect.isEmpty errors ""
    (Pipeline.run true None models.Head.Model).Model |> Explain.Explanation.ofModel

let private steps = 4_000
let private h = 1.0 / float steps

/// Increments of one scalar Wiener process.
let private path =
    let random = Random 3

    [| for _ in 1..steps ->
           // Box and Muller (1958).
           sqrt (-2.0 * h * log (1.0 - random.NextDouble()))
           * cos (2.0 * Math.PI * random.NextDouble()) |]

/// Values by the names of symbols; vectors are small arrays.
type private Values = Map<string, float[]>

let private axpy c (x: float[]) (y: float[]) : float[] = Array.map2 (fun x y -> y + c * x) x y

/// The part of an equation that a differential drives, by the left side it is written with; zero where none is written.
type private System(formulas: Formula list, names: Map<string, string * string>) =
    let find left = formulas |> List.tryFind (fun f -> f.Left = left)
    let parts = names |> Map.map (fun _ (drift, noise) -> find drift, find noise)

    let value (values: Values) (f: Formula) =
        let input (s: Symbol) = Tensor.ofArray (sizesOf s.Shape) values[s.Name]
        (evaluate input f.Right).Data

    /// f h + g dW of each variable.
    member _.Increments(values: Values, dW: float) : Values =
        let values = values |> Map.add "dW" [| dW |]

        parts
        |> Map.map (fun name (drift, noise) ->
            let zero = Array.map (fun _ -> 0.0) values[name]
            let ofDrift = drift |> Option.map (value values) |> Option.defaultValue zero
            let ofNoise = noise |> Option.map (value values) |> Option.defaultValue zero
            axpy h ofDrift ofNoise)

let private plus c (increments: Values) (values: Values) : Values =
    values
    |> Map.map (fun name value ->
        match increments.TryFind name with
        | Some increment -> axpy c increment value
        | None -> value)

/// Heun's scheme, which converges to the Stratonovich solution.
let private heun (system: System) (values: Values) dW =
    let first = system.Increments(values, dW)
    let second = system.Increments(plus 1.0 first values, dW)
    values |> plus 0.5 first |> plus 0.5 second

let private start: Values =
    Map [ "t", [| 0.0 |]; "x", [| 0.4; -0.3 |]; "y", [| 0.8 |]; "a", [| 0.7 |]; "b", [| 0.9 |] ]

let private loss (values: Values) = values["x"][0] + 2.0 * values["x"][1] + values["y"][0] ** 2.0

/// The cotangents of `loss`, under the names of `Derivatives.cotangents`.
let private atEnd (values: Values) : Values = Map [ "wX", [| 1.0; 2.0 |]; "wY", [| 2.0 * values["y"][0] |] ]

let private forwardSystem (x: Explain.Explanation.Explanation) calculus =
    let drifts =
        match calculus, x.OtherDrift with
        | "ito", Some(_, formulas) -> formulas
        | _ -> x.Equations

    let drift name = if calculus = "ito" then "Stratonovich drift of " + name else "drift of " + name
    let noises = x.Equations |> List.filter _.Left.StartsWith("noise")
    System(drifts @ noises, Map [ for name in [ "x"; "y" ] -> name, (drift name, "noise of " + name) ])

let private lossFrom system values = path |> Array.fold (heun system) values |> loss

let private differences system =
    let epsilon = 1e-5

    let along name i =
        let moved sign =
            start
            |> Map.add name (start[name] |> Array.mapi (fun j v -> if i = j then v + sign * epsilon else v))

        (lossFrom system (moved 1.0) - lossFrom system (moved -1.0)) / (2.0 * epsilon)

    [ along "x" 0; along "x" 1; along "y" 0; along "a" 0; along "b" 0 ]

/// The adjoint backwards along the states that the forward solve went through, its integrals by the trapezoidal rule.
let private backwards (x: Explain.Explanation.Explanation) (states: Values[]) =
    let adjoint =
        System(
            x.Adjoint.States,
            Map [ "wX", ("drift of λ_x", "noise of λ_x"); "wY", ("drift of λ_y", "noise of λ_y") ]
        )

    let gradients =
        System(
            x.Adjoint.Gradients,
            Map [ for p in [ "a"; "b" ] -> p, ("drift of dL/d" + p, "noise of dL/d" + p) ]
        )

    let together (cotangents: Values) (values: Values) = Map.foldBack Map.add cotangents values
    let mutable cotangents = atEnd states[steps]
    let mutable sums = Map [ "a", [| 0.0 |]; "b", [| 0.0 |] ]

    for i in steps - 1 .. -1 .. 0 do
        let later = together cotangents states[i + 1]
        let first = adjoint.Increments(later, path[i])
        let predicted = together (plus -1.0 first cotangents) states[i]
        let second = adjoint.Increments(predicted, path[i])
        cotangents <- cotangents |> plus -0.5 first |> plus -0.5 second
        let earlier = together cotangents states[i]

        sums <-
            sums
            |> plus 0.5 (gradients.Increments(later, path[i]))
            |> plus 0.5 (gradients.Increments(earlier, path[i]))

    [ cotangents["wX"][0]
      cotangents["wX"][1]
      cotangents["wY"][0]
      sums["a"][0]
      sums["b"][0] ]

let private holds =
    testList
        "the adjoint of an SDE is the derivative of its solution"
        [ for calculus in [ "ito"; "stratonovich" ] do
              test calculus {
                  Arena.Run(fun () ->
                      let x = explanation (driven calculus)
                      let system = forwardSystem x calculus
                      let states = path |> Array.scan (heun system) start
                      let expected = differences system
                      let actual = backwards x states
                      // Heun's scheme has strong order one under one noise: a few steps' length.
                      for e, a in List.zip expected actual do
                          Expect.isLessThan
                              (abs (e - a) / max 1.0 (abs e))
                              (20.0 * h)
                              (sprintf "%g is %g" a e))
              } ]

// Notation

let private written =
    let matrix rows = rows |> List.map (List.map Build.number >> Build.stack) |> Build.stack
    let a, b = variable "A" [ 2; 2 ], variable "B" [ 2; 2 ]
    let x, y = variable "x" [ 2 ], variable "y" [ 2 ]
    let s = variable "s" []

    [ "a matrix by its rows",
      matrix [ [ 1.0; 2.0 ]; [ 3.0; 4.0 ] ],
      "[[1, 2], [3, 4]]",
      @"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}"
      "rows that are vectors",
      Build.stack [ x; y ],
      "[x, y]",
      @"\begin{pmatrix} {x}^{\top} \\ {y}^{\top} \end{pmatrix}"
      "a product inside a matrix product",
      Build.matmul (Build.mul a b) x,
      "A*B @ x",
      @"\left(A \odot B\right) \, x"
      "a matrix product inside a product",
      Build.mul (Build.matmul a x) y,
      "A @ x*y",
      @"\left(A \, x\right) \odot y"
      "an outer product inside a product",
      Build.mul a (Build.outer x y),
      "A*outer(x, y)",
      @"A \odot \left(x \otimes y\right)"
      "by a transpose", Build.contract [ 1 ] [ 1 ] a b, "A @ B.T", @"A \, {B}^{\top}"
      "of transposes", Build.contract [ 0 ] [ 1 ] a b, "A.T @ B.T", @"{A}^{\top} {B}^{\top}"
      "a trace", Build.trace (Build.matmul a b), "trace(A @ B)", @"\operatorname{tr}\left(A \, B\right)"
      "a multiple of the identity",
      Build.diagonalMatrix (Build.filled (shapeOf [ 2 ]) -1.0),
      "-identity(2)",
      "-I"
      "a sum that scales", Build.mul (Build.sumAll x) y, "sum(x)*y", @"\left(\sum x\right) \, y"
      "over one axis", Build.sum [ 0 ] a, "sum(A, axis = 0)", @"\sum_{\text{axis }0} A"
      "a negative multiple", Build.scale -2.0 (Build.add x y), "-2*(x + y)", @"-2 \, \left(x + y\right)"
      "the inverse of a sum",
      Catalogue.call "inv" [] [ Build.add a b ],
      "inv(A + B)",
      @"{\left(A + B\right)}^{-1}"
      "a scaled vector in a matrix product", Build.matmul a (Build.mul s x), "A @ (s*x)", @"A \, s \, x" ]
    |> List.map (fun (title, e, plain, latex) ->
        test title {
            Expect.equal (Latex.Plain.plainWith (fun _ -> None) e) plain ""
            Expect.equal (Latex.Formula.latex e) latex ""
        })

let tests =
    testList "Explain" [ wellFormed; events; notations; holds; testList "notation" written ]
