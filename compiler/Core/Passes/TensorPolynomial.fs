/// Proves that an expression is zero: it is written as a sum of products of entries, sum over i of c * A[i,j] * x[i] * ..., with
/// summation indices renamed to a normal form, and like products are collected. Tensors stay whole and sizes may be open.
///
///     (A @ x) * y - y * (x @ A.T)        is zero: both are the sum over k of A[i,k] x[k] y[i]
///
/// Whatever is no sum or product (exp(x), a quotient) counts as an entry of its own, so a `false` is no disproof.
module internal DiffEqLang.Compiler.Passes.TensorPolynomial

open System.Collections.Generic
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Dim
open DiffEqLang.Compiler.Ir.Shape
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Passes.Rules.Rule

type private Label =
    /// An axis of the result.
    | Axis of int
    /// Summed over.
    | Summed of int
    /// One position.
    | At of int

type private Factor =
    | Entry of id: int64 * Label list
    /// 1 where the labels agree, else 0.
    | Delta of Label * Label
    /// The number of values of a summation index.
    | Range of Label * Dim

type private Term = { Coefficient: float; Factors: Factor list }

exception private TooLarge

/// Products beyond this many terms are not multiplied out.
let private largest = 4096

let private limited (terms: Term list) = if terms.Length > largest then raise TooLarge else terms

let private product (a: Term list) (b: Term list) =
    if a.Length * b.Length > largest then
        raise TooLarge

    [ for s in a do
          for t in b -> { Coefficient = s.Coefficient * t.Coefficient; Factors = s.Factors @ t.Factors } ]

let private scaled c terms = terms |> List.map (fun t -> { t with Coefficient = c * t.Coefficient })
let private factor f = [ { Coefficient = 1.0; Factors = [ f ] } ]

let rec private power terms n = if n = 1 then terms else product terms (power terms (n - 1))

/// The terms of the entry of `e` that the labels name.
let rec private termsOf (fresh: unit -> Label) (e: Expr) (labels: Label list) : Term list =
    let terms = termsOf fresh
    let elementwise (a: Expr) = terms a (if isScalar a.Shape then [] else labels)
    let entry (e: Expr) = factor (Entry(e.Id, if isScalar e.Shape then [] else labels))

    /// Labels for an operand with new summation indices on some axes.
    let summing (paired: (int * Label) list) rank free =
        let next = Queue<Label>(free: Label list)

        [ for axis in 0 .. rank - 1 ->
              match List.tryFind (fun (i, _) -> i = axis) paired with
              | Some(_, label) -> label
              | None -> next.Dequeue() ]

    match e.Op, e.Args with
    | Number 0.0, _ -> []
    | Number c, _ -> [ { Coefficient = c; Factors = [] } ]
    | Add, [ a; b ] -> limited (elementwise a @ elementwise b)
    | Subtract, [ a; b ] -> limited (elementwise a @ scaled -1.0 (elementwise b))
    | Negate, [ a ] -> scaled -1.0 (elementwise a)
    | Multiply, [ a; b ] -> product (elementwise a) (elementwise b)
    | Divide, [ a; { Op = Number c } ] when c <> 0.0 -> scaled (1.0 / c) (elementwise a)
    | Divide, [ a; b ] when not (Build.(|One|_|) a).IsSome ->
        product (elementwise a) (elementwise (Build.div (Build.number 1.0) b))
    | Power, [ a; Whole n ] when n >= 1 && n <= 8 -> power (elementwise a) n
    | Contract(left, right), [ a; b ] ->
        let sums = left |> List.map (fun _ -> fresh ())
        let ranges = List.map2 (fun i s -> Range(s, a.Shape[i])) left sums
        let kept = a.Shape.Length - left.Length
        let ofA = terms a (summing (List.zip left sums) a.Shape.Length (List.take kept labels))
        let ofB = terms b (summing (List.zip right sums) b.Shape.Length (List.skip kept labels))
        product [ { Coefficient = 1.0; Factors = ranges } ] (product ofA ofB)
    | Reduce(Sum, axes), [ a ] ->
        let sums = axes |> List.map (fun _ -> fresh ())
        let ranges = List.map2 (fun i s -> Range(s, a.Shape[i])) axes sums

        product
            [ { Coefficient = 1.0; Factors = ranges } ]
            (terms a (summing (List.zip axes sums) a.Shape.Length labels))
    | Permute axes, [ a ] -> terms a [ for i in 0 .. axes.Length - 1 -> labels[List.findIndex ((=) i) axes] ]
    | Broadcast(_, axes), [ a ] -> terms a (axes |> List.map (fun i -> labels[i]))
    | Index(axis, position), [ a ] -> terms a (List.insertAt axis (At position) labels)
    | Stack, parts ->
        limited
            [ for k, part in List.indexed parts do
                  yield! product (factor (Delta(labels.Head, At k))) (terms part labels.Tail) ]
    | Identity _, _ -> factor (Delta(labels[0], labels[1]))
    | DiagonalMatrix, [ a ] ->
        let last = labels.Length - 1
        product (factor (Delta(labels[last - 1], labels[last]))) (terms a (List.take last labels))
    | Diagonal, [ a ] -> terms a (labels @ [ List.last labels ])
    | (Add | Subtract | Negate | Multiply | Divide | Power | Contract _ | Reduce _ | Permute _ | Broadcast _ | Index _),
      _
    | (DiagonalMatrix | Diagonal | Input _ | Call _ | Compare _ | And | Or | Not | Select | Slice _ | Pad _ | Concat),
      _
    | (Reshape _ | Derivative _ | BatchSum), _ -> entry e

