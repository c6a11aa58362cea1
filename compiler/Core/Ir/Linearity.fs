/// Whether an expression is linear in some inputs, as the terms of `dX = mu*dt + sigma*dW` must be in the differentials.
module internal DiffEqLang.Compiler.Ir.Linearity

open System.Collections.Generic
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Build
open DiffEqLang.Compiler.Builtins

/// The degree of an expression in the chosen inputs.
type Degree =
    /// Zero, which is of every degree.
    | Vanishing
    /// 0: none of the inputs occurs; 1: every term carries exactly one; more: products of them.
    | Homogeneous of int
    /// Terms of different degrees, or an input inside something that is not linear.
    | Mixed

let private same a b =
    match a, b with
    | Vanishing, other
    | other, Vanishing -> other
    | Homogeneous m, Homogeneous n when m = n -> a
    | (Homogeneous _ | Mixed), (Homogeneous _ | Mixed) -> Mixed

let private product a b =
    match a, b with
    | Vanishing, _
    | _, Vanishing -> Vanishing
    | Homogeneous m, Homogeneous n -> Homogeneous(m + n)
    | Mixed, (Homogeneous _ | Mixed)
    | Homogeneous _, Mixed -> Mixed

/// Of something that is not linear in its operands.
let private opaque degrees =
    if degrees |> List.forall (fun d -> d = Vanishing || d = Homogeneous 0) then
        Homogeneous 0
    else
        Mixed

let private degreeOf (isChosen: Symbol -> bool) (node: Expr) (degrees: Degree list) =
    match node.Op, degrees with
    | _ when isZero node -> Vanishing
    | Input symbol, _ -> Homogeneous(if isChosen symbol then 1 else 0)
    | (Add | Subtract | Stack | Concat), _ -> List.reduce same degrees
    | (Multiply | Contract _), [ a; b ] -> product a b
    | Divide, [ a; b ] when opaque [ b ] = Homogeneous 0 -> product a (Homogeneous 0)
    | Select, [ condition; a; b ] when opaque [ condition ] = Homogeneous 0 -> same a b
    | (Negate | Permute _ | Reduce(Sum, _) | Broadcast _ | Index _ | Slice _ | Pad _ | Reshape _), [ a ] -> a
    | (Diagonal | DiagonalMatrix | BatchSum), [ a ] -> a
    | (Number _ | Identity _), _ -> Homogeneous 0
    | (Divide | Select | Power | Call _ | Compare _ | And | Or | Not | Reduce _ | Derivative _), _
    | (Multiply | Contract _ | Negate | Permute _ | Broadcast _ | Index _ | Slice _ | Pad _ | Reshape _), _
    | (Diagonal | DiagonalMatrix | BatchSum), _ -> opaque degrees

/// The degrees of expressions, and of all that they are made of, in the inputs that are chosen.
let degrees (isChosen: Symbol -> bool) (roots: Expr list) : IReadOnlyDictionary<Expr, Degree> =
    let degrees = Dictionary<Expr, Degree>(HashIdentity.Reference)

    for node in topological roots do
        degrees[node] <- degreeOf isChosen node (node.Args |> List.map (fun a -> degrees[a]))

    degrees

/// The degree of an expression in the inputs that are chosen.
let degree (isChosen: Symbol -> bool) (e: Expr) : Degree = (degrees isChosen [ e ])[e]

/// Puts expressions in for inputs.
let substituteInputs (value: Symbol -> Expr option) (roots: Expr list) =
    let replacements = Dictionary<Expr, Expr>(HashIdentity.Reference)

    for node in topological roots do
        match node.Op with
        | Input symbol -> value symbol |> Option.iter (fun replacement -> replacements[node] <- replacement)
        | _ -> ()

    if replacements.Count = 0 then roots else Rebuild.substitute replacements roots

/// Of an expression linear in some inputs, the part that carries the kept ones: the others are put to zero.
let part (isLinearIn: Symbol -> bool) (isKept: Symbol -> bool) (e: Expr) : Expr =
    let value (symbol: Symbol) =
        if isLinearIn symbol && not (isKept symbol) then
            Some(zeros symbol.Shape)
        else
            None

    substituteInputs value [ e ] |> List.head
