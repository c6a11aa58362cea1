/// The equations of a model: one equation for each state, of the state's shape.
module internal DiffEqLang.Compiler.Checking.Equations

open DiffEqLang.Contracts
open DiffEqLang.Compiler.Syntax
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Shape
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Typed
open DiffEqLang.Compiler.Checking.Errors
open DiffEqLang.Compiler.Checking.Context
open DiffEqLang.Compiler.Checking.Scope

/// An equation whose left side is the derivative or differential of a declared state.
type private Claim =
    {
        State: Entity
        /// None for a stochastic equation.
        Order: int option
        Right: Tree.Expr
        /// The left side's name.
        Target: SourceSpan
        Span: SourceSpan
    }

let private claimed (context: Context) (name: Tree.Ident) order right span : Claim option =
    match tryFind name.Name context.Scope with
    | Some entity when kindOf entity = StateName ->
        Some
            { State = entity
              Order = order
              Right = right
              Target = name.Span
              Span = span }
    | Some entity when kindOf entity = UnsupportedName || context.Scope.Repeated.Contains name.Name -> None
    | Some entity ->
        fail context name.Span (Structure(EquationForOther(name.Name, kindOf entity, entity.Span)))
    | None ->
        let suggestion = Spelling.suggest name.Name (LeftSides.stateNames context.Scope)
        fail context name.Span (Structure(EquationForUndeclared(name.Name, suggestion)))

/// `dose = 5` reads as the differential of `ose`: where `dose` is declared and `ose` is not, it is an assignment.
let private isAssignment scope (state: Tree.Ident) =
    (tryFind state.Name scope).IsNone && (tryFind ("d" + state.Name) scope).IsSome

let private claim context (target: Tree.EquationTarget) (right: Tree.Expr) (span: SourceSpan) : Claim option =
    match target with
    | Tree.Derivative(state, order) when order > 2 ->
        fail
            context
            span
            (NotSupportedYet(EquationForm(sprintf "an equation of order %d for `%s`" order state.Name)))
    | Tree.Derivative(state, order) -> claimed context state (Some order) right span
    | Tree.Differential state when isAssignment context.Scope state ->
        let s = state.Span
        let whole = SourceSpan(s.File, s.Line, s.Column - 1, s.EndLine, s.EndColumn)
        LeftSides.report context { Kind = Tree.Name("d" + state.Name); Span = whole }
        None
    | Tree.Differential state -> claimed context state None right span
    | Tree.Zero _ -> None // a constraint claims no state
    | Tree.Other target ->
        LeftSides.report context target
        None

/// States whose equation is there, though the compiler may not read it: one of a higher order.
let private mentioned (declarations: Tree.Declaration list) =
    let rec names (d: Tree.Declaration) =
        match d.Kind with
        | Tree.Implicit inner -> List.collect names inner
        | Tree.Equation((Tree.Derivative(state, _) | Tree.Differential state), _) -> [ state.Name ]
        | Tree.Equation((Tree.Zero _ | Tree.Other _), _)
        | Tree.Dim _
        | Tree.State _
        | Tree.Algebraic _
        | Tree.Param _
        | Tree.Const _
        | Tree.Control _
        | Tree.Wiener _
        | Tree.Jumps _
        | Tree.Sample _
        | Tree.Let _
        | Tree.Fn _
        | Tree.Net _
        | Tree.Output _
        | Tree.Init _
        | Tree.History _
        | Tree.Calculus _
        | Tree.Event _
        | Tree.Solve _ -> []

    declarations |> List.collect names |> Set.ofList

/// The order of each state's equation, before any expression is checked: `q'` is a name where it is two.
let orders (scope: Scope) : Map<string, int> =
    scope.Statements
    |> List.choose (fun (statement, _) ->
        match statement with
        | EquationStatement(Tree.Derivative(state, order), _) when order > 1 -> Some(state.Name, order)
        | EquationStatement _
        | InitialStatement _
        | HistoryStatement _
        | CalculusStatement _
        | EventStatement _
        | SolveStatement _ -> None)
    |> Map.ofList

/// The left side as written.
let private leftText context (claim: Claim) =
    let right = claim.Right.Span

    let upToRight =
        SourceSpan(claim.Span.File, claim.Span.Line, claim.Span.Column, right.Line, right.Column)

    (textOf context upToRight).TrimEnd(' ', '=')

/// Numbers alone fill a state's shape: `dx/dt = 0`.
let private isNumber (e: Expr) =
    match e.Op with
    | Number _ -> true
    | _ -> false

