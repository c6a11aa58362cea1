/// The variational equations carried along with a solve.
module DiffEqLang.Tests.Runtime.ForwardTests

open System
open DiffEqLang.Contracts
open DiffEqLang.Compiler
open DiffEqLang.Runtime
open DiffEqLang.Tests.Support
open DiffEqLang.Tests.Support.Gradients
open DiffEqLang.Tests.Support.Odes
open Expecto
open TorchSharp

let private names = [ for tableau in DiffEqLang.Tableaux.Catalogue.All -> tableau.Name ]

let private forward save method coupling =
    SolveOptions(
        Start = Nullable 0.0,
        End = Nullable 1.0,
        Save = save,
        Method = method,
        Coupling = coupling,
        Gradient = Nullable GradientMode.Forward
    )

/// x' = -exp(k) x from x = 2 a_1 and y' = x a: a bounded parameter, computed with before the solve, and one that the start depends on.
let private decay =
    lazy
        (let text =
            "model Decay {
               state x
               state y : R[2]
               param k in (0, 1) = 0.3
               param a : R[2] = 0.5
               dx/dt = -exp(k)*x
               dy/dt = x*a
               init x = 2*a[1]
               init y = 0
               solve { method = vern7(rtol = 1e-11, atol = 1e-12), gradient = forward, t = 0 .. 1, dtype = float64 }
             }"

         let result = Compilation.Compile(SourceFile("decay.deq", text), CompileOptions())
         Expect.isEmpty result.Diagnostics "no diagnostics"
         let compilation, _ = GeneratedCode.compile [ for f in result.Files -> f.FileName, f.Text ]
         GeneratedCode.load compilation)

