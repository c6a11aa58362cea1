/// Symplectic methods: their orders, what they keep, their gradients, and what they refuse.
module DiffEqLang.Tests.Runtime.SymplecticTests

open System
open DiffEqLang.Runtime
open DiffEqLang.Tableaux
open DiffEqLang.Tests.Support
open DiffEqLang.Tests.Support.Gradients
open DiffEqLang.Tests.Support.Odes
open Expecto
open TorchSharp

let private sin' (x: Tensor) = x.sin ()
let private cos' (x: Tensor) = x.cos ()

/// q' = g(t, p), p' = f(t, q) with n of each, the positions first, and with the derivatives of g and f.
let private partitioned
    n
    (g: Tensor -> Tensor -> Tensor)
    g'
    (f: Tensor -> Tensor -> Tensor)
    f'
    : OdeEquations =
    let halves (state: Tensor) = state.narrow (-1L, 0L, n), state.narrow (-1L, n, n)
    let join (q: Tensor) (p: Tensor) = torch.cat ([| q; p |], -1L)
    let column (t: Tensor) = if t.dim () = 0L then t else t.unsqueeze -1L

    { new OdeEquations() with
        member _.Parameters = [||]
        member _.Positions = [| struct (0L, n) |]

        member _.Drift(t, state) =
            let q, p = halves state
            join (g (column t) p) (f (column t) q)

        member _.DriftVjp(t, state, w, _) =
            let q, p = halves state
            let wq, wp = halves w
            join (wp.mul (f' (column t) q: Tensor)) (wq.mul (g' (column t) p: Tensor)) }

