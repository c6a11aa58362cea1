/// The continuous adjoint's own ways: what it costs, and where it says that it is wrong.
module DiffEqLang.Tests.Runtime.BacksolveTests

open System
open DiffEqLang.Runtime
open DiffEqLang.Tests.Support.Gradients
open DiffEqLang.Tests.Support.Odes
open Expecto
open TorchSharp

/// The same equations, counting the evaluations of their right-hand side.
let private counting (equations: OdeEquations) =
    let count = ref 0

    let counted =
        differentiableOde
            (List.ofSeq equations.Parameters)
            (fun t x ->
                count.Value <- count.Value + 1
                equations.Drift(t, x))
            (fun t x w into -> equations.DriftVjp(t, x, w, into))

    counted, count

let tests =
    testList
        "Backsolve"
        [ test "goes on with the forward solve's step, and over saved times with its own" {
              let equations, count = counting (spiral (trained (matrix [ [ -0.1; 2.0 ]; [ -2.0; -0.1 ] ])))

              let options =
                  SolveOptions(
                      Save = SaveAt.Times(ReadOnlySpan [| for i in 0..9 -> 0.025 * float i |]),
                      Method = tolerances "dopri5" 1e-5 1e-7,
                      Gradient = Nullable GradientMode.Backsolve
                  )

              let solution = solveWith options equations (trained (matrix [ [ 1.0; 0.2 ]; [ 0.3; -1.0 ] ]))
              count.Value <- 0
              backward (solution.Packed.sum ())
              // One step of dopri5 in each of nine intervals: the slope at its start and six stages.
              Expect.equal count.Value (9 * 7) "evaluations"
          }

          testSequenced
          <| test "tensors alive do not grow with the steps" {
              expectBounded (SolveOptions(Gradient = Nullable GradientMode.Backsolve)) "euler" 100L
          }

          testList
              "warns where the state cannot be solved backwards"
              [ let warningsOf equations (times: float list) method (x0: Tensor) =
                    let warnings = ResizeArray<SolveWarning>()

                    let options =
                        SolveOptions(
                            Save = SaveAt.Times(ReadOnlySpan(Array.ofList times)),
                            Method = method,
                            Gradient = Nullable GradientMode.Backsolve,
                            Warned = Action<_> warnings.Add
                        )

                    backward ((solveWith options equations (trained x0)).Packed.sum())
                    List.ofSeq warnings

                let decay rate = linear (matrix [ [ -rate ] ])
                let adaptive = tolerances "dopri5" 1e-6 1e-8

                /// v' = v - v^3/3 - w + 0.5, w' = e (v + 0.7 - 0.8 w): a fast variable drawn to a slow one's curve.
                let fitzHughNagumo =
                    let e = 0.02

                    differentiableOde
                        []
                        (fun _ x ->
                            let v, w = part x 0, part x 1
                            let cube = scale (1.0 / 3.0) (v.pow (scalar 3.0))

                            pack
                                [ plus 0.5 (v.Minus(cube).Minus w)
                                  scale e ((plus 0.7 v).Minus(scale 0.8 w)) ])
                        (fun _ x cotangent _ ->
                            let a, b = part cotangent 0, part cotangent 1
                            let slope = plus 1.0 ((part x 0).Squared().neg())

                            pack [ (a.mul slope).Plus(scale e b); (a.neg ()).Minus(scale (0.8 * e) b) ])

                let expectUnstable where (warnings: SolveWarning list) =
                    match warnings with
                    | [ :? UnstableBacksolve as found ] ->
                        Expect.equal found.Time where "where"
                        Expect.isGreaterThan found.Deviation 1000.0 "by how much"
                    | other -> failtest $"{other}"

                test "a fast decay" {
                    warningsOf (decay 100.0) [ 0.0; 0.5; 1.0 ] adaptive (matrix [ [ 1.0 ] ])
                    |> expectUnstable 0.5
                }

                test "one sample of a batch" {
                    // x' = -r x with the rate r a state that stays.
                    let decays =
                        differentiableOde
                            []
                            (fun _ x ->
                                let r = part x 1
                                pack [ ((part x 0).mul r).neg(); torch.zeros_like r ])
                            (fun _ x w _ ->
                                let w = part w 0
                                pack [ (w.mul (part x 1)).neg(); (w.mul (part x 0)).neg() ])

                    let withRates rates =
                        warningsOf decays [ 0.0; 0.5 ] adaptive (matrix [ for r in rates -> [ 1.0; r ] ])

                    Expect.isEmpty (withRates [ 1.0; 2.0; 3.0 ]) "tame ones"
                    withRates [ 1.0; 100.0; 2.0 ] |> expectUnstable 0.0
                }

                test "FitzHugh and Nagumo's neuron" {
                    Expect.isNonEmpty
                        (warningsOf fitzHughNagumo [ 0.0; 50.0 ] adaptive (matrix [ [ -1.0; 1.0 ] ]))
                        "one long interval"
                }

                test "steps too large to go back" {
                    warningsOf (decay 1.0) [ 0.0; 1.0 ] (fixedStep "euler" 0.1) (matrix [ [ 1.0 ] ])
                    |> expectUnstable 0.0
                }

                test "not where it is sound" {
                    let spiral = spiral (matrix [ [ -0.1; 2.0 ]; [ -2.0; -0.1 ] ])
                    let times = [ for i in 0..9 -> 0.025 * float i ]
                    let start = matrix [ [ 2.0; 0.0 ]; [ 0.3; -1.0 ] ]

                    Expect.isEmpty
                        (warningsOf spiral times (tolerances "dopri5" 1e-7 1e-9) start)
                        "the spiral"

                    Expect.isEmpty
                        (warningsOf (decay 1.0) [ 0.0; 1.0 ] adaptive (matrix [ [ 1.0 ] ]))
                        "a slow decay"

                    Expect.isEmpty
                        (warningsOf
                            (decay 100.0)
                            [ for i in 0..50 -> 0.02 * float i ]
                            adaptive
                            (matrix [ [ 1.0 ] ]))
                        "a fast decay that starts anew often"

                    Expect.isEmpty
                        (warningsOf (decay 1.0) [ 0.0; 1.0 ] (fixedStep "rk4" 0.1) (matrix [ [ 1.0 ] ]))
                        "fixed steps"
                }

                test "in single precision rounding is no reason" {
                    let a = (matrix [ [ -0.1; 2.0 ]; [ -2.0; -0.1 ] ]).``to`` torch.float32
                    let start = (matrix [ [ 2.0; 0.0 ] ]).``to`` torch.float32

                    Expect.isEmpty
                        (warningsOf (spiral a) [ 0.0; 0.1; 0.2 ] (tolerances "dopri5" 1e-7 1e-12) start)
                        "the spiral"
                } ]

          test "what nobody listens to is written once of each kind" {
              use writer = new System.IO.StringWriter()
              let warning = UnstableBacksolve(0.5, 1e6)
              warning.WriteOnce writer
              warning.WriteOnce writer
              Expect.equal (writer.ToString()) $"warning: {warning.Message}{writer.NewLine}" "written"
          } ]
