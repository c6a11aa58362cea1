module DiffEqLang.Tests.Runtime.OrderTests

open System
open DiffEqLang.Runtime
open DiffEqLang.Tableaux
open DiffEqLang.Tests.Support.Odes
open Expecto
open TorchSharp

type Problem =
    {
        Name: string
        Equations: OdeEquations
        Initial: float list
        /// The time to solve to, for a method of some order: where its error has settled to one power of the step before it
        /// reaches rounding, and has no zero nearby.
        End: int -> float
        Exact: float -> float[]
    }

let horizon low (higher: float list) order = if order < 4 then low else higher[order - 4]

let linearProblem =
    { Name = "linear: y' = 1.01 y"
      Equations = withVjp (fun _ y -> scale 1.01 y) (fun _ _ w -> scale 1.01 w)
      Initial = [ 0.5 ]
      End = horizon 4.0 [ 16.0; 28.0; 16.0; 16.0; 16.0; 16.0 ]
      Exact = fun t -> [| 0.5 * exp (1.01 * t) |] }

let logistic =
    let starts = [ 0.01; 0.1; 0.5; 3.0 ]

    { Name = "nonlinear: y' = y (1 - y)"
      Equations =
        withVjp (fun _ y -> y.mul (plus 1.0 (y.neg ()))) (fun _ y w -> w.mul (plus 1.0 (scale -2.0 y)))
      Initial = starts
      End = fun order -> if order = 9 then 6.0 else 8.0
      Exact = fun t -> [| for start in starts -> 1.0 / (1.0 + (1.0 / start - 1.0) * exp -t) |] }

/// Rotation at a speed that depends on the radius: z' = i |z|^2 z.
let rotor =
    let radii = [ 0.8; 1.0; 1.3 ]

    let drift (_: Tensor) (state: Tensor) =
        let x, y = state.narrow (-1L, 0L, 3L), state.narrow (-1L, 3L, 3L)
        let square = (x.Squared()).Plus(y.Squared())
        torch.cat ([| (y.mul square).neg(); x.mul square |], -1L)

    let vjp (_: Tensor) (state: Tensor) (w: Tensor) =
        let halves (v: Tensor) = v.narrow (-1L, 0L, 3L), v.narrow (-1L, 3L, 3L)
        let (x, y), (wx, wy) = halves state, halves w
        let square = (x.Squared()).Plus(y.Squared())
        let ofSquare = scale 2.0 ((wy.mul x).Minus(wx.mul y))

        torch.cat ([| (wy.mul square).Plus(ofSquare.mul x); (ofSquare.mul y).Minus(wx.mul square) |], -1L)

    { Name = "nonlinear: z' = i |z|^2 z"
      Equations = withVjp drift vjp
      Initial = radii @ [ 0.0; 0.0; 0.0 ]
      End = horizon 1.0 [ 4.0; 6.0; 16.0; 6.0 ]
      Exact =
        fun t ->
            [| for r in radii do
                   r * cos (r * r * t)
               for r in radii do
                   r * sin (r * r * t) |] }

/// Tells a wrong node: both derivatives depend on t.
let timeDependent =
    { Name = "time-dependent: x' = t x + y, y' = t y"
      Equations =
        withVjp (fun t s -> pack [ t.mul(part s 0).Plus(part s 1); t.mul (part s 1) ]) (fun t _ w ->
            pack [ t.mul (part w 0); (part w 0).Plus(t.mul (part w 1)) ])
      Initial = [ 1.1; 2.2 ]
      End = horizon 1.0 [ 4.0; 6.0; 5.0; 4.0; 4.0; 4.0 ]
      Exact = fun t -> [| exp (t * t / 2.0) * (1.1 + t * 2.2); exp (t * t / 2.0) * 2.2 |] }

let complexSpectrum =
    { Name = "complex spectrum: -0.2 +- 2i"
      Equations =
        withVjp
            (fun _ s ->
                pack
                    [ (scale -0.2 (part s 0)).Minus(scale 2.0 (part s 1))
                      (scale 2.0 (part s 0)).Plus(scale -0.2 (part s 1)) ])
            (fun _ _ w ->
                pack
                    [ (scale -0.2 (part w 0)).Plus(scale 2.0 (part w 1))
                      (scale -2.0 (part w 0)).Plus(scale -0.2 (part w 1)) ])
      Initial = [ 1.0; -0.5 ]
      End = horizon 2.0 [ 8.0; 12.0; 12.0; 8.0; 8.0; 8.0 ]
      Exact =
        fun t ->
            let decay, c, s = exp (-0.2 * t), cos (2.0 * t), sin (2.0 * t)
            [| decay * (c + 0.5 * s); decay * (s - 0.5 * c) |] }

let problemsOf (tableau: RungeKuttaTableau) =
    let nonlinear =
        if tableau.Order >= 8 then logistic
        // Of implicit methods' errors a rotor's turns soon fall into a power of the step that is not yet their order's.
        elif tableau.IsImplicit then { rotor with End = fun _ -> 1.0 }
        else rotor

    [ linearProblem; nonlinear; timeDependent; complexSpectrum ]

