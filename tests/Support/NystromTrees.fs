/// The order conditions of Runge-Kutta-Nyström methods for q'' = a(q): one for every special Nyström tree.
module DiffEqLang.Tests.Support.NystromTrees

open DiffEqLang.Tableaux

/// A derivative of a, applied to velocities (`Velocities` of them) and to smaller trees of a. Time counts as a position whose velocity
/// is one. Hairer, Nørsett and Wanner (1993), Solving Ordinary Differential Equations I, II.14.
type Tree = { Velocities: int; Subtrees: Tree list }

/// The power of h with which a tree enters the velocity.
let rec order (tree: Tree) : int =
    1 + tree.Velocities + (tree.Subtrees |> List.sumBy (fun subtree -> 1 + order subtree))

/// Multisets of trees, of those allowed, that take at most so much room.
let rec private forests (room: int) (allowed: (int * Tree) list) : Tree list list =
    match allowed with
    | [] -> [ [] ]
    | (size, tree) :: rest ->
        [ if size <= room then
              for others in forests (room - size) allowed -> tree :: others
          yield! forests room rest ]

let private mostOrder = 13

let private byOrder =
    lazy
        (let known = ResizeArray<Tree list>()

         for n in 1..mostOrder do
             // A subtree stands for a position, of one order more than the acceleration.
             let allowed =
                 [ for k in 1 .. n - 2 do
                       for tree in known[k - 1] -> k + 1, tree ]

             known.Add
                 [ for forest in forests (n - 1) allowed do
                       let taken = forest |> List.sumBy (fun tree -> 1 + order tree)
                       { Velocities = n - 1 - taken; Subtrees = forest } ]

         known)

/// All trees of an order up to 13, each once.
let ofOrder (n: int) : Tree list = byOrder.Value[n - 1]

/// Along the solution, what a tree stands for is this number times t^(order - 1).
let rec private coefficient (tree: Tree) : float =
    tree.Subtrees
    |> List.fold
        (fun product subtree ->
            let p = float (order subtree)
            product * coefficient subtree / (p * (p + 1.0)))
        1.0

/// What a tree is at every stage, and the same over absolute values: how large the summands are.
let private elementary (pair: NystromPair) =
    let known = System.Collections.Generic.Dictionary<Tree, float[] * float[]>()

    let rec at (tree: Tree) =
        match known.TryGetValue tree with
        | true, found -> found
        | false, _ ->
            let below = tree.Subtrees |> List.map at

            let product (absolute: float -> float) (choose: float[] * float[] -> float[]) i =
                below
                |> List.fold
                    (fun product values ->
                        let row, values = pair.A[i], choose values
                        product * Seq.sum (Seq.init row.Length (fun j -> absolute row[j] * values[j])))
                    (pown pair.Nodes[i] tree.Velocities)

            let found =
                Array.init pair.A.Length (product id fst), Array.init pair.A.Length (product abs snd)

            known[tree] <- found
            found

    at

/// By how many roundings of their summands the conditions of an order fail: those of the velocities, and those of the positions of one order
/// more.
let violations (pair: NystromPair) (weights: NystromWeights) : int -> float * float =
    let at = elementary pair

    let violation (weights: float[]) (required: float) (values: float[], sizes: float[]) =
        let sum = Seq.sum (Seq.map2 (*) weights values)
        let size = Seq.sum (Seq.map2 (fun w s -> abs w * s) weights sizes)
        abs (sum - required) / (size * 2.2e-16)

    fun n ->
        let ofTree tree =
            let p, exact, values = float n, coefficient tree, at tree

            violation weights.Velocities (exact / p) values,
            violation weights.Positions (exact / (p * (p + 1.0))) values

        let all = ofOrder n |> List.map ofTree
        all |> List.map fst |> List.max, all |> List.map snd |> List.max
