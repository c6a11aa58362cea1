/// Multistep methods: their formulas over uneven steps, measured orders, and what lasts over steps.
module DiffEqLang.Tests.Runtime.MultistepTests

open System
open DiffEqLang.Runtime
open DiffEqLang.Tableaux
open DiffEqLang.Tests.Support.Gradients
open DiffEqLang.Tests.Support.Odes
open Expecto
open TorchSharp

let private methods = List.ofSeq Catalogue.Multistep
let private methodOf name = Catalogue.FindMultistep name

/// Places of past values: steps of unlike sizes, the present one first.
let private unevenPlaces (seed: int) count =
    let random = Random seed
    Array.scan (fun place _ -> place - (0.4 + 1.2 * random.NextDouble())) 0.0 [| 2..count |]

let private evenPlaces count = [| for j in 0 .. count - 1 -> -float j |]
let private weigh (weights: float[]) (values: float list) = Seq.map2 (*) weights values |> Seq.sum

/// A polynomial solution of about the size of one over the places of an order: a power of the place, shifted and scaled.
type private Solution(method: MultistepMethod, order: int, degree: int) =
    let size = float (method.PastCount order)
    let power degree s = ((2.0 * s + size - 1.0) / size) ** float degree
    member _.At s = power degree s
    member _.Slope s = if degree = 0 then 0.0 else float degree * 2.0 / size * power (degree - 1) s
    /// What the method's values are of it: the state, or its slope.
    member this.Value s = if method.IsImplicit then this.At s else this.Slope s
    /// The state that values of states add up to, or that those of slopes lead to from the present one.
    member this.Reached sum = if method.IsImplicit then sum else this.At 0.0 + sum

let private everyFormula (name: string) check =
    testList
        name
        [ for method in methods do
              for order in 1 .. method.MostOrder do
                  test $"{method.Name} {order}" {
                      for seed in 1..5 do
                          let solution degree = Solution(method, order, degree)
                          check method order (unevenPlaces seed (method.PastCount order)) solution
                  } ]

let private formulas =
    testList
        "formulas"
        [ everyFormula
              "are exact for polynomials of their order, however long the steps before were"
              (fun method order places solution ->
                  let formula = method.Formula(order, 1.0, ReadOnlySpan places)

                  for degree in 0..order do
                      let y: Solution = solution degree
                      let predicted = y.Reached(weigh formula.Predictor [ for s in places -> y.Value s ])
                      Expect.isLessThan (abs (predicted - y.At 1.0)) 1e-9 $"prediction of degree {degree}"

                  // Moulton's formula reads one value more than Bashforth's.
                  for degree in 0 .. (if method.IsImplicit then order else order + 1) do
                      let y = solution degree
                      let known = y.Reached(weigh formula.Corrector [ for s in places -> y.Value s ])
                      let found = known + formula.Leading * y.Slope 1.0
                      Expect.isLessThan (abs (found - y.At 1.0)) 1e-9 $"solution of degree {degree}")

          everyFormula
              "have a dense output of their order, and its slope"
              (fun method order places solution ->
                  for theta in [ 0.0; 0.2; 0.7; 1.0 ] do
                      let weights = method.Dense(order, 1.0, ReadOnlySpan places, theta)
                      let slopes = method.DenseSlopes(order, 1.0, ReadOnlySpan places, theta)

                      for degree in 0..order do
                          let y: Solution = solution degree
                          let values = [ for s in Seq.append [ 1.0 ] places -> y.Value s ]
                          let state = y.At 0.0 + weigh weights values
                          Expect.isLessThan (abs (state - y.At theta)) 1e-9 $"at {theta}, degree {degree}"

                          Expect.isLessThan
                              (abs (weigh slopes values - y.Slope theta))
                              1e-8
                              $"slope at {theta}, degree {degree}")

          everyFormula
              "see no error in polynomials of their order, and the next power's"
              (fun method order places solution ->
                  let errorOver (places: float[]) degree =
                      let y: Solution = solution degree

                      weigh
                          (method.LocalError(order, 1.0, ReadOnlySpan places))
                          [ for s in Seq.append [ 1.0 ] places -> y.Value s ]

                  for degree in 0..order do
                      Expect.isLessThan (abs (errorOver places degree)) 1e-8 $"degree {degree}"

                  let found, ofEven =
                      errorOver places (order + 1), errorOver (evenPlaces places.Length) (order + 1)

                  Expect.isLessThan
                      (abs (found - ofEven) / abs ofEven)
                      1e-5
                      "the constant of equal steps, at steps of any size")

          test "over equal steps are the published ones" {
              let near (expected: float list) (found: float seq) what =
                  Expect.isLessThan (Seq.map2 (-) found expected |> largest) 1e-13 what

              let formula name (order: int) =
                  let method = methodOf name
                  method.Formula(order, 1.0, ReadOnlySpan(evenPlaces (method.PastCount order)))

              // Hairer, Norsett and Wanner (1993), III.1.5, III.1.9 and III.1.22.
              near
                  [ 55.0 / 24.0; -59.0 / 24.0; 37.0 / 24.0; -9.0 / 24.0 ]
                  (formula "adams" 4).Predictor
                  "Bashforth, 4"

              near [ 19.0 / 24.0; -5.0 / 24.0; 1.0 / 24.0 ] (formula "adams" 3).Corrector "Moulton, 4"
              near [ 9.0 / 24.0 ] [ (formula "adams" 3).Leading ] "Moulton, 4, leading"

              near
                  [ for c in [ 300.0; -300.0; 200.0; -75.0; 12.0; 0.0 ] -> c / 137.0 ]
                  (formula "bdf" 5).Corrector
                  "differentiation, 5"

              near [ 60.0 / 137.0 ] [ (formula "bdf" 5).Leading ] "differentiation, 5, leading"
              // Shampine and Reichelt (1997), table 1: kappa gamma + 1/(k + 1).
              let errors =
                  [ 0.315; 1.0 / 6.0; 0.25 - 0.0823 * 11.0 / 6.0; 0.2 - 0.0415 * 25.0 / 12.0; 1.0 / 6.0 ]

              near errors [ for order in 1..5 -> (formula "bdf" order).Error[0] ] "error constants"
          } ]

