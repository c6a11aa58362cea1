/// Contractions and reductions: factors taken out, diagonal matrices and repetitions never multiplied out, transposes
/// absorbed, traces of products without the product.
module internal DiffEqLang.Compiler.Passes.Rules.Contraction

open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Dim
open DiffEqLang.Compiler.Ir.Shape
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Build
open DiffEqLang.Compiler.Passes.Rules.Rule

let private x () = operand "x" [ 3 ]
let private a () = operand "A" [ 3; 4 ]
let private m () = operand "M" [ 3; 3 ]
let private except axes (e: Expr) = List.except axes (allAxes e)

/// A number or sign of an operand, taken out.
let private factor (left: int list) (right: int list) (l: Expr) (r: Expr) =
    match l, r with
    | Scaled(c, l), _ -> Some(scale c (contract left right l r))
    | _, Scaled(c, r) -> Some(scale c (contract left right l r))
    | Negated l, _ -> Some(neg (contract left right l r))
    | _, Negated r -> Some(neg (contract left right l r))
    | _ -> None

/// diag(d) @ B scales rows, A @ diag(d) columns.
let private withDiagonal (left: int list) (right: int list) (l: Expr) (r: Expr) =
    let scaled axis (d: Expr) (e: Expr) = mul (broadcast e.Shape [ axis ] d) e

    match l, left, r, right with
    | { Op = DiagonalMatrix; Args = [ d ] }, [ _ ], _, [ axis ] when d.Shape.Length = 1 ->
        Some(permute (axis :: except [ axis ] r) (scaled axis d r))
    | _, [ axis ], { Op = DiagonalMatrix; Args = [ d ] }, [ _ ] when d.Shape.Length = 1 ->
        Some(permute (except [ axis ] l @ [ axis ]) (scaled axis d l))
    | _ -> None

/// A transposed operand is paired along its own axes, where the axes left over keep their order.
let private ofPermuted (left: int list) (right: int list) (l: Expr) (r: Expr) =
    let inOrder (order: int list) paired =
        [ 0 .. order.Length - 1 ]
        |> List.except paired
        |> List.map (fun i -> order[i])
        |> List.pairwise
        |> List.forall (fun (i, j) -> i < j)

    match l, r with
    | { Op = Permute order; Args = [ e ] }, _ when inOrder order left ->
        Some(contract (left |> List.map (fun i -> order[i])) right e r)
    | _, { Op = Permute order; Args = [ e ] } when inOrder order right ->
        Some(contract left (right |> List.map (fun i -> order[i])) l e)
    | _ -> None

/// An axis along which an operand only repeats itself: the other is summed.
let private ofRepeated (left: int list) (right: int list) (l: Expr) (r: Expr) =
    let drop axis (e: Expr) =
        match e with
        | { Op = Broadcast(shape, axes); Args = [ inner ] } when not (List.contains axis axes) ->
            Some(
                broadcast
                    (List.removeAt axis shape)
                    (axes |> List.map (fun i -> if i > axis then i - 1 else i))
                    inner
            )
        | _ -> None

    match left, right with
    | [ i ], [ j ] ->
        match drop i l, drop j r with
        | Some smaller, _ -> Some(contract [] [] smaller (sum [ j ] r))
        | None, Some smaller -> Some(contract [] [] (sum [ i ] l) smaller)
        | None, None -> None
    | _ -> None

/// (u outer v) @ w is u times (v @ w).
let private ofOuter (left: int list) (right: int list) (l: Expr) (r: Expr) =
    match l, r with
    | { Op = Contract([], []); Args = [ u; v ] }, _ when
        not left.IsEmpty && left |> List.forall (fun i -> i >= u.Shape.Length)
        ->
        Some(outer u (contract (left |> List.map (fun i -> i - u.Shape.Length)) right v r))
    | _, { Op = Contract([], []); Args = [ u; v ] } when
        not right.IsEmpty && right |> List.forall (fun i -> i < u.Shape.Length)
        ->
        Some(outer (contract left right l u) v)
    | _ -> None

/// A number <L, c * R> with c repeated along some axes of R: what does not depend on c is summed first. The trace of the Jacobian
/// of a one-layer network is then a dot product with a vector of its weights alone.
let private ofRepeatedFactor (left: int list) (right: int list) (l: Expr) (r: Expr) =
    /// l's axes in r's order.
    let paired (left: int list) (right: int list) (l: Expr) =
        permute (List.zip right left |> List.sortBy fst |> List.map snd) l

    let pull axes c (other: Expr) (rest: Expr) =
        let kept = sum (except axes rest) (mul other rest)
        contract (allAxes c) (allAxes c) kept c

    let isWhole = left.Length = l.Shape.Length && right.Length = r.Shape.Length

    match l, r with
    | _, { Op = Multiply; Args = [ { Op = Broadcast(_, axes); Args = [ c ] }; rest ] } when
        isWhole && rest.Shape = r.Shape
        ->
        Some(pull axes c (paired left right l) rest)
    | { Op = Multiply; Args = [ { Op = Broadcast(_, axes); Args = [ c ] }; rest ] }, _ when
        isWhole && rest.Shape = l.Shape
        ->
        Some(pull axes c (paired right left r) rest)
    | _ -> None

let private onContract (apply: int list -> int list -> Expr -> Expr -> Expr option) (e: Expr) =
    match e.Op, e.Args with
    | Contract(left, right), [ l; r ] -> apply left right l r
    | _ -> None

