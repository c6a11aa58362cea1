/// Constructors of the IR: each knows the shape of what it makes.
///
/// They apply the identities that involve constants alone: 0 + x, 1*x, x^1, numbers folded, zeros carried through
/// sums and rearrangements, products with the identity matrix. None looks inside an operand that varies: `a + (-b)` stays
/// as written, because `grad(a + u, u)` with `u = -b` must find the node `u` in the expression. What looks inside is a
/// rule of `Passes/Simplify`, which runs when no derivative operator is left.
///
/// 0*x is 0, also where x is infinite or NaN: a term that is not there does not poison a sum.
/// Wrong shapes are internal errors here; `Checking` reports the user's before.
module internal DiffEqLang.Compiler.Ir.Build

open System
open DiffEqLang.Compiler.Ir.Dim
open DiffEqLang.Compiler.Ir.Shape
open DiffEqLang.Compiler.Ir.Expr

/// An error of the compiler itself: never the user's.
exception InternalError of message: string with
    override this.Message =
        "Internal error of the compiler: "
        + this.message
        + " Please report it with the model that caused it."

let internalError format = Printf.ksprintf (fun message -> raise (InternalError message)) format

let number (x: float) = make (Number(if x = 0.0 then 0.0 else x)) [] scalar false
let input (s: Symbol) = make (Input s) [] s.Shape false

/// All elements are one known number.
let (|Uniform|_|) (e: Expr) =
    match e.Op, e.Args with
    | Number x, _ -> Some x
    | Broadcast _, [ { Op = Number x } ] -> Some x
    | _ -> None

let private ifSome test value = if test then Some value else None

let (|Zero|_|) (e: Expr) =
    match e with
    | Uniform x -> ifSome (x = 0.0) ()
    | _ -> None

let (|One|_|) (e: Expr) =
    match e with
    | Uniform x -> ifSome (x = 1.0) ()
    | _ -> None

let isZero e =
    match e with
    | Zero -> true
    | _ -> false

/// Argument axis i becomes result axis `axes[i]` (ascending); the other axes of the shape are repeated.
let broadcast (shape: Shape) (axes: int list) (e: Expr) =
    let fits =
        axes.Length = e.Shape.Length
        && List.forall2 (fun axis size -> axis >= 0 && axis < shape.Length && shape[axis] = size) axes e.Shape
        && List.forall (fun (a, b) -> a < b) (List.pairwise axes)

    if not fits then
        internalError "%s does not broadcast to %s along %A." (print e.Shape) (print shape) axes

    match e with
    | _ when axes.Length = shape.Length -> e
    | Uniform x -> make (Broadcast(shape, [])) [ number x ] shape false
    | _ -> make (Broadcast(shape, axes)) [ e ] shape e.IsBoolean

/// Every element of the shape is `x`.
let filled (shape: Shape) (x: float) = broadcast shape [] (number x)
let zeros shape = filled shape 0.0
let ones shape = filled shape 1.0
let identity (n: Dim) = make (Identity n) [] [ n; n ] false

/// A dim as a scalar expression.
let extent (n: Dim) =
    match Dim.tryConstant n with
    | Some n -> number (float n)
    | None -> make (Reduce(Sum, [ 0 ])) [ ones [ n ] ] scalar false

/// A scalar repeated to the shape; anything else must have the shape already.
let broadcastTo (shape: Shape) (e: Expr) =
    if isScalar e.Shape then broadcast shape [] e
    elif e.Shape = shape then e
    else internalError "%s is not %s." (print e.Shape) (print shape)

/// The shape of an elementwise operation: operands of one shape, or scalars beside it.
let elementwiseShape (shapes: Shape list) =
    match shapes |> List.filter (not << isScalar) |> List.distinct with
    | [] -> Ok scalar
    | [ shape ] -> Ok shape
    | first :: second :: _ -> Error(sprintf "The shapes %s and %s differ." (print first) (print second))

let private commonShape (args: Expr list) =
    match elementwiseShape (args |> List.map _.Shape) with
    | Ok shape -> shape
    | Error message -> internalError "%s" message

let private elementwiseNode op args isBoolean = make op args (commonShape args) isBoolean

/// Folds where both are uniform, otherwise asks `otherwise`.
let private folding (f: float -> float -> float) a b otherwise =
    match a, b with
    | Uniform x, Uniform y -> filled (commonShape [ a; b ]) (f x y)
    | _ -> otherwise (commonShape [ a; b ])

let neg (a: Expr) =
    match a with
    | Uniform x -> filled a.Shape -x
    | _ -> make Negate [ a ] a.Shape false

let add (a: Expr) (b: Expr) =
    folding (+) a b (fun shape ->
        match a, b with
        | Zero, x
        | x, Zero -> broadcastTo shape x
        | _ -> make Add [ a; b ] shape false)

let sub (a: Expr) (b: Expr) =
    folding (-) a b (fun shape ->
        match a, b with
        | x, Zero -> broadcastTo shape x
        | Zero, x -> broadcastTo shape (neg x)
        | _ when a = b -> zeros shape
        | _ -> make Subtract [ a; b ] shape false)