let private relabel from target (term: Term) =
    let label l = if l = from then target else l

    let inFactor f =
        match f with
        | Entry(id, labels) -> Entry(id, List.map label labels)
        | Delta(a, b) -> Delta(label a, label b)
        | Range(l, n) -> Range(label l, n)

    { term with Factors = List.map inFactor term.Factors }

/// Uses up the deltas: a summation index equal to another label is that label. None where the term is zero.
let rec private contractDeltas (settled: Factor list) (term: Term) : Term option =
    match
        List.tryFindIndex
            (fun f ->
                match f with
                | Delta _ -> true
                | Entry _
                | Range _ -> false)
            term.Factors
    with
    | None -> Some { term with Factors = List.distinct settled @ term.Factors }
    | Some i ->
        let rest = { term with Factors = List.removeAt i term.Factors }

        match term.Factors[i] with
        | Delta(a, b) when a = b -> contractDeltas settled rest
        | Delta(At _, At _) -> None
        | Delta((Summed _ as s), other)
        | Delta(other, (Summed _ as s)) -> contractDeltas settled (relabel s other rest)
        | Delta(Axis a, Axis b) ->
            contractDeltas
                (Delta(Axis(min a b), Axis(max a b)) :: settled)
                (relabel (Axis(max a b)) (Axis(min a b)) rest)
        | Delta((Axis _ as axis), (At _ as at))
        | Delta((At _ as at), (Axis _ as axis)) ->
            contractDeltas (Delta(axis, at) :: settled) (relabel axis at rest)
        | Entry _
        | Range _ -> Build.internalError "A delta was looked for."

let private labelsOf f =
    match f with
    | Entry(_, labels) -> labels
    | Delta(a, b) -> [ a; b ]
    | Range _ -> []

/// Drops the ranges of indices that entries carry; an index that nothing carries counts its values.
let private countRanges (term: Term) =
    let carried = term.Factors |> List.collect labelsOf |> HashSet

    let count (coefficient, kept) f =
        match f with
        | Range((Summed _ as s), n) when not (carried.Contains s) ->
            match Dim.tryConstant n with
            | Some n -> coefficient * float n, kept
            | None -> coefficient, Range(At 0, n) :: kept
        | Range _ -> coefficient, kept
        | Entry _
        | Delta _ -> coefficient, f :: kept

    let coefficient, factors = List.fold count (term.Coefficient, []) term.Factors
    { Coefficient = coefficient; Factors = factors }

let rec private permutations items =
    match items with
    | [] -> [ [] ]
    | _ ->
        [ for item in items do
              for rest in permutations (List.except [ item ] items) -> item :: rest ]

let private code label =
    match label with
    | Axis a -> 0, a
    | At k -> 1, k
    | Summed s -> 2, s

let private keyOf f =
    match f with
    | Entry(id, labels) -> string id, List.map code labels
    | Delta(a, b) -> "=", [ code a; code b ]
    | Range(_, n) -> "#" + string n, []

/// Factors sorted, summation indices named so that the result is least: all namings for a few indices, the first found for more.
let private normalKey (term: Term) =
    let isSum l =
        match l with
        | Summed _ -> true
        | Axis _
        | At _ -> false

    let sums = term.Factors |> List.collect labelsOf |> List.filter isSum |> List.distinct
    let namings = if sums.Length <= 5 then permutations sums else [ sums ]

    let keyUnder naming =
        // Two steps: the new names must not meet the old ones.
        let moved =
            naming |> List.indexed |> List.fold (fun t (i, s) -> relabel s (Summed(-1 - i)) t) term

        moved.Factors |> List.map keyOf |> List.sort

    namings |> List.map keyUnder |> List.min

/// Coefficients that are sums of rounded numbers vanish to this fraction of what was added.
let private rounding = 1e-12

/// Whether the expression is zero for all values of its inputs. `true` is a proof (up to rounding of the numbers in it).
let isZero (e: Expr) : bool =
    let mutable count = 0

    let fresh () =
        count <- count + 1
        Summed count

    try
        termsOf fresh e (List.init e.Shape.Length Axis)
        |> List.choose (contractDeltas [])
        |> List.map countRanges
        |> List.groupBy normalKey
        |> List.forall (fun (_, terms) ->
            let total = terms |> List.sumBy _.Coefficient
            abs total <= rounding * (terms |> List.sumBy (fun t -> abs t.Coefficient)))
    with TooLarge ->
        false