/// A permutation that only exchanges the two operands' axes: the operands change places.
let private exchanged (e: Expr) =
    match e with
    | { Op = Permute order
        Args = [ { Op = Contract(left, right); Args = [ l; r ] } ] } ->
        let kept = l.Shape.Length - left.Length

        if order = [ kept .. order.Length - 1 ] @ [ 0 .. kept - 1 ] then
            Some(contract right left r l)
        else
            None
    | _ -> None

let private contractions =
    [ { Name = "factor of a contraction"
        Example = fun () -> matmul (scale 2.0 (a ())) (operand "v" [ 4 ])
        Apply = onContract factor }
      { Name = "contraction with a diagonal matrix"
        Example = fun () -> contract [ 0 ] [ 0 ] (a ()) (diagonalMatrix (x ()))
        Apply = onContract withDiagonal }
      { Name = "contraction of a permuted operand"
        Example = fun () -> matmul (transpose (a ())) (x ())
        Apply = onContract ofPermuted }
      { Name = "contraction with a repeated operand"
        Example = fun () -> matmul (broadcast (m ()).Shape [ 0 ] (x ())) (a ())
        Apply = onContract ofRepeated }
      { Name = "contraction of an outer product"
        Example = fun () -> matmul (outer (x ()) (operand "y" [ 4 ])) (operand "z" [ 4 ])
        Apply = onContract ofOuter }
      { Name = "trace with a repeated factor"
        Example =
          fun () ->
              contract
                  [ 1; 0 ]
                  [ 0; 1 ]
                  (operand "B" [ 4; 3 ])
                  (mul (broadcast (a ()).Shape [ 0 ] (x ())) (a ()))
        Apply = onContract ofRepeatedFactor }
      { Name = "permuted contraction"
        Example = fun () -> transpose (outer (x ()) (operand "y" [ 4 ]))
        Apply = exchanged } ]

/// Repeated axes are counted, not summed.
let private sumOfRepeated (axes: int list) (e: Expr) =
    match e with
    | { Op = Broadcast(shape, own); Args = [ inner ] } when
        axes |> List.exists (fun i -> not (List.contains i own))
        ->
        match inner.Op, axes.Length = shape.Length && shape.Length = 1 with
        // The length of an open dim is written as this very sum.
        | Number 1.0, true when not (Dim.tryConstant shape.Head).IsSome -> None
        | _ ->
            let count =
                axes
                |> List.filter (fun i -> not (List.contains i own))
                |> List.map (fun i -> extent shape[i])

            let summed =
                sum
                    (own |> List.indexed |> List.filter (fun (_, i) -> List.contains i axes) |> List.map fst)
                    inner

            let kept = except axes e

            let placed =
                own
                |> List.filter (fun i -> not (List.contains i axes))
                |> List.map (fun i -> List.findIndex ((=) i) kept)

            let rest = kept |> List.map (fun i -> shape[i])
            Some(mul (List.reduce mul count) (broadcast rest placed summed))
    | _ -> None

let private reduceOf reduction (axes: int list) (e: Expr) =
    match reduction, e with
    | Sum, Scaled(c, inner) when inner.Shape = e.Shape -> Some(scale c (sum axes inner))
    | Sum, Negated inner -> Some(neg (sum axes inner))
    | Sum, { Op = DiagonalMatrix; Args = [ d ] } when
        axes = [ e.Shape.Length - 1 ] || axes = [ e.Shape.Length - 2 ]
        ->
        Some d
    | Sum, { Op = Pad(axis, _, _); Args = [ inner ] } when List.contains axis axes -> Some(sum axes inner)
    | (Sum | Product | Maximum | Minimum), { Op = Reduce(within, inner); Args = [ a ] } when
        within = reduction
        ->
        let left = except inner a
        Some(reduce reduction (inner @ (axes |> List.map (fun i -> left[i]))) a)
    | Sum, _ -> sumOfRepeated axes e
    | (Product | Maximum | Minimum), _ -> None

let private trace (e: Expr) =
    match e with
    | { Op = Reduce(Sum, [ 0 ])
        Args = [ { Op = Reduce(Sum, [ 1 ]); Args = [ { Op = Multiply; Args = [ l; r ] } ] } ] } when
        l.Shape = r.Shape && l.Shape.Length = 2
        ->
        Some(contract [ 0; 1 ] [ 0; 1 ] l r)
    | { Op = Reduce(Sum, [ 0 ])
        Args = [ { Op = Diagonal; Args = [ { Op = Contract([ i ], [ j ]); Args = [ l; r ] } ] } ] } when
        l.Shape.Length = 2 && r.Shape.Length = 2
        ->
        Some(contract [ 1 - i; i ] [ 1 - j; j ] l r)
    | _ -> None

let private onReduce (apply: Reduction -> int list -> Expr -> Expr option) (e: Expr) =
    match e.Op, e.Args with
    | Reduce(reduction, axes), [ inner ] -> apply reduction axes inner
    | _ -> None

let private reductions =
    [ { Name = "trace of a product"
        Example = fun () -> Build.trace (matmul (a ()) (operand "B" [ 4; 3 ]))
        Apply = trace }
      { Name = "reduction of a known structure"
        Example = fun () -> sum [ 1 ] (broadcast (a ()).Shape [ 0 ] (x ()))
        Apply = onReduce reduceOf } ]

let rules = contractions @ reductions