/// y' = -2 (y - cos 4t) - 4 sin 4t, with a cube of the deviation: the errors of the start, which is of order 1, die out.
let private forgetful =
    let deviation (t: Tensor) (y: Tensor) = y.Minus((scale 4.0 t).cos().unsqueeze(-1L))

    withVjp
        (fun t y ->
            let d = deviation t y
            ((scale -2.0 d).Minus(d.pow (scalar 3.0))).Minus((scale 4.0 ((scale 4.0 t).sin())).unsqueeze -1L))
        (fun t y w -> w.mul (plus -2.0 (scale -3.0 ((deviation t y).Squared()))))

let private finalError name order steps =
    let finish = 20.0

    let method =
        Method(name, Order = Nullable order, Dt = Nullable(finish / float steps), Adaptive = Nullable false)

    use _ = torch.NewDisposeScope()
    let times = [ finish - 1.0 .. 0.2 .. finish ]
    let solution = solveWith (saving (0.0 :: times) method) forgetful (vector [ 1.0 ])
    let found = values solution.Packed |> Seq.tail
    Seq.map2 (fun t y -> abs (y - cos (4.0 * t))) times found |> Seq.max

/// The slope between the finest error above rounding and that at twice its step; where steps are too long to be stable, not a number.
let private measuredOrder error =
    let errors = [ for steps in [ 200; 400; 800; 1600 ] -> error steps ]
    let pairs = errors |> List.pairwise |> List.filter (fun (_, fine) -> fine > 1e-12)
    let coarse, fine = List.last pairs
    Math.Log2(coarse / fine)

let private adaptive name rtol atol = tolerances name rtol atol

let private orders =
    testList
        "measured order"
        [ for method in methods do
              for order in 1 .. method.MostOrder do
                  test $"{method.Name} {order}" {
                      // Adams goes on with the solution of the next order: local extrapolation.
                      let nominal = float (if method.IsImplicit then order else order + 1)
                      let measured = measuredOrder (finalError method.Name order)
                      Expect.isLessThan (abs (measured - nominal)) 0.35 $"measured {measured}"
                  } ]

/// y' = -1e4 y^3, of its own stiffness in every sample: 1/sqrt(1/y0^2 + 2e4 t).
let private cubic =
    withVjp (fun _ y -> scale -1e4 (y.pow (scalar 3.0))) (fun _ y w -> w.mul (scale -3e4 (y.Squared())))

