/// Rearrangements that undo each other, parts taken out of what was put together, repetitions put off, and diagonals kept
/// as vectors: this is what makes the Jacobian of an elementwise function cost no matrix.
module internal DiffEqLang.Compiler.Passes.Rules.Arrangement

open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Dim
open DiffEqLang.Compiler.Ir.Shape
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Build
open DiffEqLang.Compiler.Builtins.Rebuild
open DiffEqLang.Compiler.Passes.Rules.Rule

let private x () = operand "x" [ 3 ]
let private matrix () = operand "A" [ 3; 4 ]
let private squareMatrix () = operand "M" [ 3; 3 ]
let private size (n: int) = Dim.constant (int64 n)
let private isAscending axes = axes |> List.pairwise |> List.forall (fun (a, b) -> a < b)

let private repetitions =
    [ { Name = "broadcast of a broadcast"
        Example =
          fun () -> broadcast [ size 2; size 3; size 4 ] [ 1; 2 ] (broadcast [ size 3; size 4 ] [ 0 ] (x ()))
        Apply =
          function
          | { Op = Broadcast(shape, outer)
              Args = [ { Op = Broadcast(_, inner); Args = [ a ] } ] } ->
              Some(broadcast shape (inner |> List.map (fun i -> outer[i])) a)
          | _ -> None }
      { Name = "permutation of a permutation"
        Example = fun () -> permute [ 1; 2; 0 ] (permute [ 1; 0; 2 ] (operand "T" [ 2; 3; 4 ]))
        Apply =
          function
          | { Op = Permute outer; Args = [ { Op = Permute inner; Args = [ a ] } ] } ->
              Some(permute (outer |> List.map (fun i -> inner[i])) a)
          | _ -> None }
      { Name = "permutation of a broadcast"
        Example = fun () -> transpose (broadcast [ size 3; size 4 ] [ 0 ] (x ()))
        Apply =
          function
          | { Op = Permute order
              Shape = shape
              Args = [ { Op = Broadcast(_, axes); Args = [ a ] } ] } ->
              let moved = axes |> List.map (fun axis -> List.findIndex ((=) axis) order)
              if isAscending moved then Some(broadcast shape moved a) else None
          | _ -> None }
      { Name = "reshape of a reshape"
        Example = fun () -> reshape [ size 2; size 6 ] (reshape [ size 12 ] (matrix ()))
        Apply =
          function
          | { Op = Reshape shape; Args = [ { Op = Reshape _; Args = [ a ] } ] } -> Some(reshape shape a)
          | _ -> None } ]

/// A scalar repeated beside a whole operand: the operation repeats scalars by itself.
let private bareScalar (e: Expr) =
    let isSpread (a: Expr) =
        match a.Op with
        | Broadcast(_, []) -> true
        | _ -> false

    let bare (a: Expr) = if isSpread a then a.Args.Head else a

    if
        isElementwise e
        && e.Args |> List.exists isSpread
        && e.Args |> List.exists (fun a -> a.Shape = e.Shape && not (isSpread a))
    then
        Some(rebuild e (e.Args |> List.map bare))
    else
        None

/// f(repeated a, repeated b, scalar) works on a and b before they are repeated.
let private repeatLater (e: Expr) =
    let axesOf (a: Expr) =
        match a.Op with
        | Broadcast(_, axes) -> Some axes
        | _ -> None

    let whole = e.Args |> List.filter (fun a -> not (isScalar a.Shape))

    match whole |> List.map axesOf |> List.distinct with
    | [ Some axes ] when isElementwise e ->
        let inner = e.Args |> List.map (fun a -> if isScalar a.Shape then a else a.Args.Head)
        Some(broadcast e.Shape axes (rebuild e inner))
    | _ -> None

let private hasZero (e: Expr) = e.Op = Stack && List.exists isZero e.Args

/// Sums and products of stacks where one has zeros: the zeros vanish.
let private stackArithmetic (e: Expr) =
    let fits (a: Expr) = a.Op = Stack || isScalar a.Shape

    match e.Op with
    | Add
    | Subtract
    | Multiply
    | Negate when List.exists hasZero e.Args && List.forall fits e.Args ->
        let part k (a: Expr) = if a.Op = Stack then a.Args[k] else a
        let count = e.Args |> List.pick (fun a -> if a.Op = Stack then Some a.Args.Length else None)

        Some(
            stack
                [ for k in 0 .. count - 1 ->
                      rebuild e (e.Args |> List.map (part k)) |> broadcastTo e.Shape.Tail ]
        )
    | _ -> None

