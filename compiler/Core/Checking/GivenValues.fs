/// What a model says of its states before the solve, `init x = ...` and `history x = ...`, and the targets that such statements name.
module internal DiffEqLang.Compiler.Checking.GivenValues

open DiffEqLang.Contracts
open DiffEqLang.Compiler.Syntax
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Shape
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Typed
open DiffEqLang.Compiler.Checking.Errors
open DiffEqLang.Compiler.Checking.Context
open DiffEqLang.Compiler.Checking.Scope

/// What is said of a target that is no state: of another name, and of what is no name.
type TargetErrors =
    {
        OfOther: string * NameKind -> ErrorKind
        OfForm: string -> ErrorKind
        /// Whether the statement takes algebraic unknowns too.
        TakesAlgebraic: bool
    }

/// The state, or derivative `q'`, that a statement gives a value to, with the name of its symbol.
let stateTarget context (errors: TargetErrors) (target: Tree.Expr) : (Entity * string) option =
    let ofState (name: Tree.Ident) order =
        match tryFind name.Name context.Scope with
        | Some entity when
            kindOf entity = StateName
            || errors.TakesAlgebraic && kindOf entity = AlgebraicName && order = 0
            ->
            Some(entity, Expressions.primed name.Name order)
        | Some entity when kindOf entity = UnsupportedName -> None
        | Some entity -> fail context name.Span (errors.OfOther(name.Name, kindOf entity))
        | None ->
            let suggestion = Spelling.suggest name.Name (LeftSides.stateNames context.Scope)
            fail context name.Span (Structure(EquationForUndeclared(name.Name, suggestion)))

    match (Expressions.withoutParentheses target).Kind with
    | Tree.Name name -> ofState { Name = name; Span = target.Span } 0
    | Tree.Prime(name, order) -> ofState name order
    | Tree.Number _
    | Tree.Unary _
    | Tree.Binary _
    | Tree.Call _
    | Tree.Index _
    | Tree.Transpose _
    | Tree.Stack _
    | Tree.If _
    | Tree.Quoted _
    | Tree.ImplicitPart _
    | Tree.Parenthesized _ -> fail context target.Span (errors.OfForm(textOf context target.Span))
    | Tree.Missing -> None

/// The symbol of a target; None where its declaration is wrong, or it is the derivative of a state of first order.
let targetSymbol context (target: Tree.Expr) (entity: Entity) name : Symbol option =
    match Map.tryFind name context.Globals with
    | Some(Known { Op = Input symbol }) -> Some symbol
    | None when name <> entity.Name -> fail context target.Span (Structure(PrimeOfFirstOrder entity.Name))
    | Some(Known _)
    | Some(Size _)
    | Some(Inlined _)
    | Some(Network _)
    | Some Poisoned
    | None -> None

/// What a statement gives to a state: a value of other things that are known before the solve.
type private Given =
    {
        What: string
        AllowedText: string
        Allowed: Role list
        Errors: TargetErrors
        /// Of a state that is given two.
        Duplicate: string * SourceSpan -> ErrorKind
    }

let private given context (kind: Given) (target: Tree.Expr, tree: Tree.Expr) =
    let valueFor (entity: Entity) (symbol: Symbol) =
        let declared: Declared = { Label = label symbol.Name symbol.Shape; At = entity.Span }

        Expressions.elaborate context tree
        |> Option.bind (Constants.requireRoles context tree kind.What kind.AllowedText kind.Allowed)
        |> Option.bind (Constants.fill context tree declared symbol.Shape)
        |> Option.map (fun value -> symbol, value)

    stateTarget context kind.Errors target
    |> Option.map (fun (entity, name) ->
        let value = targetSymbol context target entity name |> Option.bind (valueFor entity)
        name, target.Span, value)

/// Values by state, in the order of the file, one for each.
let private allGiven context (kind: Given) statements : (Symbol * Expr) list =
    let found = statements |> List.choose (given context kind)

    for name, all in found |> List.groupBy (fun (name, _, _) -> name) do
        let _, first, _ = all.Head

        for _, span, _ in all.Tail do
            report context span (kind.Duplicate(name, first))

    found |> List.choose (fun (_, _, value) -> value)

/// Initial values by state.
let initials (context: Context) : (Symbol * Expr) list =
    context.Scope.Statements
    |> List.choose (fun (statement, _) ->
        match statement with
        | InitialStatement(target, value) -> Some(target, value)
        | HistoryStatement _
        | EquationStatement _
        | CalculusStatement _
        | EventStatement _
        | SolveStatement _ -> None)
    |> allGiven
        context
        { What = "an initial value"
          AllowedText = "parameters, constants and dims"
          Allowed = [ Parameter; Constant ]
          Errors =
            { OfOther = InitialOfOther >> Structure
              OfForm = InitialTarget >> Structure
              TakesAlgebraic = true }
          Duplicate = DuplicateInitial >> Structure }

/// The pasts of states, by state.
let histories (context: Context) : (Symbol * Expr) list =
    context.Scope.Statements
    |> List.choose (fun (statement, _) ->
        match statement with
        | HistoryStatement(state, value) ->
            let target: Tree.Expr = { Kind = Tree.Name state.Name; Span = state.Span }
            Some(target, value)
        | InitialStatement _
        | EquationStatement _
        | CalculusStatement _
        | EventStatement _
        | SolveStatement _ -> None)
    |> allGiven
        context
        { What = "a history"
          AllowedText = "the time, parameters, constants and dims"
          Allowed = [ Time; Parameter; Constant ]
          Errors =
            { OfOther = HistoryOfOther >> Delay
              OfForm = InitialTarget >> Structure
              TakesAlgebraic = false }
          Duplicate = DuplicateHistory >> Delay }