/// A right side in the shape of its state. `construct` and `left` are what messages call the statement and its left side.
let fill
    context
    construct
    left
    (entity: Entity)
    (tree: Tree.Expr)
    (state: Symbol)
    (right: Expr)
    : Expr option =
    let part: Operators.Part = { Tree = tree; Expr = right }

    if not (Operators.isNumber context construct part) then
        None
    elif right.Shape = state.Shape || isNumber right then
        Some(Build.broadcastTo state.Shape right)
    else
        let declared: Declared = { Label = label state.Name state.Shape; At = entity.Span }
        let right = operand context tree right.Shape
        fail context tree.Span (Shape(EquationShape(left, declared, state.Shape, right)))

/// The two parts of a right side that has passed as a whole; None where nothing is marked.
let private marked context (claim: Claim) (state: Symbol) : Parts option =
    let part tree =
        Expressions.elaborate context tree
        |> Option.map (Build.broadcastTo state.Shape >> recordOrigin context claim.Right.Span None)
        |> Option.defaultWith (fun () -> Build.zeros state.Shape)

    Marks.split claim.Right
    |> Option.map (fun (others, stiff) ->
        { Explicit = others |> Option.map part |> Option.defaultWith (fun () -> Build.zeros state.Shape)
          Implicit = part stiff })

let private ordinary context (claim: Claim) (state: Symbol) order =
    let whole = Marks.without claim.Right

    Expressions.elaborate context whole
    |> Option.bind (fill context "an equation" (leftText context claim) claim.State whole state)
    |> Option.map (fun right ->
        let right = recordOrigin context claim.Right.Span None right
        Ordinary(state, order, right, marked context claim state, claim.Span))

let private stochastic context (claim: Claim) (state: Symbol) =
    let fits (split: Differentials.Split) =
        let part e =
            e
            |> Option.map (Build.broadcastTo state.Shape)
            |> Option.defaultValue (Build.zeros state.Shape)

        if split.Shape = state.Shape then
            Some(part split.Drift, part split.Diffusion)
        else
            let declared: Declared = { Label = label state.Name state.Shape; At = claim.State.Span }
            let right = operand context claim.Right split.Shape

            fail
                context
                claim.Right.Span
                (Shape(EquationShape(leftText context claim, declared, state.Shape, right)))

    Differentials.ofRightSide context claim.Right
    |> Option.bind fits
    |> Option.map (fun (drift, diffusion) ->
        let located = recordOrigin context claim.Right.Span None
        Stochastic(state, located drift, located diffusion, claim.Span))

let private stateSymbol context (entity: Entity) =
    match Map.tryFind entity.Name context.Globals with
    | Some(Known { Op = Input symbol }) -> Some symbol
    | Some(Known _)
    | Some(Size _)
    | Some(Inlined _)
    | Some(Network _)
    | Some Poisoned
    | None -> None

/// Checks a right side; of a state whose own declaration is wrong, for its own errors alone.
let private equation context (claim: Claim) =
    match stateSymbol context claim.State, claim.Order with
    | Some state, Some order -> ordinary context claim state order
    | Some state, None -> stochastic context claim state
    | None, Some _ ->
        Expressions.elaborate context (Marks.without claim.Right) |> ignore
        None
    | None, None ->
        Differentials.ofRightSide context claim.Right |> ignore
        None

let private onePerState context (claims: Claim list) =
    claims
    |> List.groupBy _.State.Name
    |> List.iter (fun (name, claims) ->
        for repeated in List.tail claims do
            report context repeated.Target (Structure(DuplicateEquation(name, claims.Head.Target))))

/// The equations, in the order of the states, and behind them the constraints.
let check
    (context: Context)
    (declarations: Tree.Declaration list)
    (algebraic: StateDecl list)
    : Equation list =
    let claims =
        context.Scope.Statements
        |> List.choose (fun (statement, declaration) ->
            match statement with
            | EquationStatement(target, right) -> claim context target right declaration.Span
            | InitialStatement _
            | HistoryStatement _
            | CalculusStatement _
            | EventStatement _
            | SolveStatement _ -> None)

    onePerState context claims
    let mentioned = mentioned declarations

    let missing =
        context.Scope.Entities
        |> List.filter (fun e -> kindOf e = StateName && not (mentioned.Contains e.Name))

    // A constraint too many may be meant for a state without an equation: one message for both.
    let unknowns = context.Scope.Entities |> List.filter (fun e -> kindOf e = AlgebraicName)

    if (Constraints.written context).Length <= unknowns.Length then
        for e in missing do
            report context e.Span (Structure(MissingEquation e.Name))

    let position = context.Scope.Entities |> List.mapi (fun i e -> e.Name, i) |> Map.ofList

    (claims |> List.sortBy (fun c -> position[c.State.Name]) |> List.choose (equation context))
    @ Constraints.check context algebraic (missing |> List.map _.Name)
