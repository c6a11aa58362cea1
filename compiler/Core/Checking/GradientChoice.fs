/// Whether the gradient of the solve block goes with its method, and both with the model's events and noise.
module internal DiffEqLang.Compiler.Checking.GradientChoice

open DiffEqLang.Tableaux
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Typed
open DiffEqLang.Compiler.Checking.Errors

let private isReversible (choice: MethodChoice) = List.contains choice.Name Methods.reversibleNames

/// Only the discrete gradient that keeps all states and the steps between them knows where an event has cut a step.
let private ofEvents (solve: SolveBlock) (events: EventDecl list) : Error option =
    match events, solve.Method, solve.Gradient with
    | [], _, _ -> None
    | first :: _, Some choice, _ when isReversible choice ->
        Some(error first.Span (Event(MethodThroughEvents choice.Name)))
    | _, _, (None | Some { Mode = "discrete"; Checkpoints = None }) -> None
    | first :: _, _, Some gradient -> Some(error first.Span (Event(GradientThroughEvents gradient.Written)))

let private refusal (gradient: GradientChoice) what reason =
    error gradient.Span (Solve(GradientRefuses(gradient.Written, what, reason)))

/// Paths of stochastic equations have gradients of their own: the discrete one, and the adjoint solved backwards.
let private ofNoise (gradient: GradientChoice) (wiener: WienerDecl list) : Error option =
    match gradient, wiener with
    | { Checkpoints = None; Mode = "discrete" | "backsolve" }, _
    | _, [] -> None
    | _ -> Some(refusal gradient "noise" "it is made for ordinary differential equations")

/// Where states are bound by constraints, only the gradient that keeps all of them knows how.
let private ofConstraints (solve: SolveBlock) (algebraic: 'Unknown list) : Error option =
    match algebraic, solve.Method, solve.Gradient with
    | [], _, _ -> None
    | _, Some choice, _ when isReversible choice ->
        let alternatives = [ for t in Catalogue.ForConstraints -> t.Name ]

        let refused =
            MethodRefusesConstraints(
                choice.Name,
                "it is explicit, and constraints are equations to be solved",
                alternatives
            )

        Some(error choice.Span (Solve refused))
    | _, _, (None | Some { Mode = "discrete"; Checkpoints = None }) -> None
    | _, _, Some gradient ->
        Some(
            refusal
                gradient
                "algebraic constraints"
                "only states that are all kept have the adjoint of what they are bound by"
        )

/// Why a gradient does not go with a Runge-Kutta method; None where it does.
let private obstacle mode (tableau: RungeKuttaTableau) : string option =
    match mode with
    | "backsolve" when tableau.IsImplicit ->
        Some "the method is implicit, and what is stiff forwards cannot be solved backwards"
    | "interpolated" when tableau.IsImplicit ->
        Some "the method is implicit, and this adjoint is solved by explicit methods alone"
    | "backsolve"
    | "interpolated" when tableau.IsPartitioned ->
        Some "the method is symplectic, and the adjoint's equations do not fall into positions and momenta"
    | "forward" when not (isNull tableau.Rosenbrock) ->
        Some "the method steps by the Jacobian itself, whose derivative this gradient would need"
    | "reversible" -> Some "steps of the method cannot be undone"
    | _ -> None

let private ofMethod (gradient: GradientChoice) (choice: MethodChoice option) : Error option =
    let name = choice |> Option.map _.Name |> Option.defaultValue Methods.byDefault
    let refused reason = refusal gradient (sprintf "`%s`" name) reason

    match choice with
    | Some reversible when isReversible reversible ->
        if gradient.Mode = "reversible" then
            None
        else
            Some(refused "the method steps back by itself, which is `gradient = reversible`")
    | Some { Tableau = None } when name = Methods.switching ->
        match gradient with
        | { Mode = "discrete"; Checkpoints = None } -> None
        | _ -> Some(refused "the method changes on the way, and only steps that are all kept say where")
    | Some { Tableau = None } when not (isNull (Catalogue.FindMultistep name)) ->
        match gradient with
        | { Mode = "discrete"; Checkpoints = None } -> None
        | _ -> Some(refused "the method's steps go on from past values, all of which the adjoint needs")
    | _ ->
        choice
        |> Option.bind _.Tableau
        |> Option.orElse (Option.ofObj (Catalogue.Find name))
        |> Option.bind (obstacle gradient.Mode)
        |> Option.map refused

/// What speaks against the gradient of the solve block.
let ofModel (model: Typed.Model) : Error list =
    let ofGradient =
        match model.Solve.Gradient with
        | None -> []
        | Some gradient -> [ ofNoise gradient model.Wiener; ofMethod gradient model.Solve.Method ]

    ofEvents model.Solve model.Events
    :: ofConstraints model.Solve model.Algebraic
    :: ofGradient
    |> List.choose id
