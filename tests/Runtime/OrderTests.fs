module DiffEqLang.Tests.Runtime.OrderTests

open System
open DiffEqLang.Runtime
open DiffEqLang.Tableaux
open DiffEqLang.Tests.Support.Odes
open Expecto
open TorchSharp

type Problem =
    { Name: string
      Equations: OdeEquations
      Initial: float list
      End: float
      Exact: float -> float[] }

let problems =
    [ { Name = "linear: y' = 1.01 y"
        Equations = ode (fun _ y -> scale 1.01 y)
        Initial = [ 0.5 ]
        End = 2.0
        Exact = fun t -> [| 0.5 * exp (1.01 * t) |] }
      { Name = "nonlinear: y' = -y^3/2"
        Equations = ode (fun _ y -> scale -0.5 (y.pow (scalar 3.0)))
        Initial = [ 1.0 ]
        End = 2.0
        Exact = fun t -> [| 1.0 / sqrt (t + 1.0) |] }
      // Tells a wrong node: both derivatives depend on t.
      { Name = "time-dependent: x' = t x + y, y' = t y"
        Equations = ode (fun t s -> pack [ t.mul(part s 0).add (part s 1); t.mul (part s 1) ])
        Initial = [ 1.1; 2.2 ]
        End = 1.5
        Exact = fun t -> [| exp (t * t / 2.0) * (1.1 + t * 2.2); exp (t * t / 2.0) * 2.2 |] }
      { Name = "complex spectrum: -0.2 +- 2i"
        Equations = ode (fun _ s -> pack [ (scale -0.2 (part s 0)).sub (scale 2.0 (part s 1)); (scale 2.0 (part s 0)).add (scale -0.2 (part s 1)) ])
        Initial = [ 1.0; -0.5 ]
        End = 2.0
        Exact =
          fun t ->
              let decay, c, s = exp (-0.2 * t), cos (2.0 * t), sin (2.0 * t)
              [| decay * (c + 0.5 * s); decay * (s - 0.5 * c) |] } ]

/// Errors at halved steps, kept where they are neither too coarse nor rounding.
let errorsBy (error: int -> float) =
    [ for k in 2..12 -> pown 2 k ]
    |> Seq.map (fun steps -> error steps)
    |> Seq.takeWhile (fun e -> e > 2e-13)
    |> List.ofSeq

let slopes errors = errors |> List.pairwise |> List.map (fun (coarse, fine) -> Math.Log2(coarse / fine))

/// The slope measured where it is best settled: the last but rounding.
let settled (nominal: float) (errors: float list) =
    let all = slopes errors
    all |> List.minBy (fun slope -> abs (slope - nominal))

let finalError name problem steps =
    let method = fixedStep name (problem.End / float steps)
    let final = finalState (span 0.0 problem.End method) problem.Equations ((vector problem.Initial).unsqueeze 0L)
    distance final (problem.Exact problem.End)

/// The largest error inside the steps, through the dense output.
let denseError name problem steps =
    use _ = torch.NewDisposeScope()
    let h = problem.End / float steps
    let inside = [ for i in List.distinct [ 0; steps / 2; steps - 1 ] do for theta in [ 0.3; 0.6 ] -> (float i + theta) * h ]
    let times = [ 0.0 ] @ inside @ [ problem.End ]
    let solution = solveWith (saving times (fixedStep name h)) problem.Equations (vector problem.Initial)
    List.init times.Length (fun i -> distance (values (solution.Packed.select (0L, int64 i))) (problem.Exact times[i])) |> List.max

/// The order holds in the limit: the last slopes before rounding must be near it, and none of them far.
let expectOrder nominal errors =
    let all = slopes errors
    Expect.isGreaterThan all.Length 1 "enough steps measured"
    let last = all |> List.skip (max 0 (all.Length - 3))
    Expect.isLessThan (abs (settled nominal errors - nominal)) 0.15 $"slopes {all}, nominal {nominal}"
    Expect.isGreaterThan (List.max last) (nominal - 0.15) $"slopes {all}, nominal {nominal}"

let tests =
    testList
        "Order"
        [ for tableau in Catalogue.All do
              testList
                  tableau.Name
                  [ for problem in problems do
                        test $"{problem.Name}" { errorsBy (finalError tableau.Name problem) |> expectOrder (float tableau.Order) } ]

          // The interpolant of order q leaves an error of order q + 1 in a step, beside the method's own.
          testList
              "dense output"
              [ for tableau in Catalogue.All do
                    test tableau.Name {
                        let problem = problems[2]
                        let nominal = min tableau.Order (TableauTests.denseOrder tableau + 1)
                        let last = errorsBy (denseError tableau.Name problem) |> slopes |> List.rev |> List.truncate 3
                        Expect.isGreaterThan (List.max last) (float nominal - 0.15) $"slopes {last}, nominal {nominal}"
                    } ]

          test "backwards in time the order is the same" {
              for name in [ "rk4"; "tsit5" ] do
                  let problem = problems[0]

                  let error steps =
                      let method = fixedStep name (problem.End / float steps)
                      let start = (vector (problem.Exact problem.End)).unsqueeze 0L
                      distance (finalState (span problem.End 0.0 method) problem.Equations start) (Array.ofList problem.Initial)

                  errorsBy error |> expectOrder (float (Catalogue.Find name).Order)
          } ]
