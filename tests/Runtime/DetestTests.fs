/// The DETEST problems of classes A to D: Hull, Enright, Fellen and Sedgwick (1972), Comparing numerical methods for ordinary
/// differential equations, SIAM J. Numer. Anal. 9; Enright and Pryce (1987), ACM TOMS 13 (algorithm 648).
module DiffEqLang.Tests.Runtime.DetestTests

open System
open DiffEqLang.Runtime
open DiffEqLang.Tests.Support.Odes
open Expecto
open TorchSharp

type Case =
    {
        Name: string
        Equations: OdeEquations
        Initial: float list
        /// The state at t = 20, or its first entries.
        Final: float list
    }

let mul (a: Tensor) (b: Tensor) = a.mul b
let sub (a: Tensor) (b: Tensor) = a.Minus b
let add (a: Tensor) (b: Tensor) = a.Plus b

/// Equations by components.
let components (drift: Tensor -> Tensor list -> Tensor list) : OdeEquations =
    ode (fun t state -> List.init (int (state.size -1)) (part state) |> drift t |> pack)

/// y' = A y.
let linear (rows: float list list) : OdeEquations =
    let transposed = (matrix rows).t()
    ode (fun _ state -> state.matmul transposed)

let classA =
    [ { Name = "A1"
        Equations = ode (fun _ y -> y.neg ())
        Initial = [ 1.0 ]
        Final = [ exp -20.0 ] }
      { Name = "A2"
        Equations = ode (fun _ y -> scale -0.5 (y.pow (scalar 3.0)))
        Initial = [ 1.0 ]
        Final = [ 1.0 / sqrt 21.0 ] }
      { Name = "A3"
        Equations = components (fun t y -> [ mul y[0] (t.cos ()) ])
        Initial = [ 1.0 ]
        Final = [ exp (sin 20.0) ] }
      { Name = "A4"
        Equations = ode (fun _ y -> mul (scale 0.25 y) (plus 1.0 (scale -0.05 y)))
        Initial = [ 1.0 ]
        Final = [ 20.0 / (1.0 + 19.0 * exp -5.0) ] }
      { Name = "A5"
        Equations = components (fun t y -> [ (sub y[0] t).div(add y[0] t) ])
        Initial = [ 4.0 ]
        Final = [ -0.7887826688964014 ] } ]

let classB =
    [ { Name = "B1"
        Equations =
          components (fun _ y ->
              let both = mul y[0] y[1]
              [ scale 2.0 (sub y[0] both); sub both y[1] ])
        Initial = [ 1.0; 3.0 ]
        Final = [ 0.6761876008576607; 0.1860816099640030 ] }
      { Name = "B2"
        Equations = linear [ [ -1.0; 1.0; 0.0 ]; [ 1.0; -2.0; 1.0 ]; [ 0.0; 1.0; -1.0 ] ]
        Initial = [ 2.0; 0.0; 1.0 ]
        Final =
          [ 1.0 + 0.5 * exp -20.0 + 0.5 * exp -60.0
            1.0 - exp -60.0
            1.0 - 0.5 * exp -20.0 + 0.5 * exp -60.0 ] }
      { Name = "B3"
        Equations =
          components (fun _ y ->
              let square = y[1].square()
              [ y[0].neg(); sub y[0] square; square ])
        Initial = [ 1.0; 0.0; 0.0 ]
        Final = [ 2.061153622438558e-9; 0.05257228022048513; 0.9474277177183613 ] }
      { Name = "B4"
        Equations =
          components (fun _ y ->
              let r = (add (y[0].square()) (y[1].square())).sqrt()
              let ratio = y[2].div r
              [ sub (y[1].neg()) (mul y[0] ratio); sub y[0] (mul y[1] ratio); y[0].div r ])
        Initial = [ 3.0; 0.0; 0.0 ]
        Final = [ 0.9826950928006530; 2.198447081694930; 0.9129452507276277 ] }
      { Name = "B5"
        Equations =
          components (fun _ y -> [ mul y[1] y[2]; (mul y[0] y[2]).neg(); scale -0.51 (mul y[0] y[1]) ])
        Initial = [ 0.0; 1.0; 1.0 ]
        Final = [ -0.9396570798729204; -0.3421177754000749; 0.7414126596199953 ] } ]