let mul (a: Expr) (b: Expr) =
    folding (*) a b (fun shape ->
        match a, b with
        | Zero, _
        | _, Zero -> zeros shape
        | One, x
        | x, One -> broadcastTo shape x
        | _ -> make Multiply [ a; b ] shape false)

let div (a: Expr) (b: Expr) =
    folding (/) a b (fun shape ->
        match b with
        | One -> broadcastTo shape a
        | _ -> make Divide [ a; b ] shape false)

/// x^0 is 1 for every x, 0 and NaN among them.
let pow (a: Expr) (b: Expr) =
    folding (fun x y -> Math.Pow(x, y)) a b (fun shape ->
        match a, b with
        | _, Zero -> ones shape
        | x, One -> broadcastTo shape x
        | One, _ -> ones shape
        | _ -> make Power [ a; b ] shape false)

let square a = pow a (number 2.0)
let scale (c: float) a = mul (number c) a
let addAll (shape: Shape) (terms: Expr list) = List.fold add (zeros shape) terms

/// A call of an elementwise builtin by name; `Catalogue.call` is for all builtins and folds constants.
let elementwise name (args: Expr list) = elementwiseNode (Call(name, [])) args false

let compare comparison a b = elementwiseNode (Compare comparison) [ a; b ] true
let logicalAnd a b = elementwiseNode And [ a; b ] true
let logicalOr a b = elementwiseNode Or [ a; b ] true
let logicalNot (a: Expr) = make Not [ a ] a.Shape true

let compareNumbers comparison (x: float) (y: float) =
    match comparison with
    | Less -> x < y
    | LessOrEqual -> x <= y
    | Greater -> x > y
    | GreaterOrEqual -> x >= y
    | Equal -> x = y
    | NotEqual -> x <> y

/// Branches are brought to the shape of the result; a condition may stay a scalar.
let select (condition: Expr) (a: Expr) (b: Expr) =
    let shape = commonShape [ condition; a; b ]
    let a, b = broadcastTo shape a, broadcastTo shape b

    match condition.Op, condition.Args with
    | Compare comparison, [ Uniform x; Uniform y ] -> if compareNumbers comparison x y then a else b
    | _ when a = b -> a
    | _ -> make Select [ condition; a; b ] shape (a.IsBoolean || b.IsBoolean)

let private except axes (shape: Shape) =
    shape
    |> List.indexed
    |> List.filter (fun (i, _) -> not (List.contains i axes))
    |> List.map snd

let private checkAxes what (axes: int list) (e: Expr) =
    if List.exists (fun a -> a < 0 || a >= e.Shape.Length) axes || List.distinct axes <> axes then
        internalError "%s along the axes %A of %s." what axes (print e.Shape)

/// Result axis i is argument axis `axes[i]`.
let permute (axes: int list) (e: Expr) =
    checkAxes "A permutation" axes e

    if axes.Length <> e.Shape.Length then
        internalError "%A does not order the axes of %s." axes (print e.Shape)

    let shape = axes |> List.map (fun a -> e.Shape[a])

    match e with
    | _ when axes = [ 0 .. axes.Length - 1 ] -> e
    | Uniform x -> filled shape x
    | _ -> make (Permute axes) [ e ] shape e.IsBoolean

/// All axes in reverse order: Aᵀ.
let transpose (e: Expr) = permute (List.rev [ 0 .. e.Shape.Length - 1 ]) e

/// Sum of products over paired axes; the result has the left's other axes, then the right's.
let contract (left: int list) (right: int list) (a: Expr) (b: Expr) =
    checkAxes "A contraction" left a
    checkAxes "A contraction" right b

    if (left |> List.map (fun i -> a.Shape[i])) <> (right |> List.map (fun i -> b.Shape[i])) then
        internalError
            "%s and %s cannot be contracted along %A and %A."
            (print a.Shape)
            (print b.Shape)
            left
            right

    let shape = except left a.Shape @ except right b.Shape

    match a, b, left, right with
    | _ when isScalar a.Shape || isScalar b.Shape -> mul a b
    | Zero, _, _, _
    | _, Zero, _, _ -> zeros shape
    // The identity's other axis takes the place of the paired one.
    | { Op = Identity _ }, x, [ _ ], [ axis ] ->
        permute (axis :: List.except [ axis ] [ 0 .. x.Shape.Length - 1 ]) x
    | x, { Op = Identity _ }, [ axis ], [ _ ] ->
        permute (List.except [ axis ] [ 0 .. x.Shape.Length - 1 ] @ [ axis ]) x
    | _ -> make (Contract(left, right)) [ a; b ] shape false

/// `a @ b`: the last axis of the left with the first of the right.
let matmul (a: Expr) (b: Expr) = contract [ a.Shape.Length - 1 ] [ 0 ] a b

let outer a b = contract [] [] a b

let reduce reduction (axes: int list) (e: Expr) =
    checkAxes "A reduction" axes e
    let axes = List.sort axes
    let shape = except axes e.Shape

    match reduction, e with
    | _ when axes.IsEmpty -> e
    | Sum, Zero -> zeros shape
    | (Maximum | Minimum), Uniform x -> filled shape x
    | _ -> make (Reduce(reduction, axes)) [ e ] shape false

