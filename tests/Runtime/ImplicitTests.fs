/// Implicit methods: their stability functions, Newton's iteration, and what becomes of a lane whose iteration fails.
module DiffEqLang.Tests.Runtime.ImplicitTests

open System
open System.Numerics
open DiffEqLang.Runtime
open DiffEqLang.Tableaux
open DiffEqLang.Tests.Support.Odes
open Expecto
open TorchSharp

/// R(z) = 1 + z b (I - zA)^-1 1: what a step makes of y' = z y. Hairer and Wanner (1996), IV.3.2.
let stability (tableau: RungeKuttaTableau) (z: Complex) : Complex =
    let count = tableau.B.Count
    let _, beta, weigh = TableauTests.usual tableau
    let b = weigh (Array.ofSeq tableau.B)
    let entry i j = beta[i].[j]

    let rows =
        Array.init count (fun i ->
            Array.init (count + 1) (fun j ->
                if j = count then
                    Complex.One
                else
                    (if i = j then Complex.One else Complex.Zero) - z * Complex(entry i j, 0.0)))

    for column in 0 .. count - 1 do
        for row in 0 .. count - 1 do
            if row <> column then
                let factor = rows[row].[column] / rows[column].[column]
                rows[row] <- Array.map2 (fun a b -> a - factor * b) rows[row] rows[column]

    let stage i = rows[i].[count] / rows[i].[i]

    Complex.One
    + z * (Seq.init count (fun i -> Complex(b[i], 0.0) * stage i) |> Seq.fold (+) Complex.Zero)

let polynomial (coefficients: float list) (z: Complex) =
    List.foldBack (fun c value -> Complex(c, 0.0) + z * value) coefficients Complex.Zero

/// P(z)/(1 - gz)^s with P the first terms of exp(z) (1 - gz)^s: IV.6.2 and IV.6.4, one power less than stages where L-stable.
let diagonallyImplicit g stages (z: Complex) =
    let denominator =
        [ for i in 0..stages ->
              (-g) ** float i
              * float (Seq.fold (fun p k -> p * (stages - k) / (k + 1)) 1 [ 0 .. i - 1 ]) ]

    let exponential =
        [ for i in 0..stages -> 1.0 / (Seq.fold (fun p k -> p * float k) 1.0 [ 1..i ]) ]

    let numerator =
        [ for i in 0 .. stages - 1 -> List.sum [ for j in 0..i -> denominator[j] * exponential[i - j] ] ]

    polynomial numerator z / polynomial denominator z

/// As published: Hairer and Wanner (1996), tables IV.3.1 and IV.3.2 (Pade approximations), and IV.6.
let published =
    [ "implicit_euler", (fun z -> 1.0 / polynomial [ 1.0; -1.0 ] z)
      "implicit_midpoint", (fun z -> polynomial [ 1.0; 0.5 ] z / polynomial [ 1.0; -0.5 ] z)
      "gauss4", (fun z -> polynomial [ 1.0; 0.5; 1.0 / 12.0 ] z / polynomial [ 1.0; -0.5; 1.0 / 12.0 ] z)
      "radau",
      (fun z ->
          polynomial [ 1.0; 2.0 / 5.0; 1.0 / 20.0 ] z
          / polynomial [ 1.0; -3.0 / 5.0; 3.0 / 20.0; -1.0 / 60.0 ] z)
      "trbdf2", diagonallyImplicit (1.0 - sqrt 2.0 / 2.0) 2
      "kvaerno3", diagonallyImplicit 0.43586652150845899942 3
      "kvaerno4", diagonallyImplicit 0.57281606248213485541 4
      "kvaerno5", diagonallyImplicit 0.26 6
      "rosenbrock23", diagonallyImplicit (1.0 / (2.0 + sqrt 2.0)) 2
      "rodas5p", diagonallyImplicit 0.21193756319429014 7 ]

let places =
    [ Complex(-0.5, 0.0)
      Complex(-3.0, 0.0)
      Complex(-40.0, 0.0)
      Complex(-1.0, 2.0)
      Complex(0.0, 1.5)
      Complex(0.0, 30.0)
      Complex(-1e4, 1e3) ]

let tableauOf name = Catalogue.Find name

let stiff =
    [ "implicit_euler"
      "trbdf2"
      "kvaerno3"
      "kvaerno4"
      "kvaerno5"
      "radau"
      "rosenbrock23"
      "rodas4"
      "rodas5p" ]

/// y' = -l (y - cos t) - sin t: Prothero and Robinson (1974), with the solution cos t.
let prothero (l: float) =
    withVjp
        (fun t y -> (scale -l (y.Minus((t.cos ()).unsqueeze -1L))).Minus((t.sin ()).unsqueeze -1L))
        (fun _ _ w -> scale -l w)

/// y' = -r y^3 with its own stiffness in every sample.
let cubic =
    withVjp (fun _ y -> scale -1e4 (y.pow (scalar 3.0))) (fun _ y w -> w.mul (scale -3e4 (y.Squared())))

/// Newton's iteration sees a slope that has nothing to do with the equation where the state is above 2.
let deceiving =
    withVjp (fun _ y -> (scale 50.0 y).sin()) (fun _ y w ->
        torch.where (y.gt (scalar 2.0), scale 1e8 w, w.mul (scale 50.0 ((scale 50.0 y).cos()))))