let private elementwiseRules =
    [ { Name = "scalar repeated in vain"
        Example = fun () -> mul (broadcast [ size 3 ] [] (operand "s" [])) (x ())
        Apply = bareScalar }
      { Name = "elementwise before repeating"
        Example = fun () -> elementwise "exp" [ broadcast [ size 3; size 4 ] [ 0 ] (x ()) ]
        Apply = repeatLater }
      { Name = "arithmetic of stacks with zeros"
        Example =
          fun () ->
              let a, b = operand "a" [], operand "b" []
              add (stack [ a; number 0.0 ]) (stack [ number 0.0; b ])
        Apply = stackArithmetic } ]

/// The part of a concatenation that holds a position, with the position inside of it.
let private findPart (parts: Expr list) (position: int64) =
    let rec go (parts: Expr list) position =
        match parts with
        | [] -> None
        | part :: rest ->
            match part.Shape |> List.tryHead |> Option.defaultValue Dim.one |> Dim.tryConstant with
            | Some n when position < n -> Some(part, int position)
            | Some n -> go rest (position - n)
            | None -> None

    go parts position

let private indexOf axis position (a: Expr) =
    match a.Op, a.Args with
    | Stack, parts when axis = 0 -> Some parts[position]
    | Stack, parts -> Some(stack (parts |> List.map (index (axis - 1) position)))
    | Concat, parts when axis = 0 ->
        findPart parts position
        |> Option.map (fun (part, inside) -> if isScalar part.Shape then part else index 0 inside part)
    | Permute order, [ b ] ->
        let taken = order[axis]
        let left = order |> List.removeAt axis |> List.map (fun i -> if i > taken then i - 1 else i)
        Some(permute left (index taken position b))
    | Broadcast(shape, axes), [ b ] ->
        let rest = List.removeAt axis shape

        let moved =
            axes |> List.filter ((<>) axis) |> List.map (fun i -> if i > axis then i - 1 else i)

        match List.tryFindIndex ((=) axis) axes with
        | Some own -> Some(broadcast rest moved (index own position b))
        | None -> Some(broadcast rest moved b)
    | Slice(along, from, _), [ b ] when along = axis ->
        Dim.tryConstant from |> Option.map (fun from -> index axis (position + int from) b)
    | Identity n, _ ->
        match Dim.tryConstant n with
        | Some n when n <= 16L ->
            Some(stack [ for k in 0 .. int n - 1 -> number (if k = position then 1.0 else 0.0) ])
        | _ -> None
    | _ -> None

let private sliceOf axis (from: Dim) (upTo: Dim) (a: Expr) =
    match a.Op, a.Args with
    | Slice(along, start, _), [ b ] when along = axis ->
        Some(slice axis (Dim.add start from) (Dim.add start upTo) b)
    | Pad(along, start, _), [ b ] when along = axis && start = from && Dim.add start b.Shape[axis] = upTo ->
        Some b
    | Stack, parts when axis = 0 ->
        match Dim.tryConstant from, Dim.tryConstant upTo with
        | Some i, Some j when i < j -> Some(stack parts[int i .. int j - 1])
        | _ -> None
    | Concat, parts when axis = 0 ->
        let starts =
            parts
            |> List.scan
                (fun at p -> Dim.add at (p.Shape |> List.tryHead |> Option.defaultValue Dim.one))
                Dim.zero

        match List.tryFindIndex ((=) from) starts, List.tryFindIndex ((=) upTo) starts with
        | Some i, Some j when i < j -> Some(concat parts[i .. j - 1])
        | _ -> None
    | _ -> None

/// [x[0], x[1], x[2]] is x.
let private stackOfIndexes (parts: Expr list) =
    let source k (part: Expr) =
        match part.Op, part.Args with
        | Index(0, position), [ a ] when position = k -> Some a
        | _ -> None

    match parts |> List.mapi source |> List.distinct with
    | [ Some a ] when a.Shape.Head = size parts.Length -> Some a
    | _ -> None

