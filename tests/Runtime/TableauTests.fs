module DiffEqLang.Tests.Runtime.TableauTests

open System
open DiffEqLang.Tableaux
open Expecto

/// A rooted tree: its subtrees. Butcher's order conditions are one equation a tree.
type Tree = Tree of Tree list

/// All ways to choose so many items, with repetition, in any order.
let rec multisets (count: int) (items: 'a list) : 'a list list =
    match count, items with
    | 0, _ -> [ [] ]
    | _, [] -> []
    | _, first :: rest ->
        (multisets (count - 1) items |> List.map (fun chosen -> first :: chosen))
        @ multisets count rest

/// All rooted trees of a number of vertices, each once.
let rec trees (vertices: int) : Tree list =
    [ for forest in forests (vertices - 1) (vertices - 1) -> Tree forest ]

/// All multisets of trees with so many vertices in all, none larger than a bound.
and forests (vertices: int) (bound: int) : Tree list list =
    if vertices = 0 then
        [ [] ]
    else
        [ for size in min vertices bound .. -1 .. 1 do
              let candidates = trees size

              for count in 1 .. vertices / size do
                  for chosen in multisets count candidates do
                      for rest in forests (vertices - count * size) (size - 1) -> chosen @ rest ]

let rec vertices (Tree subtrees) : int = 1 + List.sumBy vertices subtrees

/// gamma of the tree: its density. Hairer, Norsett and Wanner (1993), II.2.
let rec density (Tree subtrees as tree) : float =
    float (vertices tree) * (subtrees |> List.map density |> List.fold (*) 1.0)

/// The elementary weight of every stage.
/// Of Rosenbrock methods, whose derivatives of first order are those of the matrix, one subtree alone is weighed by alpha + Gamma:
/// Hairer and Wanner (1996), IV.7.11.
let rec weights (alpha: float[][], beta: float[][]) (Tree subtrees) : float[] =
    let a = if subtrees.Length = 1 then beta else alpha

    let inner =
        subtrees
        |> List.map (fun subtree ->
            let below = weights (alpha, beta) subtree

            a
            |> Array.map (fun row ->
                Array.fold2 (fun sum x y -> sum + x * y) 0.0 row below[.. row.Length - 1]))

    Array.init a.Length (fun i -> inner |> List.fold (fun product w -> product * w[i]) 1.0)

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

/// The largest violation of the order conditions up to an order by the weights, which hold at a fraction of the step.
let violation (tableau: RungeKuttaTableau) (solution: float[]) (fraction: float) (order: int) : float =
    let alpha, beta, times = usual tableau
    let solution = times solution

    [ for tree in List.collect trees [ 1..order ] do
          let elementary = weights (alpha, beta) tree

          let sum =
              Array.fold2 (fun sum x y -> sum + x * y) 0.0 solution elementary[.. solution.Length - 1]

          abs (sum - fraction ** float (vertices tree) / density tree) ]
    |> List.max

let theWeights (tableau: RungeKuttaTableau) = Array.ofSeq tableau.B

let ofEvery (name: string) (check: RungeKuttaTableau -> unit) =
    testList name [ for tableau in Catalogue.All -> test tableau.Name { check tableau } ]

/// The order that the papers claim for the dense output; Hermite's cubic is of order 3, or the method's where that is less.
let denseOrder (tableau: RungeKuttaTableau) =
    match tableau.Name with
    | "dopri8" -> 7
    | "dopri5"
    | "tsit5" -> 4
    | _ -> min 3 tableau.Order

let tests =
    testList
        "Tableau"
        [ test "there are as many rooted trees as Cayley counted" {
              Expect.equal
                  (List.map (trees >> List.length) [ 1..8 ])
                  [ 1; 1; 2; 4; 9; 20; 48; 115 ]
                  "OEIS A000081"
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
                        "dopri8"
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
          }

          ofEvery "fulfils the order conditions of its order" (fun tableau ->
              Expect.isLessThan (violation tableau (theWeights tableau) 1.0 tableau.Order) 1e-13 "violation")

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

                  Expect.isLessThan (violation tableau lower 1.0 order) 1e-13 "holds"
                  Expect.isGreaterThan (violation tableau lower 1.0 (order + 1)) 1e-7 "and no higher")

          ofEvery "has a dense output of the order stated" (fun tableau ->
              for theta in [ 0.1; 0.35; 0.5; 0.77; 0.95 ] do
                  Expect.isLessThan
                      (violation tableau (tableau.DenseWeights theta) theta (denseOrder tableau))
                      1e-12
                      $"at {theta}")

          ofEvery "joins the slopes of both ends smoothly" (fun tableau ->
              // dopri5's and tsit5's interpolants are once continuously differentiable, as are Hermite's and DOP853's. Radau's polynomial
              // has the slopes at its nodes, of which the start is none.
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
                      Expect.floatClose { absolute = 1e-6; relative = 0.0 } slope difference $"at {theta}")

          test
              "whose last stage is the first of the next step, and which implicit methods are stiffly accurate" {
              let names isImplicit =
                  Catalogue.All
                  |> Seq.filter (fun tableau -> tableau.IsFirstSameAsLast && tableau.IsImplicit = isImplicit)
                  |> Seq.map _.Name
                  |> Set.ofSeq

              Expect.equal (names false) (set [ "bosh3"; "dopri5"; "tsit5"; "dopri8" ]) "explicit"

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
