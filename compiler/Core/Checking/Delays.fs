/// What a model's delays allow.
module internal DiffEqLang.Compiler.Checking.Delays

open System.Collections.Generic
open DiffEqLang.Tableaux
open DiffEqLang.Compiler.DeclaredValues
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Typed
open DiffEqLang.Compiler.Checking.Errors
open DiffEqLang.Compiler.Checking.Context

let private rightSides (equation: Equation) =
    match equation with
    | Ordinary(_, _, right, _, _) -> [ right ]
    | Stochastic(_, drift, diffusion, _) -> [ drift; diffusion ]
    | Constraint(_, residual, _) -> [ residual ]

/// The delayed states that the equations ask for, and not only a `let` that nothing uses.
let usedBy (delayed: DelayedStates) (equations: Equation list) : DelayDecl list =
    let used = HashSet(equations |> List.collect rightSides |> Expr.inputs)
    delayed.All |> List.filter (fun d -> used.Contains d.Symbol)

/// The methods whose steps are explicit and move the whole state.
let private explicitMethods =
    [ for tableau in Catalogue.All do
          if not tableau.IsImplicit then
              tableau.Name ]

let private ofMethod (choice: MethodChoice) =
    match Methods.familyOf choice with
    | Methods.Family.Tableau tableau when tableau.IsImplicit -> Some "is implicit"
    | Methods.Family.Multistep -> Some "keeps past values of its own"
    | Methods.Family.Exponential -> Some "steps by functions of a matrix"
    | Methods.Family.Switching -> Some "may change to an implicit method"
    | Methods.Family.Reversible -> Some "steps back by itself"
    | Methods.Family.Tableau _
    | Methods.Family.Stochastic -> None
    |> Option.map (fun what ->
        error choice.Span (Delay(MethodRefusesDelays(choice.Name, what, explicitMethods))))

let private ofGradient (gradient: GradientChoice option) place =
    gradient
    |> Option.filter (fun gradient -> not gradient.KeepsAllStates)
    |> Option.map (fun gradient -> error place (Delay(GradientThroughDelays gradient.Written)))

/// Those of which the declared values say that they are negative: a sign that is the wrong way round.
let private intoTheFuture (model: Typed.Model) =
    let values = DeclaredValues(model, Dictionary())

    [ for delayed in model.Delays do
          match values.TryNumber delayed.Delay with
          | Some delay when delay < 0.0 -> error delayed.Span (Delay(DelayTurnsNegative delay))
          | Some _
          | None -> () ]

/// The adjoint of an equation with delays asks for what lies ahead of it, so that it is not solved beside the state backwards.
let ofModel (model: Typed.Model) : Error list =
    match model.Delays with
    | [] -> []
    | first :: _ ->
        [ yield! intoTheFuture model
          if not model.Wiener.IsEmpty then
              error first.Span (NotSupportedYet(EquationForm "a delay in a model with noise"))
          if model.Equations |> List.exists _.IsConstraint then
              error first.Span (NotSupportedYet(EquationForm "a delay in a model with algebraic constraints"))
          yield! Option.toList (ofGradient model.Solve.Gradient first.Span)
          yield! Option.toList (Option.bind ofMethod model.Solve.Method) ]
