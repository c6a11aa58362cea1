/// How parameters start, and the intervals that they are kept in.
module internal DiffEqLang.Compiler.Checking.Parameters

open DiffEqLang.Compiler.Syntax
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Shape
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Typed
open DiffEqLang.Compiler.Checking.Errors
open DiffEqLang.Compiler.Checking.Context

let private fromDistribution context shape (written: Tree.Distribution) =
    match Distributions.tryFind written.Name.Name with
    | None ->
        let known = Distributions.names
        let suggestion = Spelling.suggest written.Name.Name known
        fail context written.Name.Span (Structure(UnknownDistribution(written.Name.Name, suggestion, known)))
    | Some d when d.NeedsMatrix && Shape.rank shape <> 2 ->
        fail context written.Span (Structure(DistributionNeedsMatrix(d.Name, shape)))
    | Some d ->
        let arguments =
            written.Arguments
            |> List.map (fun a -> Constants.number context "A distribution's argument" a.Value)

        match Dims.allOrNone arguments with
        | None -> None
        | Some numbers ->
            match d.Make numbers with
            | Some initializer when written.Arguments |> List.forall (fun a -> a.Name.IsNone) ->
                Some initializer
            | Some _
            | None -> fail context written.Span (Structure(DistributionArguments(d.Name, d.Signature)))

let private fromValue context (target: Declared) shape (tree: Tree.Expr) =
    Expressions.elaborate context tree
    |> Option.bind (
        Constants.requireRoles context tree "a parameter's value" "constants and dims" [ Constant ]
    )
    |> Option.bind (Constants.fill context tree target shape)
    |> Option.map Value

let private initializer context (target: Declared) name shape (p: Tree.ParamDecl) =
    match p.Distribution, p.Value with
    | Some d, None -> fromDistribution context shape d
    | None, Some value -> fromValue context target shape value
    | Some d, Some _ -> fail context d.Span (Structure(ParameterWithTwoValues name))
    | None, None -> fail context target.At (Structure(ParameterWithoutValue name))

let private bounds context (interval: Tree.Interval) : Bounds option =
    let isOpenOrInfinite isClosed value = not isClosed || System.Double.IsInfinity value

    match
        Constants.number context "The end of an interval" interval.Low,
        Constants.number context "The end of an interval" interval.High
    with
    | Some low, Some high when not (low < high) ->
        fail context interval.Span (Structure(EmptyInterval(low, high)))
    | Some low, Some high when
        isOpenOrInfinite interval.LowClosed low && isOpenOrInfinite interval.HighClosed high
        ->
        Some { Low = low; High = high }
    | Some _, Some _ -> fail context interval.Span (Structure(ClosedInterval(textOf context interval.Span)))
    | _ -> None

/// A known number among the elements of an initial value that the interval leaves out.
let private outside (b: Bounds) (initializer: Initializer) =
    let isOutside x = not (b.Low < x && x < b.High)

    match initializer with
    | Value value ->
        Expr.topological [ value ]
        |> List.tryPick (fun e ->
            match value.Op, e.Op with
            | (Number _ | Broadcast _ | Stack), Number x when isOutside x -> Some x
            | _ -> None)
    | Uniform(low, high) ->
        if low < b.Low then Some low
        elif high > b.High then Some high
        else None
    | Normal _
    | XavierUniform
    | XavierNormal
    | KaimingUniform
    | KaimingNormal
    | Orthogonal
    | LinearDefault _ -> None

/// An initial value must lie inside the interval, or its unconstrained counterpart would be infinite.
let private checkInside context name (p: Tree.ParamDecl) (interval: Tree.Interval) bounds initializer =
    match outside bounds initializer with
    | None -> Some(initializer, Some bounds)
    | Some x ->
        let span = p.Value |> Option.map _.Span |> Option.defaultValue interval.Span
        fail context span (Structure(OutsideInterval(name, x, textOf context interval.Span)))

/// A parameter's start and interval.
let check context (target: Declared) name shape (p: Tree.ParamDecl) : (Initializer * Bounds option) option =
    match initializer context target name shape p, p.Interval with
    | Some initializer, None -> Some(initializer, None)
    | initializer, Some interval ->
        match initializer, bounds context interval with
        | Some initializer, Some bounds -> checkInside context name p interval bounds initializer
        | _ -> None
    | None, None -> None