let private parts =
    [ { Name = "index of what was put together"
        Example = fun () -> index 0 1 (stack [ x (); operand "y" [ 3 ] ])
        Apply =
          function
          | { Op = Index(axis, position); Args = [ a ] } -> indexOf axis position a
          | _ -> None }
      { Name = "slice of what was put together"
        Example = fun () -> slice 0 (size 3) (size 5) (concat [ x (); operand "y" [ 2 ]; operand "s" [] ])
        Apply =
          function
          | { Op = Slice(axis, from, upTo); Args = [ a ] } -> sliceOf axis from upTo a
          | _ -> None }
      { Name = "stack of all positions"
        Example = fun () -> stack [ index 0 0 (x ()); index 0 1 (x ()); index 0 2 (x ()) ]
        Apply =
          function
          | { Op = Stack; Args = parts } -> stackOfIndexes parts
          | _ -> None }
      { Name = "concatenation of scalars"
        Example = fun () -> concat [ operand "a" []; operand "b" [] ]
        Apply =
          function
          | { Op = Concat; Args = parts } when parts |> List.forall (fun p -> isScalar p.Shape) ->
              Some(stack parts)
          | _ -> None } ]

let private diagonalOf (a: Expr) =
    let last = a.Shape.Length - 1

    match a.Op, a.Args with
    | DiagonalMatrix, [ d ] -> Some d
    | Permute order, [ b ] when List.take (last - 1) order = [ 0 .. last - 2 ] -> Some(diagonal b)
    | Broadcast(shape, axes), [ b ] when not (List.contains last axes && List.contains (last - 1) axes) ->
        Some(
            broadcast
                (List.take last shape)
                (axes |> List.map (fun axis -> if axis = last then last - 1 else axis))
                b
        )
    | Contract([ left ], [ right ]), [ l; r ] when l.Shape.Length = 2 && r.Shape.Length = 2 ->
        // The diagonal of L R is the row sums of L * R': no matrix product.
        let rows = if left = 1 then l else transpose l
        let columns = if right = 0 then transpose r else r
        Some(sum [ 1 ] (mul rows columns))
    | _ when isElementwise a ->
        Some(
            rebuild a (a.Args |> List.map (fun b -> if isScalar b.Shape then b else diagonal b))
            |> broadcastTo (List.take last a.Shape)
        )
    | _ -> None

let private diagonalArithmetic (e: Expr) =
    match e.Op, e.Args with
    | Multiply, [ DiagonalForm d; m ] when isScalar m.Shape -> Some(diagonalMatrix (mul m d))
    | Multiply, [ m; DiagonalForm d ] when isScalar m.Shape -> Some(diagonalMatrix (mul m d))
    | Multiply, [ DiagonalForm d; m ] -> Some(diagonalMatrix (mul d (diagonal m)))
    | Multiply, [ m; DiagonalForm d ] -> Some(diagonalMatrix (mul (diagonal m) d))
    | Divide, [ DiagonalForm d; s ] when isScalar s.Shape -> Some(diagonalMatrix (div d s))
    | Add, [ DiagonalForm a; DiagonalForm b ] -> Some(diagonalMatrix (add a b))
    | Subtract, [ DiagonalForm a; DiagonalForm b ] -> Some(diagonalMatrix (sub a b))
    | Negate, [ DiagonalForm d ] -> Some(diagonalMatrix (neg d))
    | _ -> None

let private diagonals =
    [ { Name = "diagonal of a known structure"
        Example = fun () -> diagonal (matmul (matrix ()) (operand "B" [ 4; 3 ]))
        Apply =
          function
          | { Op = Diagonal; Args = [ a ] } -> diagonalOf a
          | _ -> None }
      { Name = "arithmetic of diagonal matrices"
        Example = fun () -> mul (diagonalMatrix (x ())) (squareMatrix ())
        Apply = diagonalArithmetic }
      { Name = "diagonal matrix transposed"
        Example = fun () -> transpose (diagonalMatrix (x ()))
        Apply =
          function
          | { Op = Permute [ 1; 0 ]; Args = [ DiagonalForm d ] } -> Some(diagonalMatrix d)
          | _ -> None } ]

let rules = repetitions @ elementwiseRules @ parts @ diagonals