/// q'' = -sin q.
let private pendulum =
    partitioned 1L (fun _ p -> p) (fun _ p -> torch.ones_like p) (fun _ q -> (sin' q).neg()) (fun _ q ->
        (cos' q).neg())

/// Both halves nonlinear and dependent on time: q' = (1 + t/4) sin p, p' = -(2 + cos t) sin q.
let private driven =
    let above (t: Tensor) = plus 1.0 (scale 0.25 t)
    let below (t: Tensor) = plus -2.0 ((cos' t).neg())

    partitioned
        1L
        (fun t p -> (sin' p).mul(above t))
        (fun t p -> (cos' p).mul(above t))
        (fun t q -> (sin' q).mul(below t))
        (fun t q -> (cos' q).mul(below t))

let private orders = [ "symplectic_euler", 1; "leapfrog", 2; "yoshida4", 4; "mclachlan", 4 ]

let private symmetric = orders |> List.map fst |> List.tail
let private start = [ 0.3; 0.4 ]

let private solved equations finish dt name =
    finalState (span 0.0 finish (fixedStep name dt)) equations (vector start)

let private reference equations =
    lazy (finalState (span 0.0 4.0 (tolerances "dopri8" 1e-13 1e-14)) equations (vector start))

let private measuredOrder equations (exact: Lazy<float[]>) name =
    let error steps = distance (solved equations 4.0 (4.0 / float steps) name) exact.Value
    // McLachlan's errors are a thousandth of Yoshida's.
    let steps = if name = "mclachlan" then 40 else 160
    Math.Log2(error steps / error (2 * steps))

let private energy (state: float[]) = 0.5 * state[1] * state[1] - cos state[0]

/// The largest error of the energy in the first half of a solve, and in the second.
let private energyErrors (name: string) =
    let dt, steps = 0.2, 3000

    let solution =
        solveWith
            (SolveOptions(
                Start = Nullable 0.0,
                End = Nullable(dt * float steps),
                Method = fixedStep name dt,
                Save = SaveAt.Steps
            ))
            pendulum
            (vector [ 1.5; 0.0 ])

    let states = values solution.Packed |> Array.chunkBySize 2
    let errors = states |> Array.map (fun state -> abs (energy state - energy states[0]))
    let first, second = Array.splitAt (errors.Length / 2) errors
    Array.max first, Array.max second

/// d (final state) / d (initial state), row by row.
let private flow equations (options: SolveOptions) =
    [ for i in 0..1 do
          let x0 = trained (vector start)
          let solution = solveWith options equations x0
          backward (solution.Packed.select(0L, -1L).select(-1L, int64 i))
          gradientOf x0 ]

let tests =
    testList
        "Symplectic"
        [ for name, order in orders do
              for problem, equations in [ "pendulum", pendulum; "time-dependent", driven ] do
                  test $"{name} has order {order}: {problem}" {
                      use _ = torch.NewDisposeScope()
                      let measured = measuredOrder equations (reference equations) name
                      Expect.isLessThan (abs (measured - float order)) 0.15 $"measured {measured}"
                  }

          test "they are all there, and no method for equations of any form" {
              Expect.equal (Set.ofSeq Methods.SymplecticNames) (orders |> List.map fst |> Set.ofList) "names"

              Expect.isEmpty
                  (Set.intersect (Set.ofSeq Methods.SymplecticNames) (Set.ofSeq Methods.OdeNames))
                  "apart"
          }

          test "the last kick serves as the next step's first" {
              let evaluations name =
                  (solveWith (span 0.0 10.0 (fixedStep name 0.1)) pendulum (vector start))
                      .Statistics.Evaluations

              Expect.equal (evaluations "leapfrog") (1L + 100L * 2L) "one for each half"
              Expect.equal (evaluations "yoshida4") (1L + 100L * 6L) "three leapfrog steps"
              Expect.equal (evaluations "symplectic_euler") (100L * 2L) "it ends with the other half"
          }

          for name in symmetric do
              test $"{name} goes back to where it came from" {
                  use _ = torch.NewDisposeScope()
                  let finish = solved driven 5.0 0.25 name
                  let back = finalState (span 5.0 0.0 (fixedStep name 0.25)) driven (vector finish)
                  Expect.isLessThan (distance back (Array.ofList start)) 1e-13 "start"
              }

          for name, _ in orders do
              test $"{name}: the energy's error does not grow" {
                  use _ = torch.NewDisposeScope()
                  let first, second = energyErrors name
                  Expect.isLessThan second (1.05 * first) $"{first}, then {second}"
              }

          test "rk4's does, in proportion to time" {
              use _ = torch.NewDisposeScope()
              let first, second = energyErrors "rk4"
              Expect.isGreaterThan second (1.8 * first) $"{first}, then {second}"
          }

          for name, _ in orders do
              test $"{name} keeps areas in phase space" {
                  use _ = torch.NewDisposeScope()

                  match flow driven (span 0.0 6.0 (fixedStep name 0.3)) with
                  | [ [| a; b |]; [| c; d |] ] ->
                      Expect.floatClose { absolute = 1e-12; relative = 0.0 } (a * d - b * c) 1.0 "determinant"
                  | other -> failtest $"{other}"
              }

          for name, _ in orders do
              for coupling in [ StepCoupling.PerSample; StepCoupling.Batch ] do
                  test $"{name} {coupling}: the gradient is that of the scheme, inside steps too" {
                      use _ = torch.NewDisposeScope()

                      let options =
                          SolveOptions(
                              Save = SaveAt.Times(ReadOnlySpan [| 0.0; 0.33; 0.4; 1.57; 2.0 |]),
                              Method = fixedStep name 0.2,
                              Coupling = coupling
                          )

                      let x0 = matrix [ start; [ -0.2; 0.7 ]; [ 1.1; 0.1 ] ]
                      let direction = matrix [ [ 0.4; -1.0 ]; [ 0.3; 0.2 ]; [ -0.6; 0.5 ] ]
                      let weights = torch.linspace(-1.0, 1.0, 30L, dtype = torch.float64).reshape(5L, 3L, 2L)
                      let loss x = ((solveWith options driven x).Packed.mul weights).sum()
                      let x = trained x0
                      backward (loss x)
                      let exact = ((vector (gradientOf x)).reshape(3L, 2L).mul direction).sum().item<float>()

                      let measured = differences (fun s -> (loss (x0.Plus(scale s direction))).item<float>())

                      Expect.isLessThan (abs (exact - measured)) 1e-9 $"{exact}, differences {measured}"
                  }

          test "states saved inside steps are of order 3 at least" {
              use _ = torch.NewDisposeScope()

              let error steps =
                  let times = [ 0.0; 1.03; 2.11; 4.0 ]

                  let saved name dt =
                      (solveWith (saving times (fixedStep name dt)) driven (vector start)).Packed

                  distance
                      (values (saved "mclachlan" (4.0 / float steps)))
                      (values (saved "dopri8" (4.0 / 512.0)))

              Expect.isGreaterThan (Math.Log2(error 32 / error 128) / 2.0) 2.9 "order"
          }

          test "equations of another form are refused" {
              Refusals.ofArgument "positions and momenta" (fun () ->
                  solveWith (span 0.0 1.0 (fixedStep "leapfrog" 0.1)) (ode (fun _ y -> y)) (vector start)
                  |> ignore)
          }

          test "the backsolve gradient is refused" {
              Refusals.ofArgument "gradient = discrete" (fun () ->
                  solveWith
                      (SolveOptions(
                          Start = Nullable 0.0,
                          End = Nullable 1.0,
                          Method = fixedStep "leapfrog" 0.1,
                          Gradient = Nullable GradientMode.Backsolve
                      ))
                      pendulum
                      (trained (vector start))
                  |> ignore)
          } ]
