/// A solve as a node of autograd's graph: what it takes, hands out, refuses and leaves behind.
module DiffEqLang.Tests.Runtime.AutogradTests

open System
open DiffEqLang.Runtime
open DiffEqLang.Tests.Support.Gradients
open DiffEqLang.Tests.Support.Odes
open Expecto
open TorchSharp

let tests =
    testList
        "Autograd"
        [ test "a second backward pass solves again and adds the same" {
              let w, b, x0, _ = networkInputs ()
              let x = trained x0
              let solution = solveWith (saving [ 0.0; 1.0 ] (tolerances "tsit5" 1e-8 1e-8)) (network w b) x
              let loss = solution.Packed.sum ()
              loss.backward (retain_graph = true)
              let once = gradientOf x
              backward (loss)
              expectNear 1e-14 (once |> Array.map (fun g -> 2.0 * g)) (gradientOf x) "twice"
          }

          test "an exception in the backward pass does not end the process and is thrown at the next solve" {
              let broken =
                  differentiableOde [] (fun _ x -> x) (fun _ _ _ _ -> failwith "no derivative today")

              let x = trained (vector [ 1.0 ])
              let options = span 0.0 1.0 (fixedStep "euler" 0.5)
              (solveWith options broken x).Packed.sum().backward()
              Expect.equal (gradientOf x) [| 0.0 |] "a gradient that changes nothing"

              let error =
                  Expect.throwsT<Exception>
                      (fun () -> solveWith options broken (vector [ 1.0 ]) |> ignore)
                      "next solve"

              ignore error
              (solveWith options broken (trained (vector [ 1.0 ]))).Packed.sum().backward()
              Expect.throws (fun () -> GradientFault.ThrowIfAny()) "or when asked"
              GradientFault.ThrowIfAny() // once only
          }

          test "gradients of gradients are refused in words" {
              let x = trained (vector [ 1.0 ])
              let equations = differentiableOde [] (fun _ x -> x) (fun _ _ w _ -> w)

              (solveWith (span 0.0 1.0 (fixedStep "euler" 0.5)) equations x)
                  .Packed.sum()
                  .backward(create_graph = true)

              try
                  GradientFault.ThrowIfAny()
                  failtest "nothing was thrown"
              with :? NotSupportedException as e ->
                  Expect.stringContains e.Message "create_graph" "message"
          }

          test "what a solve hands out is of use to autograd and to in-place updates" {
              for mode in modes do
                  for save in [ SaveAt.End; SaveAt.Steps; SaveAt.Times(ReadOnlySpan [| 0.0; 0.4; 1.0 |]) ] do
                      let w, b, x0, _ = networkInputs ()
                      let x, weight = trained x0, trained (torch.ones_like x0)

                      let options =
                          SolveOptions(
                              Start = Nullable 0.0,
                              End = Nullable 1.0,
                              Save = save,
                              Method = tolerances "tsit5" 1e-6 1e-6,
                              Coupling = StepCoupling.Batch,
                              Gradient = Nullable mode
                          )

                      let solution = solveWith options (network (trained w) b) x
                      let last = solution.Packed.select (0, -1L)
                      backward ((last.mul(weight).mul solution.LastState).sum())

                      expectNear
                          1e-14
                          (values (solution.LastState.Squared()))
                          (gradientOf weight)
                          "through the product"

                      x.grad.mul_ (scalar 0.5) |> ignore
                      Expect.isGreaterThan (largest (gradientOf x)) 0.0 "initial state"
          }

          test "nothing is recorded where no gradient is wanted" {
              let w, b, x0, _ = networkInputs ()
              let options = span 0.0 1.0 (fixedStep "rk4" 0.1)
              Expect.isFalse (solveWith options (network w b) x0).Packed.requires_grad "no input wants one"
              use _ = torch.no_grad ()

              Expect.isFalse
                  (solveWith options (network (trained w) b) (trained x0)).Packed.requires_grad
                  "no_grad"
          }

          test "only what is asked for gets a gradient" {
              let w, b, x0, _ = networkInputs ()
              let b' = trained b
              let solution = solveWith (span 0.0 1.0 (tolerances "tsit5" 1e-6 1e-6)) (network w b') x0
              backward (solution.Packed.sum ())
              Expect.isNull w.grad "frozen parameter"
              Expect.isNull x0.grad "initial state"
              Expect.isGreaterThan (largest (gradientOf b')) 0.0 "trained parameter"
          }

          testSequenced (
              test "thousands of training steps leave no tensors behind" {
                  let w, b, x0, _ = networkInputs ()
                  let w', x' = trained w, trained x0

                  let trainingStep mode =
                      use _ = torch.NewDisposeScope()

                      let options =
                          SolveOptions(
                              Save = SaveAt.Times(ReadOnlySpan [| 0.0; 0.2; 0.5 |]),
                              Method = tolerances "bosh3" 1e-3 1e-3,
                              Gradient = Nullable mode
                          )

                      let solution = solveWith options (network w' b) x'
                      backward (solution.Packed.sum ())
                      w'.grad.zero_ () |> ignore

                  let live () =
                      for _ in 1..3 do
                          GC.Collect()
                          GC.WaitForPendingFinalizers()

                      torch.Tensor.TotalCount

                  for mode in modes do
                      for _ in 1..3 do
                          trainingStep mode

                  let before = live ()

                  for _ in 1..600 do
                      trainingStep GradientMode.Discrete

                  for mode in [ GradientMode.Backsolve; GradientMode.Interpolated; GradientMode.Forward ] do
                      for _ in 1..20 do
                          trainingStep mode

                  Expect.isLessThan (live () - before) 20L "tensors alive"
              }
          ) ]