let tests =
    testList
        "Implicit"
        [ testList
              "has the published stability function"
              [ for name, expected in published do
                    test name {
                        for z in places do
                            let found, wanted = stability (tableauOf name) z, expected z

                            Expect.isLessThan
                                (found - wanted).Magnitude
                                1e-9
                                $"at {z}: {found}, published {wanted}"
                    } ]

          testList
              "damps at infinity"
              [ for name in stiff do
                    test name {
                        Expect.isLessThan
                            (stability (tableauOf name) (Complex(-1e9, 0.0))).Magnitude
                            1e-6
                            "L-stable"

                        for angle in [ 0.51; 0.6; 0.75; 1.0 ] do
                            for size in [ 0.1; 1.0; 5.0; 30.0; 1e3 ] do
                                let z = Complex.FromPolarCoordinates(size, angle * Math.PI)

                                Expect.isLessThan
                                    (stability (tableauOf name) z).Magnitude
                                    (1.0 + 1e-12)
                                    $"A-stable at {z}"
                    } ]

          testList
              "takes steps that the stiffness does not shrink"
              [ for name in stiff do
                    test name {
                        let steps l =
                            use _ = torch.NewDisposeScope()

                            let solution =
                                solveWith
                                    (span 0.0 10.0 (tolerances name 1e-4 1e-6))
                                    (prothero l)
                                    (vector [ 1.0 ])

                            solution.EnsureSuccess()

                            Expect.isLessThan
                                (abs ((values solution.LastState).[0] - cos 10.0))
                                2e-3
                                $"at {l}"

                            solution.Statistics.Accepted[0]

                        Expect.isLessThan (steps 1e8) (4L * steps 10.0) "steps"
                    } ]

          testList
              "a sample's result does not depend on its batch mates"
              [ for name in stiff do
                    test name {
                        use _ = torch.NewDisposeScope()
                        let starts = [ 0.01; 1.0; 30.0 ]
                        let options = span 0.0 1.0 (tolerances name 1e-6 1e-8)
                        let together = solveWith options cubic (matrix [ for start in starts -> [ start ] ])
                        together.EnsureSuccess()

                        for i, start in List.indexed starts do
                            let alone = solveWith options cubic (matrix [ [ start ] ])

                            // To rounding: steps that all lanes share are factors of the coefficients, others of the slopes.
                            let mine = values (together.LastState.select (0L, int64 i))
                            Expect.isLessThan (distance mine (values alone.LastState)) 1e-13 $"from {start}"
                            Expect.equal together.Statistics.Accepted[i] alone.Statistics.Accepted[0] "steps"

                            let exact = start / sqrt (1.0 + 2e4 * start * start)

                            Expect.isLessThan
                                (abs ((values alone.LastState).[0] - exact))
                                1e-4
                                $"from {start}"
                    } ]

          test "counts Jacobians and factorizations" {
              use _ = torch.NewDisposeScope()

              let statistics =
                  (solveWith (span 0.0 1.0 (tolerances "kvaerno5" 1e-6 1e-8)) cubic (vector [ 1.0 ]))
                      .Statistics

              let attempts = statistics.Accepted[0] + statistics.Rejected[0]

              Expect.equal
                  statistics.Jacobians
                  statistics.Accepted[0]
                  "one a step, none for a repeated attempt"

              Expect.equal statistics.Factorizations attempts "one an attempt"

              let explicitly =
                  (solveWith (span 0.0 1.0 (tolerances "dopri5" 1e-6 1e-8)) cubic (vector [ 1.0 ])).Statistics

              Expect.equal (explicitly.Jacobians, explicitly.Factorizations) (0L, 0L) "explicit"
          }

          test "changes as small as rounding makes them have converged, however tight the tolerance" {
              let constant =
                  { new OdeEquations() with
                      member _.Parameters = [||]
                      member _.Drift(_, x) = torch.ones_like x
                      member _.DriftVjp(_, x, _, _) = torch.zeros_like x }

              for name in [ "radau"; "kvaerno3"; "kvaerno5"; "trbdf2"; "bdf" ] do
                  for rtol in [ 1e-10; 1e-13 ] do
                      let solution =
                          solveWith (span 0.0 100.0 (tolerances name rtol 1e-14)) constant (vector [ 1.0 ])

                      solution.EnsureSuccess()
                      Expect.isLessThan solution.Statistics.Accepted[0] 200L name
                      Expect.floatClose Accuracy.high ((values solution.LastState)[0]) 101.0 name
          }

          test "an iteration that never converges ends its sample alone, with the last good state" {
              use _ = torch.NewDisposeScope()

              let solution =
                  solveWith (span 0.0 1.0 (fixedStep "radau" 0.5)) deceiving (matrix [ [ 0.001 ]; [ 2.5 ] ])

              Expect.equal solution.Status[1] SolveStatus.NewtonDiverged "status"
              Expect.equal (values (solution.LastState.select (0L, 1L))) [| 2.5 |] "the last good state"
              Expect.equal solution.LastTime[1] 0.0 "the last good time"
          }

          test "the backsolve gradient is refused, and the discrete one named" {
              let options =
                  SolveOptions(
                      Start = Nullable 0.0,
                      End = Nullable 1.0,
                      Method = tolerances "radau" 1e-6 1e-8,
                      Gradient = Nullable GradientMode.Backsolve
                  )

              let message =
                  try
                      solveWith options cubic (vector [ 1.0 ]) |> ignore
                      ""
                  with :? ArgumentException as e ->
                      e.Message

              Expect.stringContains message "discrete" "message"
          } ]
