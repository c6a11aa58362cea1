/// Rechecks every node of a DAG against the shape rules, on its own account and not through the constructors: run after
/// every pass in tests and under `--validate`.
module internal DiffEqLang.Compiler.Ir.Validate

open DiffEqLang.Compiler.Ir.Dim
open DiffEqLang.Compiler.Ir.Shape
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Builtins

let private inRange (shape: Shape) axes =
    List.forall (fun a -> a >= 0 && a < shape.Length) axes && List.distinct axes = axes

let private without axes (shape: Shape) : Shape =
    [ for i in 0 .. shape.Length - 1 do
          if not (List.contains i axes) then
              shape[i] ]

let private ascending axes = axes |> List.pairwise |> List.forall (fun (a, b) -> a < b)

/// Where both are known numbers, whether from <= upTo; open dims are the caller's promise.
let private atMost (from: Dim) (upTo: Dim) =
    match Dim.tryConstant (Dim.subtract upTo from) with
    | Some n -> n >= 0L
    | None -> true

let private elementwise (shapes: Shape list) : Shape option =
    match shapes |> List.filter (not << isScalar) |> List.distinct with
    | [] -> Some scalar
    | [ shape ] -> Some shape
    | _ -> None

let private require condition (shape: Shape) = if condition then Some shape else None

let private concatenated (shapes: Shape list) : Shape option =
    let parts = shapes |> List.map (fun s -> if s.IsEmpty then [ Dim.one ] else s)
    let total = parts |> List.map List.head |> List.fold Dim.add Dim.zero
    require (parts |> List.map List.tail |> List.distinct |> List.length = 1) (total :: parts.Head.Tail)

let private diagonalOf (s: Shape) : Shape option =
    match List.rev s with
    | n :: m :: rest when n = m -> Some(List.rev (n :: rest))
    | _ -> None

let private derivativeShape operator (f: Shape) (x: Shape) : Shape =
    match operator with
    | Gradient
    | Vjp -> x
    | Jacobian -> f @ x
    | Hessian -> x @ x
    | Divergence
    | Laplacian -> scalar
    | Jvp -> f

/// The shape that an operation has over operands of the given shapes; None where they do not fit.
let private shapeOf op (shapes: Shape list) : Shape option =
    match op, shapes with
    | Number _, [] -> Some scalar
    | Input symbol, [] -> Some symbol.Shape
    | Identity n, [] -> Some [ n; n ]
    | (Add | Subtract | Multiply | Divide | Power | Compare _ | And | Or), [ _; _ ] -> elementwise shapes
    | Select, [ c; a; b ] ->
        elementwise shapes |> Option.filter (fun s -> a = s && b = s && (c.IsEmpty || c = s))
    | (Negate | Not | BatchSum), [ a ] -> Some a
    | Call(name, attributes), _ ->
        Catalogue.tryFind name
        |> Option.bind (fun b -> b.Shape attributes shapes |> Result.toOption)
    | Contract(left, right), [ a; b ] ->
        let fits =
            inRange a left
            && inRange b right
            && List.map (fun i -> a[i]) left = List.map (fun i -> b[i]) right

        if fits then Some(without left a @ without right b) else None
    | Permute axes, [ a ] when inRange a axes && axes.Length = a.Length ->
        Some(axes |> List.map (fun i -> a[i]))
    | Reduce(_, axes), [ a ] when inRange a axes && ascending axes -> Some(without axes a)
    | Broadcast(shape, axes), [ a ] when inRange shape axes && ascending axes ->
        require (List.map (fun i -> shape[i]) axes = a) shape
    | Index(axis, _), [ a ] when inRange a [ axis ] -> Some(without [ axis ] a)
    | Slice(axis, from, upTo), [ a ] when inRange a [ axis ] && atMost from upTo && atMost upTo a[axis] ->
        Some(List.updateAt axis (Dim.subtract upTo from) a)
    | Pad(axis, from, size), [ a ] when inRange a [ axis ] && atMost (Dim.add from a[axis]) size ->
        Some(List.updateAt axis size a)
    | Stack, first :: _ ->
        require (List.forall ((=) first) shapes) (Dim.constant (int64 shapes.Length) :: first)
    | Concat, _ :: _ -> concatenated shapes
    | Reshape shape, [ a ] -> require (size shape = size a) shape
    | Diagonal, [ a ] -> diagonalOf a
    | DiagonalMatrix, [ a ] when not a.IsEmpty -> Some(a @ [ List.last a ])
    | Derivative operator, f :: x :: rest ->
        DerivativeOperators.check operator f x (List.tryHead rest)
        |> Result.toOption
        |> Option.map (fun () -> derivativeShape operator f x)
    | (Number _ | Input _ | Identity _ | Add | Subtract | Multiply | Divide | Power | Compare _ | And | Or | Select),
      _
    | (Negate | Not | BatchSum | Contract _ | Permute _ | Reduce _ | Broadcast _ | Index _ | Slice _ | Pad _),
      _
    | (Stack | Concat | Reshape _ | Diagonal | DiagonalMatrix | Derivative _), _ -> None

let private isBoolean (node: Expr) =
    match node.Op with
    | Compare _
    | And
    | Or
    | Not -> true
    | Select
    | Permute _
    | Broadcast _
    | Index _
    | Slice _
    | Stack
    | Concat
    | Reshape _
    | Diagonal -> node.IsBoolean
    | Number _
    | Input _
    | Identity _
    | Add
    | Subtract
    | Multiply
    | Divide
    | Power
    | Negate
    | BatchSum
    | Call _
    | Contract _
    | Reduce _
    | Pad _
    | DiagonalMatrix
    | Derivative _ -> false

let private positionFits (node: Expr) =
    match node.Op, node.Args with
    | Index(axis, position), [ a ] ->
        Dim.tryConstant a.Shape[axis]
        |> Option.forall (fun n -> position >= 0 && int64 position < n)
    | _ -> true

let private faults (node: Expr) =
    [ match shapeOf node.Op (node.Args |> List.map _.Shape) with
      | Some shape when shape = node.Shape -> ()
      | Some shape -> sprintf "%s: is noted as %s, should be %s" node.Text (print node.Shape) (print shape)
      | None ->
          sprintf
              "%s: operands %s do not fit"
              node.Text
              (node.Args |> List.map (fun a -> print a.Shape) |> String.concat ", ")
      if isBoolean node <> node.IsBoolean then
          sprintf "%s: truth value or number?" node.Text
      if not (positionFits node) then
          sprintf "%s: position outside of the axis" node.Text
      if node.Args |> List.exists (fun a -> a.Id >= node.Id) then
          sprintf "%s: made before its operands" node.Text ]

/// What is wrong with the DAG below the roots; nothing where it is sound.
let check (roots: Expr list) : string list = topological roots |> List.collect faults
