/// Evaluates the derivative operators: afterwards no `Derivative` node is left.
///
///     grad(0.5*p^2 + U(q), p)        becomes        p
///     div(W2 @ tanh(W1 @ x), x)      becomes        sum(W1 * W2.T, axis = 1) @ (1 - h^2)
module internal DiffEqLang.Compiler.Passes.Differentiate

open System.Collections.Generic
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Dim
open DiffEqLang.Compiler.Ir.Shape
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Build
open DiffEqLang.Compiler.Builtins

/// The vector-Jacobian products of the results, each given with its cotangent, by each node of `wrt`.
let vjp results wrt = ReverseMode.vjp results wrt

/// The tangents of the results; a seed is a node with its tangent, of the node's shape followed by seed axes.
let jvp results seeds = ForwardMode.jvp results seeds

/// grad f, for a scalar f: the shape of x.
let gradient (f: Expr) (x: Expr) : Expr = vjp [ f, number 1.0 ] [ x ] |> List.head

/// The derivative of x by itself, of the shape of x twice.
let private unitSeed (x: Expr) =
    match x.Shape with
    | [] -> number 1.0
    | [ n ] -> identity n
    | shape ->
        let n = size shape
        reshape (shape @ shape) (identity n)

/// The shape of f followed by the shape of x: in reverse where f is a scalar, else forward, all columns at once.
let jacobian (f: Expr) (x: Expr) : Expr =
    if isScalar f.Shape then
        gradient f x
    else
        jvp [ f ] [ x, unitSeed x ] |> List.head

let private simplified e = Simplify.run [ e ] |> List.head

/// The trace of the Jacobian. The rules of `Simplify` take it of sums, products and diagonals without the full matrix.
let divergence (f: Expr) (x: Expr) : Expr =
    let matrix = simplified (jacobian f x)

    match x.Shape with
    | [] -> matrix
    | [ _ ] -> trace matrix
    | shape -> trace (reshape [ size shape; size shape ] matrix)

/// Forward over reverse: the shape of x twice.
let hessian (f: Expr) (x: Expr) : Expr = jacobian (simplified (gradient f x)) x

let laplacian (f: Expr) (x: Expr) : Expr = divergence (simplified (gradient f x)) x

let private apply operator (f: Expr) (x: Expr) (v: Expr option) =
    match operator, v with
    | Gradient, _ -> gradient f x
    | Jacobian, _ -> jacobian f x
    | Divergence, _ -> divergence f x
    | Hessian, _ -> hessian f x
    | Laplacian, _ -> laplacian f x
    | Jvp, Some v -> jvp [ f ] [ x, v ] |> List.head
    | Vjp, Some w -> vjp [ f, w ] [ x ] |> List.head
    | (Jvp | Vjp), None -> internalError "A derivative along a vector without the vector."

/// An input to stand for a node while an operator differentiates by it.
let private standIn (x: Expr) = input { Name = sprintf "∂%d" x.Id; Role = Tangent; Shape = x.Shape }

let private substitute (from: Expr) target roots =
    Rebuild.substitute (Dictionary(dict [ from, target ], HashIdentity.Reference)) roots

/// An operator leaves its expression alone: only x and v are its operands from outside.
let private outerArgs (node: Expr) =
    match node.Op, node.Args with
    | Derivative _, _ :: outer -> outer
    | _, args -> args

/// All derivative operators of the roots, nested ones too, replaced by what they are.
///
/// What an operator differentiates by may be any node. It becomes an input first, in the expression as it was written: what is
/// simplified on the way can then not swallow it. Inner operators are evaluated before outer ones.
let rec expand (roots: Expr list) : Expr list =
    let expanded = Dictionary<Expr, Expr>(HashIdentity.Reference)

    for node in topologicalBy outerArgs roots do
        let args = outerArgs node |> List.map (fun a -> expanded[a])

        expanded[node] <-
            match node.Op with
            | Derivative operator -> expandOperator operator node args
            | Number _
            | Input _
            | Add
            | Subtract
            | Multiply
            | Divide
            | Power
            | Negate
            | Call _
            | Compare _
            | And
            | Or
            | Not
            | Select
            | Contract _
            | Permute _
            | Reduce _
            | Broadcast _
            | Index _
            | Slice _
            | Pad _
            | Stack
            | Concat
            | Reshape _
            | Diagonal
            | DiagonalMatrix
            | Identity _
            | BatchSum -> Rebuild.rebuild node args
            |> carryOrigin node

    roots |> List.map (fun root -> expanded[root])

and private expandOperator operator (node: Expr) (outer: Expr list) : Expr =
    let f, x = node.Args[0], node.Args[1]
    let v = List.tryItem 1 outer

    let hole =
        match x.Op with
        | Input _ -> x
        | _ -> standIn x

    let inner = if hole = x then expand [ f ] else expand (substitute x hole [ f ])
    let result = simplified (apply operator inner.Head hole v)
    if hole = x then result else substitute hole outer.Head [ result ] |> List.head