/// Below this a relative error is rounding, not the method's. The weights of order 6 and 5, up to 176, multiply it.
let floor (tableau: RungeKuttaTableau) =
    match tableau.Order with
    | 5 when tableau.IsImplicit -> 1e-10
    | 6 -> 1e-10
    | 7
    | 9 -> 1e-12
    | _ -> 3e-13

/// Implicit methods' errors reach rounding sooner, and their steps cost more.
let stepCounts (tableau: RungeKuttaTableau) =
    match tableau.Order, tableau.IsImplicit with
    | 5, true -> [ 8; 16; 32; 64; 128; 256 ]
    | 4, true -> [ 64; 128; 256; 512 ]
    | 3, true -> [ 64; 128; 256 ]
    | 5, false -> [ 512; 1024; 2048 ]
    | 6, _ -> [ 32; 48; 64; 96; 128; 192 ]
    | 7, _ -> [ 24; 32; 48; 64; 96; 128 ]
    | (8 | 9), _ -> [ 12; 16; 24; 32; 48; 64; 96 ]
    | _ -> [ 256; 512 ]

/// Whether an order was found. Verner made the error of order 7 of vern6, and that of order 10 of vern9, so small that at any step whose
/// error is above rounding the next order's counts as much: what is measured lies between them. The tableau's own test is exact.
let expectOrder (tableau: RungeKuttaTableau) (measured: float) =
    let below, above =
        match tableau.Name with
        | "vern6"
        | "vern9" -> 0.4, 1.15
        // Of order 6 where the equations are linear: Steinebach (2023), section 3.
        | "rodas5p" -> 0.15, 1.25
        | _ -> 0.15, 0.15

    let nominal = float tableau.Order
    Expect.isTrue (nominal - below < measured && measured < nominal + above) $"measured {measured}"

/// The slope between the finest error above rounding and that at twice its step.
let measuredOrder (tableau: RungeKuttaTableau) (error: int -> float) =
    let errors =
        [ for steps in stepCounts tableau -> steps, error steps ]
        |> List.filter (fun (_, e) -> e > floor tableau)

    let steps, fine = List.last errors
    let coarse = errors |> List.find (fun (n, _) -> 2 * n = steps) |> snd
    Math.Log2(coarse / fine)

/// Implicit methods are measured over the shorter spans of the low orders: further on their errors have other powers of the step to lose.
let spanOf (tableau: RungeKuttaTableau) problem = problem.End(if tableau.IsImplicit then 2 else tableau.Order)

let relative (exact: float[]) (found: float[]) = distance found exact / largest exact

let finalError name problem (start: float) (finish: float) steps =
    let method = fixedStep name (abs (finish - start) / float steps)

    finalState (span start finish method) problem.Equations (vector (problem.Exact start))
    |> relative (problem.Exact finish)

/// The largest error inside the steps, through the dense output.
let denseError name problem finish steps =
    use _ = torch.NewDisposeScope()
    let h = finish / float steps

    let inside =
        [ for i in List.distinct [ 0; steps / 2; steps - 1 ] do
              for theta in [ 0.3; 0.6 ] -> (float i + theta) * h ]

    let times = [ 0.0 ] @ inside @ [ finish ]

    let solution =
        solveWith (saving times (fixedStep name h)) problem.Equations (vector problem.Initial)

    List.init times.Length (fun i ->
        relative (problem.Exact times[i]) (values (solution.Packed.select (0L, int64 i))))
    |> List.max

let tests =
    testList
        "Order"
        [ for tableau in Catalogue.All do
              testList
                  tableau.Name
                  [ for problem in problemsOf tableau do
                        test problem.Name {
                            let measured =
                                measuredOrder
                                    tableau
                                    (finalError tableau.Name problem 0.0 (spanOf tableau problem))

                            expectOrder tableau measured
                        } ]

          // The interpolant of order q leaves an error of order q + 1 in a step, beside the method's own.
          testList
              "dense output"
              [ for tableau in Catalogue.All do
                    test tableau.Name {
                        let problem = complexSpectrum
                        let nominal = float (min tableau.Order (TableauTests.denseOrder tableau))

                        let measured =
                            measuredOrder tableau (denseError tableau.Name problem (spanOf tableau problem))

                        Expect.isGreaterThan
                            measured
                            (nominal - 0.15)
                            $"measured {measured}, nominal {nominal}"
                    } ]

          test "backwards in time the order is the same" {
              for name in [ "bosh3"; "rk4"; "dopri5"; "dopri8" ] do
                  let tableau = Catalogue.Find name
                  let order = tableau.Order
                  let finish = complexSpectrum.End order
                  let measured = measuredOrder tableau (finalError name complexSpectrum finish 0.0)
                  Expect.isLessThan (abs (measured - float order)) 0.15 $"{name}: measured {measured}"
          } ]
