/// Models in two parts, from the text to the solution.
module DiffEqLang.Tests.EndToEnd.SplitModelTests

open System
open Expecto
open TorchSharp
open DiffEqLang.Runtime
open DiffEqLang.Tests.EndToEnd.Deqc
open DiffEqLang.Tests.Support
open DiffEqLang.Tests.Support.Odes

/// The Brusselator on a line of 64 points, whose diffusion is stiff: marked, found by the compiler, and two parts of another kind.
let private models =
    let brusselator (diffusion: string -> string) =
        String.concat
            "; "
            [ "dim n = 64"
              "state u, v : R[n]"
              "param D : R = 0.02 in (0, inf)"
              "const h = 0.0153846153846"
              "let one = [1]"
              "let du = (concat(u[1..n], one) - 2*u + concat(one, u[0..n - 1]))/h^2"
              "let dv = (concat(v[1..n], 3*one) - 2*v + concat(3*one, v[0..n - 1]))/h^2"
              "let r = u^2*v"
              sprintf "du/dt = %s + 1 + r - 4*u" (diffusion "D*du")
              sprintf "dv/dt = %s + 3*u - r" (diffusion "D*dv")
              "init u = 1"
              "init v = 3"
              "solve { t = 0 .. 4, method = kencarp4(rtol = 1e-6, atol = 1e-8), dtype = float64 }" ]

    [ "Marked", brusselator (sprintf "implicit { %s }")
      "Found", brusselator id
      "Coupled",
      "state x : R[3], y; param A : R[3, 3] ~ normal(0, 1); param k = 3; dx/dt = implicit { A @ tanh(x) - k*y^2*x } + sin(t)*x; "
      + "dy/dt = -y + implicit { sum(x)*cos(t) } - k*y; init x = 1; init y = 0.5"
      "Reset",
      "state x; param k = 20; dx/dt = implicit { -k*x } + sin(t)*x^2; when falling(x - 0.2) { x := 1 + t }; init x = 1; "
      + "solve { t = 0 .. 0.5, method = kencarp4, dtype = float64 }"
      "Spectral",
      "state v : R[6]; param rates : R[6] ~ uniform(1, 50); param k = 3; dv/dt = -rates*v + k*sin(t)*tanh(v) + k; "
      + "init v = 1; solve { t = 0 .. 2, method = etdrk4(dt = 0.05), dtype = float64 }" ]

let private assembly = lazy (GeneratedCode.ofModels "split_models.deq" models)

/// Where a model starts: the lines from half a wave, the others as they say.
let private startOf (name: string) =
    if name = "Marked" || name = "Found" then
        let x = torch.arange (1.0, 65.0, dtype = torch.float64) |> scale (Math.PI / 65.0)
        readOnlyDict [ "u", plus 1.0 (scale 1.5 (x.sin ())); "v", plus 3.0 (scale -1.0 (x.sin ())) ]
    else
        null

let private solve (options: SolveOptions) (name: string) =
    let solution = (GeneratedCode.create assembly.Value name).Solve(startOf name, options)

    solution.EnsureSuccess()
    solution

let private byMethod method = SolveOptions(Method = method)

/// Solved as a whole, to rounding.
let private reference =
    lazy (values (solve (byMethod (tolerances "radau" 1e-10 1e-12)) "Marked").LastState)

let private equations =
    lazy (GeneratedCode.bind (GeneratedCode.create assembly.Value "Coupled"))

let private somewhere () =
    torch.manual_seed 5L |> ignore
    torch.rand ([| 2L; 4L |], dtype = torch.float64), torch.tensor ([| 0.3; 1.7 |], dtype = torch.float64)

