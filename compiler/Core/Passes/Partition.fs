/// Whether a system falls into positions and momenta, as symplectic methods need it: q' a function of t and p, p' one of t and q.
///
///     dq/dt = p,  dp/dt = -sin(q)      positions q, momenta p
///
/// Who reads whom is a graph over the states, over their elements where they are vectors of a known size. The system falls into two
/// parts where the graph can be coloured with two colours, the ends of every edge differently; the first state of each connected
/// component is a position.
module internal DiffEqLang.Compiler.Passes.Partition

open System.Collections.Generic
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Dim
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Dynamics

/// A state, or an element of one.
type private Node =
    {
        Symbol: Symbol
        Offset: Dim
        Size: Dim
        Drift: Expr
        /// The drift of the whole state, as it was written.
        Written: Expr
    }

let private nodesOf (c: Component, drift: Expr) =
    let symbols = Elements.ofSymbol c.Symbol
    let sizes = symbols |> List.map (fun s -> Shape.size s.Shape)
    let offsets = sizes |> List.scan Dim.add c.Offset

    [ for symbol, offset, drift in List.zip3 symbols (List.take sizes.Length offsets) (Elements.ofValue drift) ->
          { Symbol = symbol
            Offset = offset
            Size = Shape.size symbol.Shape
            Drift = drift
            Written = c.Drift } ]

let private isState (symbol: Symbol) = symbol.Role = State

let private nodes (components: Component list) : Node list =
    let nodes =
        components
        |> List.map _.Drift
        |> Elements.spread isState
        |> List.zip components
        |> List.collect nodesOf

    let drifts = nodes |> List.map _.Drift |> Simplify.run
    List.map2 (fun node drift -> { node with Drift = drift }) nodes drifts

/// The terms of a sum.
let rec private terms (e: Expr) =
    match e.Op with
    | Add
    | Subtract
    | Negate -> List.collect terms e.Args
    | _ -> [ e ]

/// The term of a derivative that reads a state; of an element of a vector whose terms are vectors, the vector.
let private offending (read: Symbol) (node: Node) =
    let reads (e: Expr) = Elements.spread isState [ e ] |> Expr.inputs |> List.contains read

    (match node.Drift.Op with
     | Index _ -> node.Written
     | _ -> node.Drift)
    |> terms
    |> List.find reads
    |> Print.inlined

/// By node, whether it is a position; or two nodes of one part of which the first reads the second.
let private colour (nodes: Node[]) (reads: int list[]) =
    let isPosition = Array.create nodes.Length None
    let neighbours = Array.init nodes.Length (fun i -> HashSet reads[i])

    for i in 0 .. nodes.Length - 1 do
        for j in reads[i] do
            neighbours[j].Add i |> ignore

    for first in 0 .. nodes.Length - 1 do
        if isPosition[first].IsNone then
            let pending = Queue [ first ]
            isPosition[first] <- Some true

            while pending.Count > 0 do
                let i = pending.Dequeue()

                for j in neighbours[i] do
                    if isPosition[j].IsNone then
                        isPosition[j] <- Option.map not isPosition[i]
                        pending.Enqueue j

    let conflict =
        Seq.indexed reads
        |> Seq.tryPick (fun (i, read) ->
            read
            |> List.tryFind (fun j -> isPosition[i] = isPosition[j])
            |> Option.map (fun j -> i, j))

    match conflict with
    | Some pair -> Error pair
    | None -> Ok(Array.map Option.get isPosition)

/// Of each position the state that is its derivative as it stands, as in q'' = a(t, q); or the first for which there is none.
let private velocities (places: Dictionary<Symbol, int>) (nodes: Node[]) (positions: Node list) =
    let ofPosition (node: Node) =
        match node.Drift.Op with
        | Input symbol when places.ContainsKey symbol && symbol.Shape = node.Symbol.Shape ->
            Ok nodes[places[symbol]]
        | _ ->
            Error(
                sprintf
                    "the derivative of `%s` is `%s`, and not a state of its own"
                    node.Symbol.Name
                    (Print.inlined node.Drift)
            )

    let found = positions |> List.map ofPosition

    let shared =
        List.zip positions found
        |> List.groupBy snd
        |> List.tryPick (fun (velocity, same) ->
            match velocity, same with
            | Ok velocity, (first, _) :: (second, _) :: _ ->
                Some(
                    sprintf
                        "`%s` is the derivative of both `%s` and `%s`"
                        velocity.Symbol.Name
                        first.Symbol.Name
                        second.Symbol.Name
                )
            | _ -> None)

    let wrong =
        found
        |> List.tryPick (fun velocity ->
            match velocity with
            | Error reason -> Some reason
            | Ok _ -> None)

    match wrong, shared with
    | Some reason, _
    | None, Some reason -> Error reason
    | None, None -> Ok(found |> List.choose Result.toOption |> List.map _.Offset)

/// Neighbouring entries as one block, offset by length; of those that have partners, where the partners are neighbours too.
let private blocks (entries: (Dim * Dim * Dim option) list) =
    let join blocks (offset, size, partner) =
        match blocks with
        | (first, length, ofFirst) :: rest when
            Dim.add first length = offset
            && Option.map (fun ofFirst -> Dim.add ofFirst length) ofFirst = partner
            ->
            (first, Dim.add length size, ofFirst) :: rest
        | _ -> (offset, size, partner) :: blocks

    entries |> List.fold join [] |> List.rev

/// The positions as blocks, with where the derivatives of each lie.
let private separable places nodes (positions: Node list) : Partition =
    let found = velocities places nodes positions

    let partners =
        match found with
        | Ok offsets -> offsets |> List.map Some
        | Error _ -> positions |> List.map (fun _ -> None)

    let blocks =
        List.zip positions partners
        |> List.map (fun (node, partner) -> node.Offset, node.Size, partner)
        |> blocks

    Separable(
        [ for offset, length, _ in blocks -> offset, length ],
        found |> Result.map (fun _ -> [ for _, _, partner in blocks -> partner.Value ])
    )

let analyse (components: Component list) : Partition =
    let nodes = Array.ofList (nodes components)
    let places = Dictionary(nodes |> Seq.mapi (fun i node -> KeyValuePair(node.Symbol, i)))

    let reads =
        nodes
        |> Array.map (fun node ->
            Expr.inputs [ node.Drift ]
            |> List.filter places.ContainsKey
            |> List.map (fun s -> places[s]))

    match colour nodes reads with
    | Error(i, j) when i = j ->
        let name = nodes[i].Symbol.Name

        Inseparable(
            sprintf
                "the derivative of `%s` depends on `%s` itself, in `%s`"
                name
                name
                (offending nodes[j].Symbol nodes[i])
        )
    | Error(i, j) ->
        let name, read = nodes[i].Symbol.Name, nodes[j].Symbol.Name

        Inseparable(
            sprintf
                "the derivative of `%s` depends on `%s`, in `%s`, and the other equations put both into one part"
                name
                read
                (offending nodes[j].Symbol nodes[i])
        )
    | Ok isPosition ->
        let positions =
            List.zip (List.ofArray nodes) (List.ofArray isPosition) |> List.filter snd |> List.map fst

        if positions.Length = nodes.Length then
            Inseparable "no derivative depends on a state"
        else
            separable places nodes positions
