/// Whether the method of the solve block can solve the model: once from its equations, once more when the structure
/// of its noise is known.
module internal DiffEqLang.Compiler.Checking.MethodChoice

open DiffEqLang.Contracts
open DiffEqLang.Tableaux
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Typed
open DiffEqLang.Compiler.Ir.Dynamics
open DiffEqLang.Compiler.Checking.Errors

let private isStochastic (model: Typed.Model) =
    model.Equations
    |> List.exists (fun equation ->
        match equation with
        | Stochastic(_, _, diffusion, _) -> diffusion.DependsOn.HasFlag Dependence.Noise
        | Ordinary _
        | Constraint _ -> false)

let private chosen (model: Typed.Model) =
    model.Solve.Method
    |> Option.bind (fun choice ->
        match choice.Tableau with
        | Some _ -> Some(choice, Methods.Deterministic)
        | None -> Methods.tryFind choice.Name |> Option.map (fun m -> choice, m.Noise))

/// A method for ordinary equations in a model with noise, or the other way round.
let ofModel (model: Typed.Model) : Error option =
    match chosen model, isStochastic model with
    | Some(choice, Methods.Deterministic), true ->
        let mismatch =
            MethodIgnoresNoise(choice.Name, model.Wiener.Head.Name, Methods.stochasticNames)

        Some(error choice.Span (Noise mismatch))
    | Some(choice, (Methods.AnyNoise | Methods.CommutativeNoise)), false ->
        Some(error choice.Span (Noise(MethodNeedsNoise(choice.Name, Methods.deterministic))))
    | Some(_, Methods.Deterministic), false
    | Some(_, (Methods.AnyNoise | Methods.CommutativeNoise)), true
    | None, _ -> None

/// Milstein's method on general noise would need Lévy areas (Kloeden and Platen 1992, section 10.3).
let ofStructure (model: Typed.Model) (noise: Dynamics.Noise) : Diagnostic option =
    match chosen model, noise.Structure with
    | Some(choice, Methods.CommutativeNoise), General ->
        let refusal =
            MethodRefusesStructure(choice.Name, "general", noise.Reason, Methods.forGeneralNoise)

        Some(Messages.Render.diagnostic (error choice.Span (Noise refusal)))
    | Some(_, Methods.CommutativeNoise), (Additive | Diagonal | Scalar | Commutative)
    | Some(_, (Methods.AnyNoise | Methods.Deterministic)), _
    | None, _ -> None

/// A method whose steps do not end on algebraic constraints; the tableau says why.
let ofConstraints (model: Typed.Model) : Error option =
    let obstacle (choice: MethodChoice) =
        match Methods.familyOf choice with
        | Methods.Family.Tableau tableau -> Option.ofObj tableau.ObstacleToConstraints
        | Methods.Family.Multistep -> Some "its past values do not fulfil them"
        | Methods.Family.Exponential
        | Methods.Family.Reversible -> Some "it is explicit, and constraints are equations to be solved"
        | Methods.Family.Switching -> Some "it begins with an explicit method"
        | Methods.Family.Stochastic -> None

    let refusal (choice: MethodChoice) =
        obstacle choice
        |> Option.map (fun reason ->
            let alternatives = [ for t in Catalogue.ForConstraints -> t.Name ]
            error choice.Span (Solve(MethodRefusesConstraints(choice.Name, reason, alternatives))))

    if model.Algebraic.IsEmpty then None else Option.bind refusal model.Solve.Method

/// A symplectic method on equations that do not fall into positions and momenta.
let ofPartition (model: Typed.Model) (partition: Dynamics.Partition) : Diagnostic option =
    let isSymplectic (choice: MethodChoice) =
        match Methods.familyOf choice with
        | Methods.Family.Tableau tableau -> tableau.IsPartitioned
        | Methods.Family.Multistep
        | Methods.Family.Exponential
        | Methods.Family.Switching
        | Methods.Family.Reversible
        | Methods.Family.Stochastic -> false

    let symplectic = model.Solve.Method |> Option.filter isSymplectic

    match symplectic, partition with
    | Some choice, Inseparable reason when model.Wiener.IsEmpty && model.Algebraic.IsEmpty ->
        let refusal = MethodRefusesEquations(choice.Name, reason)
        Some(Messages.Render.diagnostic (error choice.Span (Solve refusal)))
    | _, (Inseparable _ | Separable _) -> None

/// A method that splits, on equations without a part that it can treat apart; `nonlinear` is a state whose marked terms are not linear.
let ofSplitting
    (model: Typed.Model)
    (splitting: Dynamics.Splitting)
    (nonlinear: string option)
    : Diagnostic option =
    let refusal (choice: MethodChoice) =
        match Methods.familyOf choice, splitting, nonlinear with
        | Methods.Family.Exponential, Unsplit reason, _ -> Some(MethodNeedsLinearPart(choice.Name, reason))
        | Methods.Family.Exponential, Marked, Some state ->
            Some(MethodNeedsLinearPart(choice.Name, sprintf "the marked terms of `%s` are not" state))
        | _, Unsplit reason, _ -> Some(MethodNeedsParts(choice.Name, reason))
        | _, (Marked | LinearTerms), _ -> None
        |> Option.map (fun refusal -> Messages.Render.diagnostic (error choice.Span (Solve refusal)))

    // Noise, constraints and delays have messages of their own.
    if model.Wiener.IsEmpty && model.Algebraic.IsEmpty && model.Delays.IsEmpty then
        model.Solve.Method |> Option.filter Methods.splits |> Option.bind refusal
    else
        None
