/// Which times of a solution are kept, and what stands there.
module DiffEqLang.Tests.Runtime.SaveAtTests

open System
open DiffEqLang.Runtime
open DiffEqLang.Tests.Support.OdeMethods
open DiffEqLang.Tests.Support.Odes
open Expecto
open TorchSharp

let tests =
    testList
        "SaveAt"
        [ test "constant slopes are exact, both ways, at every saved time" {
              let equations = ode (fun _ y -> torch.full_like (y, scalar 2.0))

              for name in allMethods do
                  for times, start, expected in
                      [ [ 0.0; 3.0; 5.0 ], 1.0, [ 1.0; 7.0; 11.0 ]
                        [ 2.0; 0.5; -8.0 ], 9.0, [ 9.0; 6.0; -11.0 ] ] do
                      let found =
                          values
                              (solveWith (saving times (coarseMethod name)) equations (vector [ start ]))
                                  .Packed

                      Expect.isLessThan (distance found (Array.ofList expected)) 1e-9 name
          }

          test "saved times far apart, close together and repeated" {
              let times = [ 0.0; 0.0; 1e-9; 0.5; 0.5; 0.5000001; 1.0; 1.0 ]

              for coupling in [ StepCoupling.PerSample; StepCoupling.Batch ] do
                  for name in adaptiveMethods do
                      let options =
                          SolveOptions(
                              Save = SaveAt.Times(ReadOnlySpan(Array.ofList times)),
                              Method = tolerances name 1e-9 1e-9,
                              Coupling = coupling
                          )

                      let solution = solveWith options growth (matrix [ [ 1.0 ]; [ -2.0 ] ])

                      for i, t in List.indexed times do
                          let found = values (solution.Packed.select (0L, int64 i))
                          Expect.isLessThan (distance found [| exp t; -2.0 * exp t |]) 3e-7 $"{name} at {t}"
          }

          test "a grid and every step" {
              let grid =
                  solveWith
                      (SolveOptions(
                          Start = Nullable 0.0,
                          End = Nullable 2.0,
                          Save = SaveAt.Grid 5,
                          Method = fixedStep "rk4" 0.1
                      ))
                      growth
                      (vector [ 1.0 ])

              Expect.isLessThan (distance (values grid.Times) [| 0.0; 0.5; 1.0; 1.5; 2.0 |]) 1e-15 "grid"

              let steps =
                  solveWith
                      (SolveOptions(
                          Start = Nullable 0.0,
                          End = Nullable 1.0,
                          Save = SaveAt.Steps,
                          Method = fixedStep "rk4" 0.3
                      ))
                      growth
                      (matrix [ [ 1.0 ]; [ 2.0 ] ])

              Expect.isLessThan (distance (values steps.Times) [| 0.0; 0.3; 0.6; 0.9; 1.0 |]) 1e-15 "steps"
              Expect.equal steps.Packed.shape [| 5L; 2L; 1L |] "states"
              Expect.isLessThan (abs ((values steps.Packed).[9] - 2.0 * Math.E)) 1e-3 "the last is the end"

              Expect.throwsT<ArgumentException>
                  (fun () ->
                      solveWith
                          (SolveOptions(
                              Start = Nullable 0.0,
                              End = Nullable 1.0,
                              Save = SaveAt.Steps,
                              Method = Methods.Dopri5()
                          ))
                          growth
                          (matrix [ [ 1.0 ]; [ 2.0 ] ])
                      |> ignore)
                  "samples that step apart share no steps"
          }

          test "no time to solve over gives the initial state" {
              for name in allMethods do
                  let solution = solveWith (saving [ 1.0; 1.0 ] (anyMethod name)) growth (vector [ 3.0 ])
                  Expect.equal (values solution.Packed) [| 3.0; 3.0 |] name
                  Expect.isTrue solution.Succeeded name
          } ]
