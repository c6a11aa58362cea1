/// What methods that split take implicitly: the terms that the model marks or, where it marks none and its method splits, those that are
/// linear in the states with constant coefficients.
///
///     du/dt = D*(L @ u) - u^3      implicit D*(L @ u), explicit -u^3
module internal DiffEqLang.Compiler.Passes.Splitting

open System.Collections.Generic
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Typed
open DiffEqLang.Compiler.Ir.Dynamics
open DiffEqLang.Compiler.Ir.Linearity
open DiffEqLang.Compiler.Builtins

let private dependsAtMost (on: Dependence) (e: Expr) = (e.DependsOn &&& ~~~on) = Dependence.Nothing

/// Whether its value never changes in a solve.
let private isConstant (e: Expr) = dependsAtMost Dependence.Parameter e

/// Whether all terms of what is among these, or part of it, are constants times states.
let private linearIn (roots: Expr list) : Expr -> bool =
    let degrees = Linearity.degrees (fun s -> s.Role = State) roots
    fun e -> degrees[e] = Homogeneous 1 && dependsAtMost (Dependence.State ||| Dependence.Parameter) e

/// Everything in the one part.
let private allImplicit (e: Expr) : Parts = { Implicit = e; Explicit = Build.zeros e.Shape }
let private allExplicit (e: Expr) : Parts = { Implicit = Build.zeros e.Shape; Explicit = e }

/// The terms of a node that are linear with constant coefficients, and the others, from those of its operands.
let private partsOf (isLinear: Expr -> bool) (node: Expr) (operands: Parts list) : Parts =
    /// The node over the parts of its operands; a factor or divisor that is constant is the same in both.
    let apart (isWhole: Expr -> bool) =
        let over part =
            List.map2 (fun a parts -> if isWhole a then a else part parts) node.Args operands
            |> Rebuild.rebuild node

        { Implicit = over _.Implicit; Explicit = over _.Explicit }

    match node.Op, node.Args with
    | _ when isLinear node -> allImplicit node
    | _ when operands |> List.forall (fun p -> Build.isZero p.Implicit) -> allExplicit node
    | (Add | Subtract | Stack | Concat), _
    | (Negate | Permute _ | Reduce(Sum, _) | Broadcast _ | Index _ | Slice _ | Pad _ | Reshape _), _
    | (Op.Diagonal | DiagonalMatrix), _ -> apart (fun _ -> false)
    | (Multiply | Contract _), operands when List.exists isConstant operands -> apart isConstant
    | Divide, [ _; divisor ] when isConstant divisor -> apart isConstant
    | _ -> allExplicit node

let private linearTerms (drifts: Expr list) : Parts list =
    let isLinear = linearIn drifts
    let known = Dictionary<Expr, Parts>(HashIdentity.Reference)

    for node in topological drifts do
        known[node] <- partsOf isLinear node (node.Args |> List.map (fun a -> known[a]))

    drifts |> List.map (fun drift -> known[drift])

let private find (model: Model) : Model =
    let parts = model.Components |> List.map _.Drift |> linearTerms

    if parts |> List.forall (fun p -> Build.isZero p.Implicit) then
        { model with
            Splitting = Unsplit "no term is linear in the states with constant coefficients" }
    else
        let components = List.map2 (fun c p -> { c with Parts = Some p }) model.Components parts
        let model = { model with Components = components; Splitting = LinearTerms }
        Normalize.mapExpressions Simplify.run model

/// `methodSplits`: whether the model's method takes a part implicitly.
let analyse (methodSplits: bool) (model: Model) : Model =
    let without reason =
        { model with
            Components = model.Components |> List.map (fun c -> { c with Parts = None })
            Splitting = Unsplit reason }

    if model.Noise.IsSome then
        without "the model has noise"
    elif not model.Constraints.IsEmpty then
        without "the model has algebraic constraints"
    elif not model.Delays.IsEmpty then
        without "the model has delays"
    elif model.Components |> List.exists _.Parts.IsSome then
        { model with Splitting = Marked }
    elif methodSplits then
        find model
    else
        without "its method does not split"

let private implicitParts (model: Model) =
    model.Components |> List.map (fun c -> (Dynamics.partsOf c).Implicit)

/// A component whose implicit part is not linear with constant coefficients.
let nonlinear (model: Model) : Component option =
    let parts = implicitParts model
    let isLinear = linearIn parts

    List.zip model.Components parts
    |> List.tryFind (fun (_, part) -> not (Build.isZero part || isLinear part))
    |> Option.map fst

/// The form of the implicit part's matrix; none where there is no such part, or it is not linear with constant coefficients.
let linearForm (model: Model) : LinearForm option =
    match model.Splitting with
    | Unsplit _ -> None
    | Marked
    | LinearTerms when (nonlinear model).IsSome -> None
    | Marked
    | LinearTerms ->
        match Sparsity.ofValues model.Components (implicitParts model) with
        | Some pattern when
            pattern.Runs |> List.forall (fun run -> run.Offsets = [| 0 |] || run.Offsets = [||])
            ->
            Some LinearForm.Diagonal
        | Some _
        | None -> Some LinearForm.General
