module DiffEqLang.Tests.Runtime.TableauTests

open System
open DiffEqLang.Tableaux
open Expecto

/// A Rosenbrock method in its usual coefficients: alpha, alpha + Gamma, and from weights of its own slopes to those of the usual.
let usual (tableau: RungeKuttaTableau) =
    let count = tableau.A.Count
    let entry (row: float[]) j = if j < row.Length then row[j] else 0.0

    let gamma =
        match Option.ofObj tableau.Rosenbrock with
        | None -> Array.init count (fun i -> Array.init count (fun j -> if i = j then 1.0 else 0.0))
        | Some coefficients ->
            // Rows of (1/gamma - c)^-1, with ones for the stages that are f itself.
            let rows = Array.init count (fun _ -> Array.zeroCreate<float> count)

            for i in 0 .. count - 1 do
                if i = 0 || i >= coefficients.Coupling.Length then
                    rows[i].[i] <- 1.0
                else
                    for j in 0..i do
                        let sum =
                            Seq.sum (
                                seq { for l in 0 .. i - 1 -> coefficients.Coupling[i].[l] * rows[l].[j] }
                            )

                        rows[i].[j] <- coefficients.γ * ((if i = j then 1.0 else 0.0) + sum)

            rows

    let times (weights: float[]) =
        Array.init count (fun j ->
            Seq.sum (seq { for i in 0 .. count - 1 -> entry weights i * gamma[i].[j] }))

    let alpha = Array.init count (fun i -> times tableau.A[i])

    let beta =
        match Option.ofObj tableau.Rosenbrock with
        | None -> alpha
        | Some coefficients ->
            Array.init count (fun i ->
                if i > 0 && i < coefficients.Coupling.Length then
                    Array.map2 (+) alpha[i] gamma[i]
                else
                    alpha[i])

    alpha, beta, times

/// The conditions, and the weights in the form that they are for.
let conditions (tableau: RungeKuttaTableau) (solution: float[]) =
    let alpha, beta, times = usual tableau
    let drifts = if tableau.IsSplit then tableau.Drifts else null
    OrderConditions(alpha, beta, drifts), times solution

/// How far the weights, which give the solution at a fraction of the step, are from fulfilling the conditions of an order.
let violation (tableau: RungeKuttaTableau) (solution: float[]) (fraction: float) (order: int) : float =
    let conditions, weights = conditions tableau solution

    conditions.UpTo(order, weights, fraction)
    |> Seq.map (fun condition -> abs (condition.Sum - condition.Required))
    |> Seq.max

let fulfils (tableau: RungeKuttaTableau) (solution: float[]) (order: int) : unit =
    let conditions, weights = conditions tableau solution
    let violated = conditions.FirstViolated(order, weights)

    if not (isNull violated) then
        failtest $"tree {violated.Tree}: {violated.Sum} is not {violated.Required}"

let theWeights (tableau: RungeKuttaTableau) = Array.ofSeq tableau.B

let ofEvery (name: string) (check: RungeKuttaTableau -> unit) =
    testList
        name
        [ for tableau in Seq.append Catalogue.All Catalogue.Split -> test tableau.Name { check tableau } ]

/// The order that the papers claim for the dense output; Hermite's cubic is of order 3, or the method's where that is less.
let denseOrder (tableau: RungeKuttaTableau) =
    match tableau.Name with
    | "vern9" -> 9
    | "dopri8" -> 7
    | "vern6"
    | "vern7" -> 6
    | "dopri5"
    | "tsit5" -> 4
    | _ -> min 3 tableau.Order

/// What rounding leaves of a dense output: its weights are polynomials whose coefficients, up to 1e5, cancel.
let denseRounding (tableau: RungeKuttaTableau) =
    1e-12 + 1e-15 * (tableau.Dense |> Seq.sumBy (Array.sumBy abs))

