/// What a model's delays allow.
module internal DiffEqLang.Compiler.Checking.Delays

open System.Collections.Generic
open DiffEqLang.Tableaux
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Typed
open DiffEqLang.Compiler.Checking.Errors
open DiffEqLang.Compiler.Checking.Context

let private rightSides (equation: Equation) =
    match equation with
    | Ordinary(_, _, right, _) -> [ right ]
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

/// What a method is that does not solve equations with delays.
let private obstacle (name: string) : string option =
    match Option.ofObj (Catalogue.Find name) with
    | Some tableau when tableau.IsImplicit -> Some "is implicit"
    | Some _ -> None
    | None when not (isNull (Catalogue.FindMultistep name)) -> Some "keeps past values of its own"
    | None when name = Methods.switching -> Some "may change to an implicit method"
    | None when List.contains name Methods.reversibleNames -> Some "steps back by itself"
    | None -> None

let private ofMethod (choice: MethodChoice) =
    match choice.Tableau, obstacle choice.Name with
    | None, Some what ->
        [ error choice.Span (Delay(MethodRefusesDelays(choice.Name, what, explicitMethods))) ]
    | _ -> []

let private ofGradient (gradient: GradientChoice option) place =
    match gradient with
    | None
    | Some { Mode = "discrete"; Checkpoints = None } -> []
    | Some gradient -> [ error place (Delay(GradientThroughDelays gradient.Written)) ]

/// The adjoint of an equation with delays asks for what lies ahead of it, so that it is not solved beside the state backwards.
let ofModel (model: Typed.Model) : Error list =
    match model.Delays with
    | [] -> []
    | first :: _ ->
        [ if not model.Wiener.IsEmpty then
              error first.Span (NotSupportedYet(EquationForm "a delay in a model with noise"))
          if model.Equations |> List.exists _.IsConstraint then
              error first.Span (NotSupportedYet(EquationForm "a delay in a model with algebraic constraints"))
          yield! ofGradient model.Solve.Gradient first.Span
          yield! model.Solve.Method |> Option.toList |> List.collect ofMethod ]