let tests =
    testList
        "Forward"
        [ testList
              "is exact for the scheme"
              [ for name in names do
                    for coupling in [ StepCoupling.PerSample; StepCoupling.Batch ] do
                        for save, what in
                            [ SaveAt.Times(ReadOnlySpan [| 0.0; 0.07; 0.5; 1.0 |]), "inside the steps"
                              SaveAt.Steps, "every step" ] do
                            test $"{name} {coupling}, saved at {what}" {
                                expectExactGradient (forward save (fixedStep name 0.13) coupling)
                            } ]

          test "steps of their own, and rejected ones: the discrete gradient" {
              // What a Jacobian becomes along a direction is a central difference here.
              for name, tolerance in [ "dopri5", 1e-11; "kvaerno5", 1e-11; "radau", 1e-11; "rodas5p", 1e-8 ] do
                  let gradients mode =
                      let w, b, x0, _ = networkInputs ()
                      let w, b, x0 = trained w, trained b, trained (scale 8.0 x0)

                      let options =
                          SolveOptions(
                              Save = SaveAt.Times(ReadOnlySpan [| 0.0; 0.4; 1.3; 3.0 |]),
                              Method = tolerances name 1e-6 1e-8,
                              Gradient = Nullable mode
                          )

                      let solution = solveWith options (network w b) x0
                      let steps = Seq.distinct solution.Statistics.Accepted |> Seq.length
                      Expect.isGreaterThan steps 1 "they do step apart"
                      backward (solution.Packed.sin().sum())
                      Array.concat [ gradientOf w; gradientOf b; gradientOf x0 ]

                  expectNear tolerance (gradients GradientMode.Discrete) (gradients GradientMode.Forward) name
          }

          test "a symplectic method moves its parts by turns" {
              let gradient mode =
                  let x0, k = trained (matrix [ [ 1.0; 0.2 ]; [ 0.3; -1.0 ] ]), trained (vector [ 1.3 ])
                  let positions = [| struct (0L, 1L) |] :> System.Collections.Generic.IReadOnlyList<_>

                  let equations =
                      { new OdeEquations() with
                          member _.Parameters = [| k |]
                          member _.Positions = positions
                          member _.Drift(_, x) = pack [ part x 1; ((part x 0).sin().mul k).neg() ]

                          member _.DriftVjp(_, x, v, into) =
                              into.Add(0, ((part v 1).mul((part x 0).sin()).neg()).unsqueeze -1L)
                              pack [ (part v 1).mul((part x 0).cos()).mul(k).neg(); part v 0 ] }

                  let options =
                      SolveOptions(
                          Save = SaveAt.Times(ReadOnlySpan [| 0.0; 0.44; 3.0 |]),
                          Method = fixedStep "yoshida4" 0.1,
                          Gradient = Nullable mode
                      )

                  backward ((solveWith options equations x0).Packed.Squared().sum())
                  Array.append (gradientOf x0) (gradientOf k)

              expectNear 1e-12 (gradient GradientMode.Discrete) (gradient GradientMode.Forward) "gradient"
          }

          test "derivatives of the saved states, by parameters and by the initial state" {
              use _ = torch.NewDisposeScope()
              let model = GeneratedCode.create decay.Value "Decay"
              let times = [| 0.0; 0.25; 1.0 |]
              let solution = model.Solve(options = SolveOptions(Save = SaveAt.Times(ReadOnlySpan times)))
              let rate, start = exp 0.3, 1.0
              let x t = start * exp (-rate * t)
              // y = a start (1 - exp(-rate t)) / rate, with start = 2 a_1
              let m t = (1.0 - exp (-rate * t)) / rate
              let dm t = (rate * t * exp (-rate * t) - 1.0 + exp (-rate * t)) / rate // by k: rate d/drate
              let byK, byA = solution.Sensitivity "k", solution.Sensitivity "a"
              Expect.equal (List.ofArray byK.shape) [ 3L; 3L ] "a number's"
              Expect.equal (List.ofArray byA.shape) [ 3L; 3L; 2L ] "a vector's"

              for i, t in Array.indexed times do
                  expectNear
                      1e-9
                      [ -rate * t * x t; 0.5 * dm t; 0.5 * dm t ]
                      (values (byK.select (0L, int64 i)))
                      $"by k at {t}"

                  expectNear
                      1e-9
                      [ 0.0; 2.0 * exp (-rate * t); m t; m t; 0.0; 2.0 * m t ]
                      (values (byA.select (0L, int64 i)))
                      $"by a at {t}"
          }

          test "derivatives by the initial state, of each sample" {
              let x0 = trained (matrix [ [ 1.0; 2.0 ]; [ 0.5; -1.0 ] ])

              let options =
                  forward
                      (SaveAt.Times(ReadOnlySpan [| 0.0; 1.0 |]))
                      (tolerances "vern9" 1e-12 1e-12)
                      StepCoupling.PerSample

              let solution = solveWith options (linear (matrix [ [ -0.3; -1.2 ]; [ 1.2; -0.3 ] ])) x0
              let decay, c, s = exp -0.3, cos 1.2, sin 1.2
              let ofFlow = [ decay * c; -decay * s; decay * s; decay * c ]
              let unit = [ 1.0; 0.0; 0.0; 1.0 ]
              expectNear 1e-10 (unit @ unit @ ofFlow @ ofFlow) (values solution.InitialSensitivity) "flow"
          }

          test "what is refused" {
              let solve (options: SolveOptions) () =
                  solveWith options (linear (matrix [ [ -1.0 ] ])) (vector [ 1.0 ]) |> ignore

              let switching =
                  forward SaveAt.End (Methods.Auto(Nullable 1e-6, Nullable 1e-8)) StepCoupling.PerSample

              Refusals.says "changes between two methods" (solve switching)

              let discrete =
                  solveWith
                      (span 0.0 1.0 (fixedStep "rk4" 0.1))
                      (linear (matrix [ [ -1.0 ] ]))
                      (trained (vector [ 1.0 ]))

              Refusals.says "GradientMode.Forward" (fun () -> discrete.InitialSensitivity |> ignore)
              Refusals.says "GradientMode.Forward" (fun () -> discrete.Sensitivity "k" |> ignore)
          } ]
