/// The adjoint of a system, λ = ∂L/∂x, and the gradients of its parameters, by the same vector-Jacobian products that
/// generated code has.
///
///     ODE    dλ/dt = -(∂f/∂x)ᵀλ                               dL/dθ = ∫ (∂f/∂θ)ᵀλ dt
///     DAE    dλ_x/dt = -(∂f/∂x)ᵀλ_x - (∂g/∂x)ᵀλ_y,  0 = (∂f/∂y)ᵀλ_x + (∂g/∂y)ᵀλ_y (Cao, Li, Petzold and Serban 2003, SIAM J. Sci. Comput. 24)
///     SDE    dλ = -(∂f/∂x)ᵀλ dt - Σₖ (∂gₖ/∂x)ᵀλ ∘ dWₖ         dL/dθ = ∫ (∂f/∂θ)ᵀλ dt + Σₖ ∫ (∂gₖ/∂θ)ᵀλ ∘ dWₖ
///
/// Both run backwards from the loss. The SDE's is in the sense of Stratonovich, where the chain rule holds, with f the
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

let ofModel (model: Dynamics.Model) : Adjoint =
    let components = model.Components
    let parameters = model.Typed.Parameters |> List.map _.Symbol

    let products =
        parts model
        |> List.map (fun (part, values) ->
            let product = Derivatives.vjp components values parameters
            part, product.States |> List.map Build.neg |> Simplify.run, product.Parameters)

    let shown isOptional e = not (isOptional && Build.isZero e)

    // By state, then by part: the drift of λ_x, the noise of λ_x, the drift of λ_y.
    let states =
        [ for i, c in List.indexed components do
              for part, ofStates, _ in products do
                  if shown part.IsOptional ofStates[i] then
                      part.State c ofStates[i] ]

    let gradients =
        [ for i, p in List.indexed parameters do
              for part, _, ofParameters in products do
                  if shown true ofParameters[i] then
                      part.Gradient p ofParameters[i] ]

    { States = states
      Gradients = gradients
      Cotangents =
        List.zip (Derivatives.cotangents components) components
        |> List.map (fun (w, c) -> Build.input w, "λ_" + c.Symbol.Name) }
