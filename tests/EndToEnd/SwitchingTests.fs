/// The method `auto`, which changes between an explicit method and one for stiff equations.
module DiffEqLang.Tests.EndToEnd.SwitchingTests

open System
open Expecto
open TorchSharp
open DiffEqLang.Runtime
open DiffEqLang.Tableaux
open DiffEqLang.Tests.Support
open DiffEqLang.Tests.Support.Odes

/// Van der Pol's oscillator, of stiffness m in every sample of its own.
let private models =
    [ "Oscillator",
      "state x, y, m; param a = 1; dx/dt = y; dy/dt = m*(a - x^2)*y - x; dm/dt = 0; init x = 2; init y = 0; init m = 1; solve { method = auto(rtol = 1e-6, atol = 1e-8), dtype = float64 }" ]

let private assembly = lazy (GeneratedCode.ofModels "Switching.deq" models)
let private create () = GeneratedCode.create (assembly.Force()) "Oscillator"

let private solveFrom (model: DifferentialModel) (initial: torch.Tensor) (options: SolveOptions) =
    OdeSolve.Run(GeneratedCode.bind model, model.Layout, initial, options)

let private starts (stiffness: float list) =
    torch.tensor (array2D [ for m in stiffness -> [ 2.0; 0.0; m ] ], dtype = torch.float64)

let private upTo finish method = span 0.0 finish method
let private auto rtol = tolerances "auto" rtol (rtol * 1e-2)

let private names (solution: Solution) sample =
    [ for change in solution.MethodChanges[sample] -> change.Method ]

