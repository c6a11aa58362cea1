/// Events: what makes them happen, and what they do to the states.
module internal DiffEqLang.Compiler.Checking.Events

open DiffEqLang.Contracts
open DiffEqLang.Compiler.Syntax
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Typed
open DiffEqLang.Compiler.Checking.Errors
open DiffEqLang.Compiler.Checking.Context
open DiffEqLang.Compiler.Checking.Scope

let private wordOf (kind: Tree.EventKind) =
    match kind with
    | Tree.Rising -> "rising"
    | Tree.Falling -> "falling"
    | Tree.Crossing -> "crossing"
    | Tree.Every -> "every"
    | Tree.Once -> "at"

// What makes it happen

/// A number that passes zero.
let private root context (condition: Tree.Expr) (word: string) direction =
    let fits (value: Expr) =
        if value.IsBoolean then
            fail context condition.Span (Event(TriggerIsCondition(word, textOf context condition.Span)))
        elif not (Shape.isScalar value.Shape) then
            fail context condition.Span (Event(TriggerNotScalar(word, operand context condition value.Shape)))
        elif value.DependsOn &&& (Dependence.State ||| Dependence.Time) = Dependence.Nothing then
            fail context condition.Span (Event(FixedTrigger(textOf context condition.Span)))
        else
            Some(Root(direction, recordOrigin context condition.Span None value))

    Expressions.elaborate context condition
    |> Option.bind (Constants.requirePresent context condition "an event")
    |> Option.bind fits

let private period context (condition: Tree.Expr) =
    match Constants.number context "the period of an event" condition with
    | Some period when not (period > 0.0 && System.Double.IsFinite period) ->
        fail context condition.Span (Event(PeriodNotPositive period))
    | found -> Option.map Every found

let private trigger context (kind: Tree.EventKind) (condition: Tree.Expr) : Trigger option =
    let root = root context condition (wordOf kind)

    match kind with
    | Tree.Rising -> root Rising
    | Tree.Falling -> root Falling
    | Tree.Crossing -> root Crossing
    | Tree.Every -> period context condition
    | Tree.Once -> Constants.number context "the time of an event" condition |> Option.map Once

// What it does

/// `v := -0.8*v`: the state with its new value.
let private jump context (target: Tree.Expr) (tree: Tree.Expr) =
    let valueFor (entity: Entity) (symbol: Symbol) =
        Expressions.elaborate context tree
        |> Option.bind (Constants.requirePresent context tree "an event")
        |> Option.bind (Equations.fill context "an event" (textOf context target.Span) entity tree symbol)
        |> Option.map (fun value -> symbol, recordOrigin context tree.Span None value)

    GivenValues.stateTarget
        context
        { OfOther = JumpOfOther >> Structure
          OfForm = JumpTarget >> Structure
          TakesAlgebraic = false }
        target
    |> Option.bind (fun (entity, name) ->
        GivenValues.targetSymbol context target entity name |> Option.bind (valueFor entity))
    |> Option.map (fun (symbol, value) -> symbol, value, target.Span)

let private onePerState context (jumps: (Symbol * Expr * SourceSpan) list) =
    for _, same in jumps |> List.groupBy (fun (symbol, _, _) -> symbol) do
        let symbol, _, first = same.Head

        for _, _, span in same.Tail do
            report context span (Event(RepeatedJump(symbol.Name, first)))

let private event
    context
    (kind, condition: Tree.Expr, actions: Tree.EventAction list)
    span
    : EventDecl option =
    let jumps =
        [ for action in actions do
              match action with
              | Tree.Assign(target, value, _) -> yield! Option.toList (jump context target value)
              | Tree.Stop _ -> () ]

    onePerState context jumps

    trigger context kind condition
    |> Option.map (fun trigger ->
        { Name = sprintf "%s(%s)" (wordOf kind) (textOf context condition.Span)
          Trigger = trigger
          Jumps = jumps |> List.map (fun (symbol, value, _) -> symbol, value)
          Stops = actions |> List.exists _.IsStop
          Span = span })

/// The events, in the order of the file.
let check (context: Context) : EventDecl list =
    let isStochastic = context.Scope.Entities |> List.exists (fun e -> kindOf e = WienerName)

    [ for statement, declaration in context.Scope.Statements do
          match statement with
          | EventStatement(kind, condition, actions) ->
              if isStochastic then
                  report context declaration.Span (NotSupportedYet EventsWithNoise)

              yield! Option.toList (event context (kind, condition, actions) declaration.Span)
          | InitialStatement _
          | HistoryStatement _
          | EquationStatement _
          | CalculusStatement _
          | SolveStatement _ -> () ]
