/// What solvers are held to on DETEST, and on Arenstorf's orbit.
module DiffEqLang.Tests.Runtime.DetestTests

open System
open DiffEqLang.Runtime
open DiffEqLang.Tests.Support.Detest
open DiffEqLang.Tests.Support.Odes
open Expecto
open TorchSharp

/// The largest error at the end, in units of the tolerance.
let errorWith (method: Method) (case: Case) : float =
    let final = finalState (span 0.0 20.0 method) case.Equations (vector case.Initial)
    let error = List.map2 (-) (List.ofArray final[.. case.Final.Length - 1]) case.Final |> largest
    error / method.Rtol.Value

let errorOf (name: string) (tolerance: float) = errorWith (tolerances name tolerance tolerance)

/// How many times the tolerance the error may be. On the D problems, by the norm of their fundamental matrices from each step to the
/// end, an error of a step arrives there 80 (D1) to 530 (D5) times as large, and there are 70 to 165 steps: what is measured,
/// here and in other codes (below), is a fifth or less of what these errors could add up to. Of the jumps of the F problems an
/// error estimate sees what its stages happen to meet: SciPy's RK45 and DOP853 err there by up to 3922 and 564.
let allowance (method: string) (case: Case) =
    match method, case.Name[0] with
    | "dopri8", 'D' -> 300.0
    // A step that ends just behind a jump sees it in one of k slopes, with a weight of a hundredth.
    | "adams", 'F' -> 100000.0
    | "adams", 'D' -> 3000.0
    | "adams", _ -> 300.0
    | _, 'D' -> 1000.0
    | _, 'F' -> 5000.0
    | "bosh3", _ -> 300.0
    | _ -> 100.0

let methods =
    [ "bosh3", [ 1e-6 ]
      "dopri5", [ 1e-6; 1e-9 ]
      "tsit5", [ 1e-6; 1e-9 ]
      "vern6", [ 1e-6; 1e-9 ]
      "vern7", [ 1e-6; 1e-9; 1e-12 ]
      "dopri8", [ 1e-6; 1e-9; 1e-12 ]
      "vern9", [ 1e-6; 1e-9; 1e-12 ]
      "adams", [ 1e-6; 1e-9; 1e-12 ] ]

let tests =
    testList
        "Detest"
        [ testList
              "error within a fixed multiple of the tolerance"
              [ for name, allowed in methods do
                    for case in classA @ classB @ classC @ classD @ classE @ classF do
                        test $"{name} {case.Name}" {
                            for tolerance in allowed do
                                Expect.isLessThan
                                    (errorOf name tolerance case)
                                    (allowance name case)
                                    $"at {tolerance}"
                        } ]

          testList
              "under integral control the orbits' errors are those of SciPy"
              [ // Of solve_ivp of SciPy 1.10.1 with rtol = atol, in units of the tolerance, D1 to D5. It steps as we do but for the
                // controller, so that agreement checks tableaux, norm, first step and step factors together.
                let published =
                    [ "bosh3", 1e-6, [ 481.7; 577.9; 390.6; 88.5; 624.0 ] // RK23
                      "dopri5", 1e-6, [ 901.9; 651.6; 181.3; 96.6; 422.7 ] // RK45
                      "dopri5", 1e-9, [ 233.7; 257.5; 239.8; 255.7; 443.5 ]
                      "dopri8", 1e-6, [ 79.4; 240.0; 58.2; 91.9; 150.9 ] // DOP853
                      "dopri8", 1e-9, [ 19.2; 100.5; 95.6; 108.6; 70.6 ] ]

                for name, tolerance, errors in published do
                    test $"{name} at {tolerance}" {
                        let method = tolerances name tolerance tolerance

                        let integral =
                            Method(
                                name,
                                Rtol = method.Rtol,
                                Atol = method.Atol,
                                Controller = StepController.I
                            )

                        for case, expected in List.zip classD errors do
                            let found = errorWith integral case

                            Expect.isLessThan
                                (abs (found - expected))
                                (0.01 * expected + 0.1)
                                $"{case.Name}: {found}"
                    } ]

          test "the orbits agree with the published values" {
              // TOMS 648, D3 and D5.
              let published =
                  [ 2, [ -0.5780432953035361; 0.8633840009194193; -0.9595083730380727; -0.06504915126712090 ]
                    4, [ -1.295266250987574; 0.4003938963792322; -0.6775390924707566; -0.1270838154278686 ] ]

              for i, expected in published do
                  Expect.isLessThan (List.map2 (-) classD[i].Final expected |> largest) 1e-13 classD[i].Name
          }

          testList
              "a tighter tolerance gives a smaller error"
              [ for name in [ "dopri5"; "tsit5"; "vern6"; "vern7"; "dopri8"; "vern9" ] do
                    test name {
                        for case in [ classA[3]; classB[4]; classD[2] ] do
                            // The first steps of vern9 at 1e-3 are those at 1e-5.
                            let loosest = if name = "vern9" then 1e-5 else 1e-3

                            let errors =
                                [ for tolerance in
                                      [ 1e-3; 1e-5; 1e-7; 1e-9; 1e-11 ] |> List.filter (fun x -> x <= loosest) ->
                                      tolerance * errorOf name tolerance case ]

                            for coarse, fine in List.pairwise errors do
                                Expect.isLessThan fine (0.5 * coarse + 1e-13) $"{case.Name}: {errors}"
                    } ]

          test "Arenstorf's orbit closes" {
              let mu = 0.012277471
              let mu' = 1.0 - mu

              let equations =
                  components (fun _ y ->
                      let cubed shift = (add ((plus shift y[0]).Squared()) (y[1].Squared())).pow(scalar 1.5)
                      let d1, d2 = cubed mu, cubed -mu'

                      let acceleration (position: Tensor) coriolis (earth: Tensor) (moon: Tensor) =
                          sub
                              (sub (add position coriolis) (scale mu' (earth.div d1)))
                              (scale mu (moon.div d2))

                      [ y[2]
                        y[3]
                        acceleration y[0] (scale 2.0 y[3]) (plus mu y[0]) (plus -mu' y[0])
                        acceleration y[1] (scale -2.0 y[2]) y[1] y[1] ])

              let start = [ 0.994; 0.0; 0.0; -2.00158510637908252240537862224 ]

              let final =
                  finalState
                      (span 0.0 17.0652165601579625588917206249 (tolerances "dopri8" 1e-13 1e-13))
                      equations
                      (vector start)
              // The orbit is unstable: an error of one rounding at the start grows by 10^5 or more to the end.
              Expect.isLessThan (distance final (Array.ofList start)) 1e-6 "back at the start"
          } ]
