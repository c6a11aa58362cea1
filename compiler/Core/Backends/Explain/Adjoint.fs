/// The adjoint of a system, λ = ∂L/∂x, and the gradients of its parameters, by the same vector-Jacobian products that
/// generated code has.
///
///     ODE    dλ/dt = -(∂f/∂x)ᵀλ                               dL/dθ = ∫ (∂f/∂θ)ᵀλ dt
///     DAE    dλ_x/dt = -(∂f/∂x)ᵀλ_x - (∂g/∂x)ᵀλ_y,  0 = (∂f/∂y)ᵀλ_x + (∂g/∂y)ᵀλ_y (Cao, Li, Petzold and Serban 2003, SIAM J. Sci. Comput. 24)
///     SDE    dλ = -(∂f/∂x)ᵀλ dt - Σₖ (∂gₖ/∂x)ᵀλ ∘ dWₖ         dL/dθ = ∫ (∂f/∂θ)ᵀλ dt + Σₖ ∫ (∂gₖ/∂θ)ᵀλ ∘ dWₖ
///
///     delay  dλ/dt = -(∂f/∂x)ᵀλ - a(t + τ)                    dL/dτ = -∫ aᵀ x'(t - τ) dt
///            a = (∂f/∂x(t - τ))ᵀλ
///
/// All run backwards from the loss. The SDE's is in the sense of Stratonovich, where the chain rule holds, with f the
/// Stratonovich drift of the process (Li, Wong, Chen and Duvenaud 2020, "Scalable gradients for stochastic differential
/// equations", eq. 5 and 6; Kidger, Foster, Li and Lyons 2021, "Efficient and accurate gradients for neural SDEs").
module internal DiffEqLang.Compiler.Backends.Explain.Adjoint

open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Typed
open DiffEqLang.Compiler.Ir.Dynamics
open DiffEqLang.Compiler.Passes
open DiffEqLang.Compiler.Backends.Latex
open DiffEqLang.Compiler.Backends.Explain.FormulaLine

type Adjoint =
    {
        States: Formula list
        /// What is integrated over the solve.
        Gradients: Formula list
        /// The cotangents of the states by the names that they are shown with.
        Cotangents: (Expr * string) list
    }

/// How the part of an equation that one differential drives is written down.
type private Part =
    {
        State: Component -> Expr -> Formula
        Gradient: Symbol -> Expr -> Formula
        /// Zeros are left out: no noise drives it.
        IsOptional: bool
    }

let private lambda (c: Component) = sprintf @"\lambda_{%s}" (Formula.name c.Symbol.Name)
let private partial (p: Symbol) = sprintf @"\partial L / \partial %s" (Formula.name p.Name)

/// An ODE's only part.
let private byTime =
    { State =
        fun c e ->
            if c.IsAlgebraic then
                formula "0" "0" e
            else
                formula
                    (sprintf "dλ_%s/dt" c.Symbol.Name)
                    (sprintf @"\frac{\mathrm{d}%s}{\mathrm{d}t}" (lambda c))
                    e
      Gradient =
        fun p e ->
            formula
                (sprintf "integrand of dL/d%s" p.Name)
                (sprintf @"\frac{\mathrm{d}}{\mathrm{d}t}\frac{\partial L}{\partial %s}" (Formula.name p.Name))
                e
      IsOptional = false }

let private drift =
    { State = fun c e -> formula (sprintf "drift of λ_%s" c.Symbol.Name) (sprintf "f_{%s}" (lambda c)) e
      Gradient = fun p e -> formula (sprintf "drift of dL/d%s" p.Name) (sprintf "f_{%s}" (partial p)) e
      IsOptional = false }

let private noise =
    let latex = sprintf @"(g \circ \mathrm{d}W)_{%s}"

    { State = fun c e -> formula (sprintf "noise of λ_%s" c.Symbol.Name) (latex (lambda c)) e
      Gradient = fun p e -> formula (sprintf "noise of dL/d%s" p.Name) (latex (partial p)) e
      IsOptional = true }

