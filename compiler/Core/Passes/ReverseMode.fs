/// Reverse-mode differentiation: cotangents from the results to the inputs, one sweep over the shared DAG. The number
/// of new nodes is proportional to the number of old ones.
///
///     y = W @ tanh(x), cotangent w        becomes        xbar = (W.T @ w) * (1 - h^2),  Wbar = w outer h
module internal DiffEqLang.Compiler.Passes.ReverseMode

open System.Collections.Generic
open DiffEqLang.Contracts
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Dim
open DiffEqLang.Compiler.Ir.Shape
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Build
open DiffEqLang.Compiler.Builtins
open DiffEqLang.Compiler.Builtins.Builtin

/// The cotangent of an operand of an elementwise node: a scalar's is summed over the elements.
let private elementwiseCotangent (cotangent: Expr) (operand: Expr) (partial: Expr) =
    let weighted (w: Expr) =
        match partial with
        | Uniform -1.0 -> neg w
        | _ -> mul w partial

    if not (isScalar operand.Shape) || isScalar cotangent.Shape then
        weighted cotangent
    elif isScalar partial.Shape then
        weighted (sumAll cotangent)
    else
        sumAll (weighted cotangent)

/// Both operands' cotangents. The result's axes are the left's free ones, then the right's.
let private contractCotangents (left: int list) (right: int list) (a: Expr) (b: Expr) (w: Expr) =
    let freeA = List.except left (allAxes a)
    let freeB = List.except right (allAxes b)
    let count = freeA.Length
    let pairs = List.zip left right

    /// Puts the axes of `e`, which are `labels` of an operand, in the operand's order.
    let inOrder labels (e: Expr) =
        permute (allAxes e |> List.map (fun axis -> List.findIndex ((=) axis) labels)) e

    let ofA = contract [ count .. count + freeB.Length - 1 ] freeB w b
    let ofB = contract freeA [ 0 .. count - 1 ] a w

    [ Some(inOrder (freeA @ (pairs |> List.sortBy snd |> List.map fst)) ofA)
      Some(inOrder ((pairs |> List.sortBy fst |> List.map snd) @ freeB) ofB) ]

/// Each part of a concatenation takes its piece.
let private concatCotangents (args: Expr list) (w: Expr) =
    let length (a: Expr) = a.Shape |> List.tryHead |> Option.defaultValue Dim.one
    let starts = args |> List.scan (fun at a -> Dim.add at (length a)) Dim.zero

    List.zip args (List.take args.Length starts)
    |> List.map (fun (a, from) ->
        match isScalar a.Shape, Dim.tryConstant from with
        | true, Some position -> Some(index 0 (int position) w)
        | true, None -> Some(reshape scalar (slice 0 from (Dim.add from Dim.one) w))
        | false, _ -> Some(slice 0 from (Dim.add from (length a)) w))

/// The cotangents of a node's operands from its own, None where an operand gets none.
let private cotangentsOf (node: Expr) (w: Expr) : Expr option list =
    let whole = zeros node.Shape

    match node.Op, node.Args with
    | (Number _ | Input _ | Identity _ | Compare _ | And | Or | Not), args -> args |> List.map (fun _ -> None)
    | (Add | Subtract | Multiply | Divide | Power | Negate), args ->
        (ForwardMode.partials node).Value
        |> List.map2 (fun a partial -> Some(elementwiseCotangent w a partial)) args
    | Call(name, _), args ->
        match (Catalogue.findPrimitive name).Derivative with
        | Elementwise rule ->
            rule args node |> List.map2 (fun a partial -> Some(elementwiseCotangent w a partial)) args
        | General(_, reverse) -> reverse node w
    | Select, [ condition; _; _ ] -> [ None; Some(select condition w whole); Some(select condition whole w) ]
    | Contract(left, right), [ a; b ] -> contractCotangents left right a b w
    | Permute axes, [ a ] ->
        [ Some(permute (allAxes a |> List.map (fun i -> List.findIndex ((=) i) axes)) w) ]
    | Reduce(reduction, axes), [ a ] ->
        let weights = ForwardMode.reductionWeights reduction axes node a
        [ Some(mul (Tangent.restore a axes w) weights) ]
    | Broadcast(shape, axes), _ -> [ Some(sum (List.except axes [ 0 .. shape.Length - 1 ]) w) ]
    | Index(axis, position), [ a ] ->
        [ Some(pad axis (Dim.constant (int64 position)) a.Shape[axis] (unsqueeze axis w)) ]
    | Slice(axis, from, _), [ a ] -> [ Some(pad axis from a.Shape[axis] w) ]
    | Pad(axis, from, _), [ a ] -> [ Some(slice axis from (Dim.add from a.Shape[axis]) w) ]
    | Stack, args -> args |> List.mapi (fun k _ -> Some(index 0 k w))
    | Concat, args -> concatCotangents args w
    | Reshape _, [ a ] -> [ Some(reshape a.Shape w) ]
    | Diagonal, _ -> [ Some(diagonalMatrix w) ]
    | DiagonalMatrix, _ -> [ Some(diagonal w) ]
    | BatchSum, _ -> [ Some w ]
    | Derivative _, _ -> internalError "A derivative operator inside of what is differentiated."
    | (Select | Contract _ | Permute _ | Reduce _ | Index _ | Slice _ | Pad _ | Reshape _), _ ->
        internalError "%A with %d operands." node.Op node.Args.Length