let sum axes e = reduce Sum axes e
let prod axes e = reduce Product axes e
let max axes e = reduce Maximum axes e
let min axes e = reduce Minimum axes e
let allAxes (e: Expr) = [ 0 .. e.Shape.Length - 1 ]
let sumAll e = sum (allAxes e) e

let mean (axes: int list) (e: Expr) =
    div (sum axes e) (extent (axes |> List.map (fun a -> e.Shape[a]) |> size))

/// One position of an axis, which disappears.
let index axis position (e: Expr) =
    checkAxes "An index" [ axis ] e

    match Dim.tryConstant e.Shape[axis] with
    | Some n when position < 0 || int64 position >= n ->
        internalError "Index %d of an axis of length %d." position n
    | _ -> ()

    let shape = except [ axis ] e.Shape

    match e with
    | Uniform x -> filled shape x
    | _ -> make (Index(axis, position)) [ e ] shape e.IsBoolean

/// Positions from (inclusive) to (exclusive) of an axis.
let slice axis (from: Dim) (upTo: Dim) (e: Expr) =
    checkAxes "A slice" [ axis ] e
    let shape = List.updateAt axis (Dim.subtract upTo from) e.Shape

    match e with
    | _ when shape = e.Shape -> e
    | Uniform x -> filled shape x
    | _ -> make (Slice(axis, from, upTo)) [ e ] shape e.IsBoolean

/// Zeros of size `size` along an axis with the argument put at `from`.
let pad axis (from: Dim) (size: Dim) (e: Expr) =
    checkAxes "Padding" [ axis ] e
    let shape = List.updateAt axis size e.Shape

    match e with
    | _ when shape = e.Shape -> e
    | Zero -> zeros shape
    | _ -> make (Pad(axis, from, size)) [ e ] shape false

let private uniformOf (args: Expr list) =
    match
        args
        |> List.map (fun e ->
            match e with
            | Uniform x -> Some x
            | _ -> None)
        |> List.distinct
    with
    | [ Some x ] -> Some x
    | _ -> None

/// Operands of one shape on a new first axis.
let stack (args: Expr list) =
    let first = List.head args

    if args |> List.exists (fun e -> e.Shape <> first.Shape) then
        internalError "A stack of %s." (args |> List.map (fun e -> print e.Shape) |> String.concat ", ")

    let shape = Dim.constant (int64 args.Length) :: first.Shape

    match uniformOf args with
    | Some x -> filled shape x
    | None -> make Stack args shape first.IsBoolean

/// Along the first axis; scalars count as length one.
let concat (args: Expr list) =
    let length (e: Expr) =
        match e.Shape with
        | [] -> Dim.one
        | n :: _ -> n

    let rest (e: Expr) =
        match e.Shape with
        | [] -> []
        | _ :: rest -> rest

    let tail = rest args.Head

    if args |> List.exists (fun e -> rest e <> tail) then
        internalError
            "A concatenation of %s."
            (args |> List.map (fun e -> print e.Shape) |> String.concat ", ")

    let shape = (args |> List.map length |> List.fold Dim.add Dim.zero) :: tail

    match uniformOf args, args with
    | Some x, _ -> filled shape x
    | None, [ single ] when not (isScalar single.Shape) -> single
    | None, _ -> make Concat args shape args.Head.IsBoolean

let reshape (shape: Shape) (e: Expr) =
    if size shape <> size e.Shape then
        internalError "%s does not reshape to %s." (print e.Shape) (print shape)

    match e with
    | _ when shape = e.Shape -> e
    | Uniform x -> filled shape x
    | _ -> make (Reshape shape) [ e ] shape e.IsBoolean

/// A new axis of length one at `axis`.
let unsqueeze axis (e: Expr) =
    broadcast (List.insertAt axis Dim.one e.Shape) (List.except [ axis ] [ 0 .. e.Shape.Length ]) e

/// The diagonal of the last two axes, as one last axis.
let diagonal (e: Expr) =
    match List.rev e.Shape with
    | n :: m :: rest when n = m ->
        let shape = List.rev (n :: rest)

        match e with
        | Uniform x -> filled shape x
        | { Op = Identity _ } -> ones shape
        | _ -> make Diagonal [ e ] shape e.IsBoolean
    | _ -> internalError "The diagonal of %s." (print e.Shape)

/// The last axis put on the diagonal of two, zeros elsewhere.
let diagonalMatrix (e: Expr) =
    let last = List.last e.Shape
    let shape = e.Shape @ [ last ]

    match e with
    | Zero -> zeros shape
    | One when e.Shape.Length = 1 -> identity last
    | _ -> make DiagonalMatrix [ e ] shape false

/// The sum of the diagonal of a square matrix.
let trace e = sum [ 0 ] (diagonal e)

/// The sum over the batch: only at the top of a parameter's gradient.
let batchSum (e: Expr) =
    match e with
    | Zero -> e
    | _ -> make BatchSum [ e ] e.Shape false