let private independence =
    testList
        "a sample's result does not depend on its batch mates"
        [ for method in methods do
              test method.Name {
                  use _ = torch.NewDisposeScope()
                  let starts = if method.IsImplicit then [ 0.01; 1.0; 30.0 ] else [ 0.01; 0.1; 0.3 ]
                  let options = span 0.0 1.0 (adaptive method.Name 1e-6 1e-8)
                  let together = solveWith options cubic (matrix [ for start in starts -> [ start ] ])
                  together.EnsureSuccess()

                  for i, start in List.indexed starts do
                      let alone = solveWith options cubic (matrix [ [ start ] ])
                      let mine = values (together.LastState.select (0L, int64 i))
                      Expect.isLessThan (distance mine (values alone.LastState)) 1e-12 $"from {start}"
                      Expect.equal together.Statistics.Accepted[i] alone.Statistics.Accepted[0] "steps"
                      let exact = start / sqrt (1.0 + 2e4 * start * start)
                      Expect.isLessThan (abs ((values alone.LastState).[0] - exact)) 1e-5 $"from {start}"
              } ]

let private lasting =
    test "Jacobians and factorizations last over steps" {
        use _ = torch.NewDisposeScope()
        let solution = solveWith (span 0.0 10.0 (adaptive "bdf" 1e-6 1e-8)) forgetful (vector [ 1.0 ])
        solution.EnsureSuccess()
        let statistics = solution.Statistics
        Expect.isGreaterThan statistics.Accepted[0] 100L "steps"
        Expect.isLessThan (8L * statistics.Jacobians) statistics.Accepted[0] "Jacobians"
        Expect.isLessThan (4L * statistics.Factorizations) statistics.Accepted[0] "factorizations"
        Expect.isLessThan statistics.Evaluations (4L * statistics.Accepted[0]) "evaluations"
    }

let private gradients =
    testList
        "gradients"
        [ for method in methods do
              for coupling in [ StepCoupling.PerSample; StepCoupling.Batch ] do
                  test $"{method.Name} {coupling}: to the initial state of a linear system, and its matrix" {
                      use _ = torch.NewDisposeScope()
                      let a = trained (matrix [ [ -0.3; -1.2 ]; [ 1.2; -0.3 ] ])
                      let x0 = trained (matrix [ [ 1.0; 0.5 ]; [ -2.0; 0.3 ] ])
                      let times = [| 0.0; 0.4; 1.1; 2.0 |]

                      let options =
                          SolveOptions(
                              Save = SaveAt.Times(ReadOnlySpan times),
                              Method = adaptive method.Name 1e-11 1e-12,
                              Coupling = coupling
                          )

                      let solution = solveWith options (linear a) x0
                      solution.EnsureSuccess()
                      backward (solution.Packed.sum ())

                      let state t (x, y) =
                          let decay, c, s = exp (-0.3 * t), cos (1.2 * t), sin (1.2 * t)
                          decay * (c * x - s * y), decay * (s * x + c * y)

                      let sum f =
                          List.sum
                              [ for t in times do
                                    for start in [ 1.0, 0.5; -2.0, 0.3 ] -> f t (state t start) ]

                      let g = gradientOf a
                      Expect.isLessThan (abs (g[0] + g[3] - sum (fun t (x, y) -> t * (x + y)))) 1e-7 "along I"
                      Expect.isLessThan (abs (g[2] - g[1] - sum (fun t (x, y) -> t * (x - y)))) 1e-7 "along J"

                      let along start = Seq.sum [ for t in times -> (let x, y = state t start in x + y) ]
                      let expected = [ along (1.0, 0.0); along (0.0, 1.0) ]
                      expectNear 1e-8 (expected @ expected) (gradientOf x0) "initial state"
                  } ]

let private refusals =
    testList
        "refusals"
        [ for what, method, gradient, expected in
              [ "an order beyond the highest",
                Method("bdf", Order = Nullable 6),
                GradientMode.Discrete,
                "from 1 to"
                "an order of a method of one",
                Method("tsit5", Order = Nullable 3),
                GradientMode.Discrete,
                "one order"
                "the backsolve gradient", Method "adams", GradientMode.Backsolve, "discrete" ] do
              test what {
                  let options =
                      SolveOptions(
                          Start = Nullable 0.0,
                          End = Nullable 1.0,
                          Method = method,
                          Gradient = Nullable gradient
                      )

                  Expect.throwsC (fun () -> solveWith options cubic (vector [ 0.1 ]) |> ignore) (fun e ->
                      Expect.stringContains e.Message expected "message")
              } ]

let tests =
    testList "Multistep" [ formulas; orders; independence; lasting; gradients; refusals ]