/// A chain of decays into the last state, and diffusion on a line.
let classC =
    let chain (rates: float list) =
        let n = rates.Length + 1

        linear
            [ for i in 0 .. n - 1 ->
                  [ for j in 0 .. n - 1 ->
                        if j = i && i < n - 1 then -rates[i]
                        elif j = i - 1 then rates[j]
                        else 0.0 ] ]

    let tridiagonal n =
        linear
            [ for i in 0 .. n - 1 ->
                  [ for j in 0 .. n - 1 ->
                        if i = j then -2.0
                        elif abs (i - j) = 1 then 1.0
                        else 0.0 ] ]

    let first n = 1.0 :: List.replicate (n - 1) 0.0

    [ { Name = "C1"
        Equations = chain (List.replicate 9 1.0)
        Initial = first 10
        Final =
          [ 2.061153622438558e-9
            4.122307244877116e-8
            4.122307244877116e-7
            2.748204829918077e-6
            1.374102414959039e-5
            5.496409659836154e-5
            1.832136553278718e-4
            5.234675866510623e-4
            1.308668966627656e-3
            0.9979127409508650 ] }
      { Name = "C2"
        Equations = chain [ 1.0 .. 9.0 ]
        Initial = first 10
        Final = [ for i in 0..8 -> exp -20.0 * (1.0 - exp -20.0) ** float i ] }
      { Name = "C3"
        Equations = tridiagonal 10
        Initial = first 10
        Final =
          [ 0.002948119211022699
            0.005635380154845296
            0.007829072515927038
            0.009348257908595597
            0.01007943610301980
            0.009982674171429489
            0.009088693332765332
            0.007489115195185085
            0.005322964130952676
            0.002762434379029514 ] }
      { Name = "C4"
        Equations = tridiagonal 51
        Initial = first 51
        Final = [ 0.003124111453722103; 0.006015416842151323; 0.008470021834843611 ] } ]

let kepler =
    components (fun _ y ->
        let cube = (add (y[0].square()) (y[1].square())).pow(scalar 1.5)
        [ y[2]; y[3]; (y[0].div cube).neg(); (y[1].div cube).neg() ])

/// Two bodies of eccentricity e from the pericentre; u - e sin u = t by Newton's iteration.
let orbit e t =
    let step u = u - (u - e * sin u - t) / (1.0 - e * cos u)
    let u = Seq.init 60 ignore |> Seq.fold (fun u () -> step u) (t + e * sin t)
    let minor, distance = sqrt (1.0 - e * e), 1.0 - e * cos u
    [ cos u - e; minor * sin u; -sin u / distance; minor * cos u / distance ]

let classD =
    [ for i, e in List.indexed [ 0.1; 0.3; 0.5; 0.7; 0.9 ] ->
          { Name = $"D{i + 1}"
            Equations = kepler
            Initial = [ 1.0 - e; 0.0; 0.0; sqrt ((1.0 + e) / (1.0 - e)) ]
            Final = orbit e 20.0 } ]

let errorOf (name: string) (tolerance: float) (case: Case) : float =
    let final =
        finalState (span 0.0 20.0 (tolerances name tolerance tolerance)) case.Equations (vector case.Initial)

    List.map2 (-) (List.ofArray final[.. case.Final.Length - 1]) case.Final |> largest

/// How many times the tolerance the error may be. An orbit turns an error of its energy into one of its phase that grows with
/// time: the D problems multiply what is done to them by 30 to 100 until t = 20, whatever the method.
let allowance (method: string) (case: Case) =
    match method, case.Name[0] with
    | "dopri8", 'D' -> 300.0
    | _, 'D' -> 1000.0
    | "bosh3", _ -> 300.0
    | _ -> 100.0

let methods =
    [ "bosh3", [ 1e-6 ]
      "dopri5", [ 1e-6; 1e-9 ]
      "tsit5", [ 1e-6; 1e-9 ]
      "dopri8", [ 1e-6; 1e-9; 1e-12 ] ]

let tests =
    testList
        "Detest"
        [ testList
              "error within a fixed multiple of the tolerance"
              [ for name, allowed in methods do
                    for case in classA @ classB @ classC @ classD do
                        test $"{name} {case.Name}" {
                            for tolerance in allowed do
                                Expect.isLessThan
                                    (errorOf name tolerance case / tolerance)
                                    (allowance name case)
                                    $"at {tolerance}"
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
              [ for name in [ "dopri5"; "tsit5"; "dopri8" ] do
                    test name {
                        for case in [ classA[3]; classB[4]; classD[2] ] do
                            let errors =
                                [ for digits in 3..2..11 -> errorOf name (10.0 ** float -digits) case ]

                            for coarse, fine in List.pairwise errors do
                                Expect.isLessThan fine (0.5 * coarse + 1e-13) $"{case.Name}: {errors}"
                    } ]

          test "Arenstorf's orbit closes" {
              let mu = 0.012277471
              let mu' = 1.0 - mu

              let equations =
                  components (fun _ y ->
                      let cubed shift = (add ((plus shift y[0]).square()) (y[1].square())).pow(scalar 1.5)
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