let private behaviour =
    [ test "what is not stiff is solved by tsit5, bit by bit" {
          use _ = torch.NewDisposeScope()
          use _ = torch.no_grad ()
          let model = create ()
          let solve method = solveFrom model (starts [ 1.0 ]) (upTo 20.0 method)
          let switching, fixed' = solve (auto 1e-6), solve (tolerances "tsit5" 1e-6 1e-8)
          Expect.equal (names switching 0) [ "tsit5" ] "no change"
          Expect.equal (values switching.LastState) (values fixed'.LastState) "the same numbers"
          Expect.isEmpty fixed'.MethodChanges "another method says nothing"
      }
      test "what is stiff is solved by rodas5p, its fast parts by tsit5" {
          use _ = torch.NewDisposeScope()
          use _ = torch.no_grad ()
          let model = create ()
          let solve method = solveFrom model (starts [ 1000.0 ]) (upTo 2000.0 method)
          let solution = solve (auto 1e-6)
          solution.EnsureSuccess()
          // Mazzia and Magherini (2008), test set for initial value problems.
          Expect.isLessThan (abs ((values solution.LastState)[0] - 1.706167732170483)) 1e-5 "the reference"
          let changes = [ for change in solution.MethodChanges[0] -> change.Time, change.Method ]

          Expect.equal
              (List.map snd changes)
              [ "tsit5"; "rodas5p"; "tsit5"; "rodas5p"; "tsit5"; "rodas5p" ]
              "the two jumps are fast, what lies between is stiff"

          Expect.isTrue (changes |> List.pairwise |> List.forall (fun ((t, _), (u, _)) -> t < u)) "in order"
          Expect.isLessThan solution.Statistics.Accepted[0] 1000L "few steps"
          Expect.isLessThan solution.Statistics.Jacobians 400L "and fewer Jacobians than steps"
          let implicit = solve (tolerances "rodas5p" 1e-6 1e-8)

          Expect.isLessThan
              solution.Statistics.Evaluations
              implicit.Statistics.Evaluations
              "cheaper than one method"
      }
      test "samples change on their own" {
          use _ = torch.NewDisposeScope()
          use _ = torch.no_grad ()
          let model = create ()
          let stiffness = [ 1.0; 300.0; 5.0; 1000.0 ]
          let save = SaveAt.Times(ReadOnlySpan [| 0.0; 0.3; 7.0; 90.0; 200.0 |])
          let options = SolveOptions(Save = save, Method = auto 1e-6)
          let together = solveFrom model (starts stiffness) options

          stiffness
          |> List.iteri (fun i m ->
              let alone = solveFrom model (starts [ m ]) options
              Expect.equal (names together i) (names alone 0) $"the methods of m = {m}"
              let difference = (together.Packed.select (1L, i) - alone.Packed.select (1L, 0L)).abs().max()
              Expect.isLessThan (difference.item<float>()) 1e-9 $"the states of m = {m}")

          Expect.equal (names together 0) [ "tsit5" ] "the gentle one"
          Expect.contains (names together 3) "rodas5p" "the stiff one"
      }
      test "gradients go through both methods" {
          use _ = torch.NewDisposeScope()
          let model = create ()
          let a = model.parameters () |> Seq.head

          let gradients name =
              let initial = (starts [ 100.0 ]).requires_grad_ true
              a.grad <- null
              let solution = solveFrom model initial (upTo 200.0 (tolerances name 1e-9 1e-11))
              (solution.Packed.select(-1L, 0L).sum()).backward()
              let result = values (torch.cat [| a.grad.reshape -1L; initial.grad.reshape -1L |])
              result, solution

          let switching, solution = gradients "auto"
          let implicit, _ = gradients "rodas5p"
          Expect.isGreaterThan (names solution 0).Length 3 "several changes"

          for found, expected in Array.zip switching implicit do
              Expect.isLessThan
                  (abs (found - expected))
                  (1e-5 * max 1.0 (abs expected))
                  $"{found}, {expected}"
      }
      test "a gradient of the scheme, by differences" {
          use _ = torch.NewDisposeScope()
          let model = create ()
          // Long enough to change, and so short that steps follow the start smoothly.
          let save = SaveAt.Times(ReadOnlySpan [| 0.0; 0.1; 1.0; 2.0 |])
          let options = SolveOptions(Save = save, Method = auto 1e-11)
          let loss (initial: torch.Tensor) = (solveFrom model initial options).Packed.select(-1L, 1L).sum()
          let initial = (starts [ 300.0; 2.0 ]).requires_grad_ true
          (loss initial).backward()
          use _ = torch.no_grad ()

          for sample in 0L .. 1L do
              let h = 1e-4
              let move = torch.zeros_like initial
              move[sample, 0L] <- torch.tensor (h, dtype = torch.float64)
              let at sign = (loss (initial.detach().add(move.mul (scalar sign), scalar 1.0))).item<float>()
              let difference = (at 1.0 - at -1.0) / (2.0 * h)
              let found = initial.grad[sample, 0L].item<float>()

              Expect.isLessThan
                  (abs (found - difference))
                  (1e-5 * max 1.0 (abs difference))
                  $"sample {sample}"
      } ]

let private rules =
    [ test "the boundary is that of tsit5's stability on the negative axis" {
          let tableau = Catalogue.Find "tsit5"

          /// R(z) = 1 + z Σ bᵢ kᵢ with kᵢ = 1 + z Σ aᵢⱼ kⱼ.
          let stability z =
              let k = Array.zeroCreate tableau.B.Count

              for i in 0 .. k.Length - 1 do
                  k[i] <- 1.0 + z * (Seq.zip tableau.A[i] k |> Seq.sumBy (fun (a, k) -> a * k))

              1.0 + z * (Seq.zip tableau.B k |> Seq.sumBy (fun (b, k) -> b * k))

          let boundary = SwitchingKernel.Boundary
          Expect.isLessThan (abs (stability (-boundary + 1e-3))) 1.0 "inside"
          Expect.isGreaterThan (abs (stability (-boundary - 1e-3))) 1.0 "outside"
      }
      test "what it refuses" {
          let equations = ode (fun _ y -> y)
          let start = vector [ 1.0 ]

          let refuses options (words: string) =
              Expect.throwsC (fun () -> solveWith options equations start |> ignore) (fun e ->
                  Expect.stringContains e.Message words "the reason")

          refuses
              (upTo 1.0 (Method("auto", Dt = Nullable 0.1, Adaptive = Nullable false)))
              "leave Adaptive out"

          refuses
              (SolveOptions(
                  Start = Nullable 0.0,
                  End = Nullable 1.0,
                  Method = Methods.Auto(),
                  Gradient = Nullable GradientMode.Backsolve
              ))
              "gradient = discrete"
      } ]

let tests = testList "Switching" (behaviour @ rules)
