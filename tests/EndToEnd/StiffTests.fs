/// Stiff problems to their published references, on tensors and on registers.
module DiffEqLang.Tests.EndToEnd.StiffTests

open System
open Expecto
open TorchSharp
open DiffEqLang.Runtime
open DiffEqLang.Tests.Support
open DiffEqLang.Tests.Support.Odes
open DiffEqLang.Tests.Support.StiffProblems

/// The largest relative error of a component at the end.
let private errorOf (method: string) rtol problem =
    use _ = torch.NewDisposeScope()
    let solution = solveOn SolveTarget.Torch method rtol problem
    let found = solution.LastState.data<float>().ToArray()

    List.map2 (fun (f: float) e -> abs (f - e) / abs e) (List.ofArray found) problem.Final
    |> List.max

let tests =
    testList
        "Stiff"
        [ for method, rtol, allowed in
              [ "radau", 1e-8, 1e-6
                "kvaerno5", 1e-8, 1e-5
                "kvaerno4", 1e-6, 1e-3
                "rodas5p", 1e-7, 1e-5
                "rodas4", 1e-6, 1e-3
                "rosenbrock23", 1e-4, 0.1
                "trbdf2", 1e-4, 0.1
                "bdf", 1e-8, 1e-4 ] do
              testList
                  method
                  [ for problem in problems do
                        test problem.Name {
                            Expect.isLessThan (errorOf method rtol problem) allowed "relative error"
                        } ]

          testList
              "methods on registers take the steps that they take on tensors"
              // Newton's iteration begins elsewhere on registers than on tensors, and what it leaves shows in the errors.
              [ for method, share, few in
                    [ "rodas5p", 0.02, 2.0
                      "rodas4", 0.02, 2.0
                      "rosenbrock23", 0.02, 2.0
                      "radau", 0.06, 6.0 ] do
                    for problem in problems do
                        test $"{method} {problem.Name}" {
                            use _ = torch.NewDisposeScope()
                            let rtol = if method = "rosenbrock23" then 1e-3 else 1e-5
                            let here = solveOn SolveTarget.Simd method rtol problem
                            let there = solveOn SolveTarget.Torch method rtol problem
                            let steps (solution: Solution) = float solution.Statistics.Accepted[0]

                            Expect.isLessThan
                                (abs (steps here - steps there))
                                (share * steps there + few)
                                "steps"

                            for a, b in Seq.zip (here.LastState.data<float>()) (there.LastState.data<float>()) do
                                Expect.isLessThan (abs (a - b)) (rtol * abs b + 1e-12) "state"
                        } ]

          test "three rates of a stiff reaction are learned from its solution to 1%" {
              let text =
                  """model Reaction {
                  state a, b, c
                  param rates : R[3] = [log(0.04), log(3e7), log(1e4)]
                  let k = exp(rates)
                  a' = -k[0]*a + k[2]*b*c
                  b' = k[0]*a - k[2]*b*c - k[1]*b^2
                  c' = k[1]*b^2
                  init a = 1
                  init b = 0
                  init c = 0
                  solve { t = 0 .. 1e5, method = kvaerno5(rtol = 1e-6, atol = 1e-11), dtype = float64 }
                  }"""

              use _ = torch.NewDisposeScope()
              let model = GeneratedCode.create (GeneratedCode.ofText "reaction.deq" text) "Reaction"
              let times = [| 0.0; 1e-4; 1e-2; 1.0; 1e2; 1e3; 1e5 |]

              let curve () =
                  let solution = model.Solve(options = SolveOptions(Save = SaveAt.Times(ReadOnlySpan times)))
                  solution.EnsureSuccess()
                  solution.Packed

              let seen = curve().detach()
              let scale = seen.amax ([| 0L |], true)
              let right = model.Value("rates").detach().clone()
              let off = torch.tensor ([| 0.3; -0.3; 0.3 |], dtype = torch.float64)
              model.SetValue("rates", right.add (off, Odes.scalar 1.0))

              let optimizer =
                  torch.optim.LBFGS(model.parameters (), 1.0, 25L, Nullable 25L, 1e-12, 1e-15, 10L)

              let loss () =
                  optimizer.zero_grad ()
                  let residual = ((curve ()).Minus seen).div scale
                  let loss = residual.Squared().mean()
                  loss.backward ()
                  GradientFault.ThrowIfAny()
                  loss.detach ()

              optimizer.step (System.Func<torch.Tensor> loss) |> ignore
              let found = model.Value("rates").detach()

              for a, b in Seq.zip (found.data<float>()) (right.data<float>()) do
                  Expect.isLessThan (abs (exp (a - b) - 1.0)) 0.01 "a rate"
          }

          test "gradients through a Rosenbrock method on registers are refused, and torch is named" {
              let text =
                  "model M {\nstate x\nparam k = 3\nx' = -k*x\ninit x = 1\nsolve { t = 0 .. 1, method = rodas5p, target = simd, dtype = float64 }\n}"

              let model = GeneratedCode.create (GeneratedCode.ofText "m.deq" text) "M"

              let message =
                  try
                      model.Solve() |> ignore
                      ""
                  with :? InvalidOperationException as e ->
                      e.Message

              Expect.stringContains message "SolveTarget.Torch" "message"
              use _ = torch.no_grad ()
              model.Solve().EnsureSuccess()
          } ]