let tests =
    testList
        "Tableau"
        [ test "there are as many rooted trees as Cayley counted" {
              Expect.equal
                  [ for n in 1..10 -> RootedTree.OfVertices(n).Count ]
                  [ 1; 1; 2; 4; 9; 20; 48; 115; 286; 719 ]
                  "OEIS A000081"
          }

          test "trees of two colours are as many as OEIS counts, and all different" {
              for n, expected in [ 1, 2; 2, 4; 3, 14; 4, 52; 5, 214 ] do
                  let trees = RootedTree.OfVertices(n, 2)
                  Expect.hasLength trees expected "OEIS A000151"
                  Expect.hasLength (trees |> Seq.distinctBy string) expected "by their notation"
          }

          test "conditions that couple two parts are told from those of each" {
              // The midpoint rule for one part and Heun's method for the other, blind for each other.
              let drifts =
                  [| DriftPart.Explicit; DriftPart.Explicit; DriftPart.Implicit; DriftPart.Implicit |]

              let rows = [| [||]; [| 0.5 |]; [||]; [| 0.0; 0.0; 1.0 |] |]

              let violated =
                  OrderConditions(rows, null, drifts).UpTo(2, [| 0.0; 1.0; 0.5; 0.5 |])
                  |> Seq.filter (fun condition -> condition.Error > 100.0)
                  |> Seq.map (fun condition -> string condition.Tree)

              Expect.equal (Set.ofSeq violated) (set [ "[τ1]"; "[τ]1" ]) "the trees of both colours"
          }

          test "rooted trees are all different, and of the vertices asked for" {
              for n in 1..8 do
                  let trees = RootedTree.OfVertices n
                  Expect.hasLength (trees |> Seq.distinctBy string) trees.Count "by their notation"
                  Expect.all trees (fun tree -> tree.Vertices = n) "vertices"
          }

          test "the trees of four vertices, and their densities" {
              // Hairer, Norsett and Wanner (1993), table II.2.2.
              let found = [ for tree in RootedTree.OfVertices 4 -> string tree, tree.Density ] |> Set.ofList
              let expected = [ "[τττ]", 4.0; "[[τ]τ]", 8.0; "[[ττ]]", 12.0; "[[[τ]]]", 24.0 ]
              Expect.equal found (Set.ofList expected) "trees"
          }

          test "the first condition that fails is named, with its tree" {
              // Heun's weights at Ralston's nodes.
              let violated = OrderConditions([| [||]; [| 2.0 / 3.0 |] |]).FirstViolated(2, [| 0.5; 0.5 |])
              Expect.equal (string violated.Tree) "[τ]" "the tree of order 2"
              Expect.floatClose Accuracy.high violated.Sum (1.0 / 3.0) "sum"
              Expect.equal violated.Required 0.5 "required"
          }

          test "every method of the language page is there" {
              let names = Catalogue.All |> Seq.map _.Name |> Set.ofSeq

              let expected =
                  set
                      [ "euler"
                        "midpoint"
                        "heun"
                        "ralston"
                        "bosh3"
                        "rk4"
                        "rk38"
                        "dopri5"
                        "tsit5"
                        "vern6"
                        "vern7"
                        "dopri8"
                        "vern9"
                        "implicit_euler"
                        "implicit_midpoint"
                        "gauss4"
                        "trbdf2"
                        "kvaerno3"
                        "kvaerno4"
                        "kvaerno5"
                        "radau"
                        "rosenbrock23"
                        "rodas4"
                        "rodas5p" ]

              Expect.equal names expected "names"
              Expect.isNull (Catalogue.Find "rk5") "an unknown name"

              Expect.equal
                  [ for tableau in Catalogue.Split -> tableau.Name, tableau.Order ]
                  [ "imex_euler", 1; "kencarp3", 3; "kencarp4", 4; "kencarp5", 5 ]
                  "methods for two parts"
          }

          ofEvery "fulfils the order conditions of its order" (fun tableau ->
              fulfils tableau (theWeights tableau) tableau.Order)

          ofEvery "fulfils not those of the next" (fun tableau ->
              Expect.isGreaterThan
                  (violation tableau (theWeights tableau) 1.0 (tableau.Order + 1))
                  1e-7
                  "violation")

          ofEvery "estimates the error with a solution of the order stated" (fun tableau ->
              if not (isNull tableau.Error) then
                  let b =
                      Array.append
                          (theWeights tableau)
                          (Array.zeroCreate (tableau.EndStage + 1 - tableau.B.Count))

                  let lower = Array.map2 (-) b tableau.Error.Estimates[0]
                  // DOP853's first estimate compares with order 5 and is scaled to the seventh power by the second, with order 3.
                  // implicit_euler and trbdf2 compare with a solution of one order more than their own.
                  let order =
                      match tableau.Name with
                      | "dopri8" -> 5
                      | "implicit_euler"
                      | "trbdf2" -> tableau.Error.Order + 1
                      | _ -> tableau.Error.Order

                  fulfils tableau lower order
                  Expect.isGreaterThan (violation tableau lower 1.0 (order + 1)) 1e-7 "and no higher")

          ofEvery "has a dense output of the order stated" (fun tableau ->
              for theta in [ 0.1; 0.35; 0.5; 0.77; 0.95 ] do
                  Expect.isLessThan
                      (violation tableau (tableau.DenseWeights theta) theta (denseOrder tableau))
                      (denseRounding tableau)
                      $"at {theta}")

          test "vern7's dense output misses order 7, which is claimed for it, by 3e-7" {
              let tableau = Catalogue.Find "vern7"

              for theta in [ 0.1; 0.35; 0.5; 0.77; 0.95 ] do
                  Expect.isLessThan
                      (violation tableau (tableau.DenseWeights theta) theta 7)
                      3e-7
                      $"at {theta}"
          }

          ofEvery "joins the slopes of both ends smoothly" (fun tableau ->
              // The interpolants of the papers are once continuously differentiable, as Hermite's is. Radau's polynomial has the slopes at its
              // nodes, of which the start is none.
              let slopeAt theta = tableau.DenseSlopes theta

              for stage in 0 .. tableau.A.Count - 1 do
                  let expectedAt0 = if stage = 0 then 1.0 else 0.0
                  let expectedAt1 = if stage = tableau.EndStage then 1.0 else 0.0

                  if tableau.Name <> "radau" then
                      Expect.floatClose
                          { absolute = 1e-11; relative = 0.0 }
                          (slopeAt 0.0).[stage]
                          expectedAt0
                          $"stage {stage} at 0"

                  Expect.floatClose
                      { absolute = 1e-9; relative = 0.0 }
                      (slopeAt 1.0).[stage]
                      expectedAt1
                      $"stage {stage} at 1")

          ofEvery "has the derivative of its dense output" (fun tableau ->
              let h = 1e-6

              for theta in [ 0.2; 0.6 ] do
                  let differences =
                      Array.map2
                          (fun a b -> (a - b) / (2.0 * h))
                          (tableau.DenseWeights(theta + h))
                          (tableau.DenseWeights(theta - h))

                  for difference, slope in Array.zip differences (tableau.DenseSlopes theta) do
                      Expect.floatClose { absolute = 1e-6; relative = 1e-8 } slope difference $"at {theta}")

          test
              "whose last stage is the first of the next step, and which implicit methods are stiffly accurate" {
              let names isImplicit =
                  Catalogue.All
                  |> Seq.filter (fun tableau -> tableau.IsFirstSameAsLast && tableau.IsImplicit = isImplicit)
                  |> Seq.map _.Name
                  |> Set.ofSeq

              Expect.equal (names false) (set [ "bosh3"; "dopri5"; "tsit5"; "vern6"; "dopri8" ]) "explicit"

              Expect.equal
                  (names true)
                  (set [ "implicit_euler"; "trbdf2"; "kvaerno3"; "kvaerno4"; "kvaerno5"; "radau" ])
                  "implicit"
          }

          test "coefficients that contradict each other are refused, and named" {
              let refused (make: unit -> RungeKuttaTableau) (word: string) =
                  let error = Expect.throwsT<ArgumentException> (make >> ignore) word
                  ignore error

                  try
                      make () |> ignore
                  with :? ArgumentException as e ->
                      Expect.stringContains e.Message word "message"

              refused (fun () -> RungeKuttaTableau("bad", 2, [| [| 0.5 |] |], [| 0.0; 0.9 |], "")) "sum to 1"

              refused
                  (fun () -> RungeKuttaTableau("bad", 2, [| [| 0.5; 0.1; 0.2 |] |], [| 0.0; 1.0 |], ""))
                  "row i"

              refused
                  (fun () ->
                      RungeKuttaTableau(
                          "bad",
                          2,
                          [| [| 0.5 |] |],
                          [| 0.0; 1.0 |],
                          "",
                          ErrorEstimate(1, [| [| 1.0; 0.0; 0.0 |] |])
                      ))
                  "sum to 0"
          } ]