let tests =
    testList
        "SplitModels"
        [ for name in [ "Marked"; "Found" ] do
              test $"{name}: diffusion on a line is solved in the steps of the reaction" {
                  use _ = torch.NewDisposeScope()
                  use _ = torch.no_grad ()
                  let solution = solve (SolveOptions()) name
                  Expect.isLessThan (distance (values solution.LastState) reference.Value) 1e-4 "error"
                  let steps = solution.Statistics.Accepted[0] + solution.Statistics.Rejected[0]
                  let explicitly = (solve (byMethod (tolerances "tsit5" 1e-6 1e-8)) name).Statistics
                  Expect.isLessThan (5L * steps) explicitly.Accepted[0] "steps"
              }

          test "both splittings are the same equations" {
              use _ = torch.NewDisposeScope()
              use _ = torch.no_grad ()
              let last name = values (solve (byMethod (fixedStep "kencarp3" 0.1)) name).LastState
              // The compiler takes the reaction's linear terms implicitly too.
              Expect.isLessThan (distance (last "Marked") (last "Found")) 0.1 "solutions"
              Expect.isGreaterThan (distance (last "Marked") (last "Found")) 1e-9 "of two methods"
          }

          test "exponential methods solve the reaction in steps that diffusion does not bound" {
              use _ = torch.NewDisposeScope()
              use _ = torch.no_grad ()

              let error dt =
                  distance
                      (values (solve (byMethod (fixedStep "etdrk4" dt)) "Found").LastState)
                      reference.Value
              // Euler's steps are bound to half the grid's spacing squared over the diffusion: 6e-3.
              let coarse, fine = error 0.05, error 0.025
              Expect.isLessThan fine 1e-5 $"{coarse}, {fine}"
              Expect.isGreaterThan (Math.Log2(coarse / fine)) 3.0 $"{coarse}, {fine}"
          }

          test "the linear part's form is found" {
              let form name =
                  (GeneratedCode.bind (GeneratedCode.create assembly.Value name)).ImplicitStructure

              Expect.equal (form "Found") (Nullable LinearStructure.General) "diffusion"
              Expect.equal (form "Spectral") (Nullable LinearStructure.Diagonal) "rates"
              Expect.equal (form "Coupled") (Nullable()) "nonlinear"
              // The ends of the line are constants within the mark.
              Expect.equal (form "Marked") (Nullable()) "not homogeneous"
          }

          test "the implicit part's Jacobian is sparse where the marked terms are" {
              let pattern name =
                  (GeneratedCode.bind (GeneratedCode.create assembly.Value name)).ImplicitJacobianPattern

              let marked = pattern "Marked"
              // Three diagonals of each block, less the ends.
              Expect.equal marked.Count (2 * (3 * 64 - 2)) "marked"
              // And the terms of the reaction that are linear in u.
              Expect.equal (pattern "Found").Count (2 * (3 * 64 - 2) + 64) "found"
          }

          test "the parts are the drift" {
              use _ = torch.NewDisposeScope()
              let state, time = somewhere ()
              let e = equations.Value
              let sum = (e.ExplicitDrift(time, state)).Plus(e.ImplicitDrift(time, state))
              Expect.isLessThan (distance (values sum) (values (e.Drift(time, state)))) 1e-14 "drift"

              let w = torch.rand ([| 2L; 4L |], dtype = torch.float64)

              let product (vjp: ParameterGradients -> Tensor) =
                  let into = ParameterGradients(e.Parameters, null)
                  let state = vjp into
                  values state, [ for i in 0 .. e.Parameters.Count - 1 -> values into[i] ]

              let whole, wholeParameters = product (fun into -> e.DriftVjp(time, state, w, into))

              let parts, partsParameters =
                  product (fun into ->
                      (e.ExplicitDriftVjp(time, state, w, into))
                          .Plus(e.ImplicitDriftVjp(time, state, w, into)))

              Expect.isLessThan (distance parts whole) 1e-14 "products"

              for ofParts, ofWhole in List.zip partsParameters wholeParameters do
                  Expect.isLessThan (distance ofParts ofWhole) 1e-13 "parameters' gradients"
          }

          for name, method in
              [ "Marked", fixedStep "kencarp4" 0.1
                "Found", fixedStep "kencarp3" 0.1
                "Coupled", fixedStep "kencarp5" 0.1
                "Coupled", fixedStep "imex_euler" 0.1
                "Found", fixedStep "etdrk4" 0.1
                "Spectral", fixedStep "etdrk4" 0.1
                "Spectral", fixedStep "etd1" 0.1 ] do
              test $"{name}, {method.Name}: gradients are those of the scheme" {
                  use _ = torch.NewDisposeScope()
                  torch.manual_seed 3L |> ignore
                  let model = GeneratedCode.create assembly.Value name
                  let options = SolveOptions(Start = Nullable 0.0, End = Nullable 1.0, Method = method)
                  let parameters = model.parameters () |> List.ofSeq
                  let directions = parameters |> List.map torch.randn_like

                  let loss () =
                      let solution = model.Solve(startOf name, options)
                      solution.EnsureSuccess()
                      (solution.Packed.select(0L, -1L).Squared()).sum()

                  Gradients.backward (loss ())

                  let exact =
                      List.map2
                          (fun (p: TorchSharp.Modules.Parameter) (d: Tensor) ->
                              (p.grad.mul d).sum().item<float>())
                          parameters
                          directions
                      |> List.sum

                  let measured =
                      Gradients.differences (fun s ->
                          use _ = torch.no_grad ()

                          let move sign =
                              for p, d in List.zip parameters directions do
                                  p.add_ ((d: Tensor), scalar (sign * s)) |> ignore

                          move 1.0
                          let value = (loss ()).item<float>()
                          move -1.0
                          value)

                  Expect.isLessThan
                      (abs (exact - measured) / max 1.0 (abs exact))
                      1e-7
                      $"{exact}, differences {measured}"
              }

          for name in [ "kencarp4"; "etdrk4" ] do
              test $"{name}: values and gradients go through events" {
                  use _ = torch.NewDisposeScope()
                  let model = GeneratedCode.create assembly.Value "Reset"

                  let loss (method: Method) =
                      let solution = model.Solve(options = byMethod method)
                      solution.EnsureSuccess()
                      Expect.isGreaterThan solution.Events[0].Count 2 "events"
                      solution.Packed.select(0L, -1L).sum()

                  let k = model.parameters () |> Seq.exactlyOne

                  let gradient method =
                      model.zero_grad ()
                      let value = loss method
                      Gradients.backward value
                      value.item<float>(), k.grad.item<float>()

                  let value, byRate = gradient (fixedStep name 1e-3)
                  let expected, expectedByRate = gradient (tolerances "dopri8" 1e-12 1e-13)
                  Expect.floatClose { absolute = 0.0; relative = 1e-7 } value expected "value"
                  Expect.floatClose { absolute = 0.0; relative = 1e-6 } byRate expectedByRate "by the rate"
              }

          test "a caller may take a method that splits where parts are marked, and is told where none are" {
              use _ = torch.NewDisposeScope()
              use _ = torch.no_grad ()

              let plain =
                  GeneratedCode.ofModels
                      "plain.deq"
                      [ "Plain", "state x; dx/dt = -x; init x = 1; solve { t = 0 .. 1, target = torch }" ]

              let model = GeneratedCode.create plain "Plain"

              Refusals.says "are not split" (fun () ->
                  model.Solve(options = byMethod (Methods.KenCarp4())) |> ignore)

              solve (byMethod (Methods.KenCarp5())) "Marked" |> ignore
          }

          let file =
              "model Stiff {\n  state x\n  param k = 200\n  dx/dt = -k*x + k*cos(t)*x^2\n  init x = 0.5\n"
              + "  solve { t = 0 .. 1, method = tsit5, dtype = float64 }\n}\n"

          for method in [ "kencarp4"; "etdrk4" ] do
              testCase $"deqc finds the parts for {method} on the command line: run and grad"
              <| inFolder (fun folder ->
                  let path = write folder "stiff.deq" file
                  let by method = [ "--method"; method; "--dt"; "0.001"; "--json" ]

                  let last (method: string list) =
                      let x =
                          jsonOf (deqc ([ "run"; path; "--t"; "0..0.05" ] @ method)) |> at "states" |> at "x"

                      number x[x.GetArrayLength() - 1]

                  let expected =
                      last [ "--method"; "dopri8"; "--rtol"; "1e-12"; "--atol"; "1e-14"; "--json" ]

                  Expect.floatClose
                      { absolute = 1e-6; relative = 1e-6 }
                      (last (by method))
                      expected
                      "x(0.05)"

                  let gradient (method: string list) =
                      jsonOf (deqc ([ "grad"; path; "--loss"; "x"; "--t"; "0..0.05" ] @ method))
                      |> at "gradients"
                      |> at "k"
                      |> number

                  let exact =
                      gradient [ "--method"; "dopri8"; "--rtol"; "1e-12"; "--atol"; "1e-14"; "--json" ]

                  Expect.floatClose { absolute = 1e-7; relative = 1e-5 } (gradient (by method)) exact "by k")

          testCase "deqc explain shows the stiff part, and where it comes from"
          <| inFolder (fun folder ->
              let path = write folder "stiff.deq" (file.Replace("tsit5", "kencarp4"))
              let explained format = (deqc [ "explain"; path; "--format"; format ]).Output
              Expect.stringContains (explained "text") "stiff part of dx/dt = -(k*x)" "text"

              Expect.stringContains
                  (explained "markdown")
                  "linear in the states with constant coefficients"
                  "Markdown"

              use json = System.Text.Json.JsonDocument.Parse(explained "json")
              Expect.equal (json.RootElement.GetProperty("stiff").GetArrayLength()) 1 "JSON"
              let other = write folder "other.deq" file

              Expect.isFalse
                  ((deqc [ "explain"; other ]).Output.Contains "Stiff part")
                  "where the method does not split") ]