/// The parts of the system with the values that they have for each component.
let private parts (model: Dynamics.Model) =
    let components = model.Components

    match model.Noise with
    | None -> [ byTime, components |> List.map _.Drift ]
    | Some ofModel ->
        [ drift, Derivatives.driftIn Stratonovich ofModel components
          noise, components |> List.map _.Diffusion ]

/// A state's past in an equation: what that gives to the adjoint of the state, a delay later.
type private Lag =
    {
        Component: Component
        Delay: Expr
        /// `x(t - tau)`
        Delayed: Symbol
        Name: string
    }

let private lags (model: Dynamics.Model) =
    let names = Naming.Unique []

    [ for delay in model.Delays do
          for c, delayed in delay.States ->
              { Component = c
                Delay = delay.Value
                Delayed = delayed
                Name = names.Fresh("a_" + c.Symbol.Name) } ]

/// `a_x(t + tau)`
let private advanced (lag: Lag) =
    let time = lag.Delayed.Name.Substring(lag.Component.Symbol.Name.Length)

    Build.input
        { lag.Component.Symbol with
            Name = lag.Name + time.Replace("(t - ", "(t + ")
            Role = Cotangent }

/// What the parameters of a delay get by it: -aᵀ x'(t - τ) for the delay itself.
let private throughDelay (parameters: Symbol list) (lag: Lag, ofDelayed: Expr) =
    let name = lag.Component.Symbol.Name
    let rate = { lag.Delayed with Name = name + "'" + lag.Delayed.Name.Substring name.Length }
    let ofDelay = Build.mul ofDelayed (Build.input rate) |> Build.sumAll |> Build.neg

    Differentiate.vjp [ lag.Delay, ofDelay ] (List.map Build.input parameters)
    |> Simplify.run
    |> List.map Build.batchSum

let ofModel (model: Dynamics.Model) : Adjoint =
    let components = model.Components
    let parameters = model.Typed.Parameters |> List.map _.Symbol
    let lags = lags model
    let sources = (components |> List.map _.Symbol) @ (lags |> List.map _.Delayed)

    let products =
        parts model
        |> List.map (fun (part, values) ->
            let product =
                Derivatives.vjpOf (List.zip values (Derivatives.cotangents components)) sources parameters

            let ofStates, ofDelayed = List.splitAt components.Length product.States
            part, ofStates, List.zip lags ofDelayed, product.Parameters)

    let ofState (c: Component) (own: Expr) =
        lags
        |> List.filter (fun lag -> lag.Component.Symbol = c.Symbol)
        |> List.map advanced
        |> List.fold Build.add own
        |> Build.neg

    let states' =
        products
        |> List.map (fun (_, ofStates, _, _) -> List.map2 ofState components ofStates |> Simplify.run)

    let gradients' =
        products
        |> List.map (fun (_, _, delayed, ofParameters) ->
            List.map (throughDelay parameters) delayed |> List.fold (List.map2 Build.add) ofParameters)

    let shown isOptional e = not (isOptional && Build.isZero e)

    // By state, then by part: the drift of λ_x, the noise of λ_x, the drift of λ_y.
    let states =
        [ for i, c in List.indexed components do
              for (part, _, _, _), ofStates in List.zip products states' do
                  if shown part.IsOptional ofStates[i] then
                      part.State c ofStates[i]
          for _, _, delayed, _ in products do
              for lag, ofDelayed in delayed do
                  formula lag.Name (Formula.name lag.Name) ofDelayed ]

    let gradients =
        [ for i, p in List.indexed parameters do
              for (part, _, _, _), ofParameters in List.zip products gradients' do
                  if shown true ofParameters[i] then
                      part.Gradient p ofParameters[i] ]

    { States = states
      Gradients = gradients
      Cotangents =
        List.zip (Derivatives.cotangents components) components
        |> List.map (fun (w, c) -> Build.input w, "λ_" + c.Symbol.Name) }
