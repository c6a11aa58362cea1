/// Whether the gradient of the solve block goes with its method, and both with the model's events and noise.
module internal DiffEqLang.Compiler.Checking.GradientChoice

open DiffEqLang.Tableaux
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Typed
open DiffEqLang.Compiler.Checking.Errors

/// Only the discrete gradient, which goes back by the steps of the solve, knows where an event has cut one.
let private ofEvents (solve: SolveBlock) (events: EventDecl list) : Error option =
    match
        events,
        solve.Method |> Option.map (fun choice -> choice.Name, Methods.familyOf choice),
        solve.Gradient
    with
    | [], _, _ -> None
    | first :: _, Some(name, Methods.Family.Reversible), _ ->
        Some(error first.Span (Event(MethodThroughEvents name)))
    | first :: _, _, Some gradient when gradient.Mode <> "discrete" ->
        Some(error first.Span (Event(GradientThroughEvents gradient.Written)))
    | _ -> None

let private refusal (gradient: GradientChoice) what reason =
    error gradient.Span (Solve(GradientRefuses(gradient.Written, what, reason)))

/// Paths of stochastic equations have gradients of their own: the discrete one, and the adjoint solved backwards.
let private ofNoise (gradient: GradientChoice) (wiener: WienerDecl list) : Error option =
    match gradient, wiener with
    | { Checkpoints = None; Mode = "discrete" | "backsolve" }, _
    | _, [] -> None
    | _ -> Some(refusal gradient "noise" "it is made for ordinary differential equations")

/// Where states are bound by constraints, only the gradient that keeps all of them knows how.
let private ofConstraints (gradient: GradientChoice) (algebraic: 'Unknown list) : Error option =
    if algebraic.IsEmpty || gradient.KeepsAllStates then
        None
    else
        Some(
            refusal
                gradient
                "algebraic constraints"
                "only states that are all kept have the adjoint of what they are bound by"
        )

/// A method whose steps are differentiated once, and why.
let private ofStepsDifferentiatedOnce (choice: MethodChoice) =
    match Methods.familyOf choice with
    | Methods.Family.Multistep -> Some "its steps go on from past values, which are differentiated once"
    | _ when Methods.splits choice -> Some "it splits the equations, whose parts are differentiated once"
    | Methods.Family.Tableau _
    | Methods.Family.Exponential
    | Methods.Family.Switching
    | Methods.Family.Reversible
    | Methods.Family.Stochastic -> None
    |> Option.map (fun reason -> sprintf "`%s`" choice.Name, reason)

/// What gradients cannot be differentiated again through, and why.
let private ofSecondOrder (gradient: GradientChoice) (model: Typed.Model) : Error option =
    let obstacle =
        if not model.Wiener.IsEmpty then
            Some("noise", "it is made for ordinary differential equations")
        elif not model.Events.IsEmpty then
            Some("events", "how their times bend with the parameters is not followed")
        elif not model.Delays.IsEmpty then
            Some("delays", "what past states are made of is differentiated once")
        elif not model.Algebraic.IsEmpty then
            Some("algebraic constraints", "the states that fulfil them are differentiated once")
        else
            model.Solve.Method |> Option.bind ofStepsDifferentiatedOnce

    if gradient.Order = 1 then
        None
    else
        obstacle |> Option.map (fun (what, reason) -> refusal gradient what reason)

/// Why a gradient does not go with a Runge-Kutta method; None where it does.
let private ofTableau mode (tableau: RungeKuttaTableau) : string option =
    match mode with
    | "backsolve" when tableau.IsImplicit ->
        Some "the method is implicit, and what is stiff forwards cannot be solved backwards"
    | "interpolated" when tableau.IsImplicit ->
        Some "the method is implicit, and this adjoint is solved by explicit methods alone"
    | "backsolve"
    | "interpolated" when tableau.IsPartitioned ->
        Some "the method moves positions and momenta apart, and the adjoint's equations do not fall into such"
    | "reversible" -> Some "steps of the method cannot be undone"
    | _ -> None

let private ofMethod (gradient: GradientChoice) (choice: MethodChoice option) : Error option =
    let family =
        choice
        |> Option.map Methods.familyOf
        |> Option.defaultValue (Methods.Family.Tableau(Catalogue.Find Methods.byDefault))

    match family with
    | Methods.Family.Tableau tableau -> ofTableau gradient.Mode tableau
    | Methods.Family.Reversible when gradient.Mode <> "reversible" ->
        Some "the method steps back by itself, which is `gradient = reversible`"
    | Methods.Family.Switching when not gradient.KeepsAllStates ->
        Some "the method changes on the way, and only steps that are all kept say where"
    | Methods.Family.Multistep when not gradient.KeepsAllStates ->
        Some "the method's steps go on from past values, all of which the adjoint needs"
    | Methods.Family.Exponential when not gradient.KeepsAllStates ->
        Some "the adjoint of the method's steps needs all of their states"
    | Methods.Family.Reversible
    | Methods.Family.Switching
    | Methods.Family.Multistep
    | Methods.Family.Exponential
    | Methods.Family.Stochastic -> None
    |> Option.map (
        refusal
            gradient
            (sprintf "`%s`" (choice |> Option.map _.Name |> Option.defaultValue Methods.byDefault))
    )

/// What speaks against the gradient of the solve block.
let ofModel (model: Typed.Model) : Error list =
    let ofGradient =
        match model.Solve.Gradient with
        | None -> []
        | Some gradient ->
            [ ofSecondOrder gradient model
              ofNoise gradient model.Wiener
              ofConstraints gradient model.Algebraic
              ofMethod gradient model.Solve.Method ]

    ofEvents model.Solve model.Events :: ofGradient |> List.choose id