/// The cotangents that a node has received. Those of single positions of its first axis are kept apart, so that
/// x[0], x[1], ... give one stack and not a sum of padded vectors as long as x each.
type private Received = { mutable Whole: Expr option; Positions: SortedDictionary<int, Expr> }

let private received () = { Whole = None; Positions = SortedDictionary() }

let private plus (e: Expr) (earlier: Expr option) =
    match earlier with
    | None -> e
    | Some earlier -> add earlier e

/// A stack where enough positions are known, otherwise padded entries.
let private assemble (node: Expr) (positions: SortedDictionary<int, Expr>) =
    let length = node.Shape.Head
    let entry = zeros node.Shape.Tail

    match Dim.tryConstant length with
    | Some n when int64 positions.Count * 4L >= n ->
        stack
            [ for k in 0 .. int n - 1 ->
                  match positions.TryGetValue k with
                  | true, e -> e
                  | _ -> entry ]
    | _ ->
        positions
        |> Seq.map (fun p -> pad 0 (Dim.constant (int64 p.Key)) length (unsqueeze 0 p.Value))
        |> Seq.reduce add

let private total (node: Expr) received =
    if received.Positions.Count = 0 then
        received.Whole
    else
        let assembled = assemble node received.Positions

        Some(
            received.Whole
            |> Option.map (fun whole -> add whole assembled)
            |> Option.defaultValue assembled
        )

/// The cotangent of what the user gave a name goes by that name: see `Naming.wanted`.
let private nameAfter (node: Expr) (cotangent: Expr) =
    let isInput =
        match cotangent.Op with
        | Input _ -> true
        | _ -> false

    match tryOrigin node with
    | Some { Name = Some name } when cotangent.DependsOn.HasFlag Dependence.Cotangent && not isInput ->
        recordOrigin { Span = SourceSpan.None; Text = ""; Name = Some name } cotangent
    | Some _
    | None -> ()

/// The nodes on a path from `wrt` to the results, results first. What is in `wrt` counts as independent.
let private pathsTo (results: Expr list) (wrt: HashSet<Expr>) =
    let varies = HashSet<Expr>(HashIdentity.Reference)
    let nodes = topologicalBy (fun e -> if wrt.Contains e then [] else e.Args) results

    for node in nodes do
        if wrt.Contains node || List.exists varies.Contains node.Args then
            varies.Add node |> ignore

    varies, nodes |> List.filter varies.Contains |> List.rev

/// The vector-Jacobian products of the results (each with its cotangent) by each node of `wrt`, None where no result depends on it.
let tryVjp (results: (Expr * Expr) list) (wrt: Expr list) : Expr option list =
    let independent = HashSet<Expr>(wrt, HashIdentity.Reference)
    let varies, order = pathsTo (List.map fst results) independent
    let cotangents = Dictionary<Expr, Received>(HashIdentity.Reference)

    let receive (node: Expr) =
        match cotangents.TryGetValue node with
        | true, own -> own
        | _ ->
            let own = received ()
            cotangents[node] <- own
            own

    let send (operand: Expr) (cotangent: Expr) =
        if not (isZero cotangent) then
            let own = receive operand
            own.Whole <- Some(plus cotangent own.Whole)

    let sendPosition (operand: Expr) position cotangent =
        let positions = (receive operand).Positions

        positions[position] <-
            match positions.TryGetValue position with
            | true, earlier -> add earlier cotangent
            | _ -> cotangent

    for result, cotangent in results do
        if varies.Contains result then
            send result cotangent

    let totalOf node =
        match cotangents.TryGetValue node with
        | true, own -> total node own
        | _ -> None

    for node in order do
        if not (independent.Contains node) then
            let total = totalOf node
            Option.iter (nameAfter node) total

            match total, node.Op with
            | None, _ -> ()
            | Some w, Index(0, position) -> sendPosition node.Args.Head position w
            | Some w, _ ->
                for operand, cotangent in List.zip node.Args (cotangentsOf node w) do
                    if varies.Contains operand then
                        Option.iter (send operand) cotangent

    wrt |> List.map totalOf

/// The same with zeros where no result depends on a node.
let vjp (results: (Expr * Expr) list) (wrt: Expr list) : Expr list =
    List.map2 (fun (x: Expr) g -> g |> Option.defaultValue (zeros x.Shape)) wrt (tryVjp results wrt)
