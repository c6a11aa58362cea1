/// The adjoint of a system and the gradients of its parameters.
module internal DiffEqLang.Compiler.Backends.Explain.Adjoint

open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Typed
open DiffEqLang.Compiler.Ir.Dynamics
open DiffEqLang.Compiler.Passes
open DiffEqLang.Compiler.Backends.Latex
open DiffEqLang.Compiler.Backends.Explain.FormulaLine

/// λ' = -(∂f/∂x)ᵀ λ and dL/dθ = ∫ (∂f/∂θ)ᵀ λ dt, by the same vector-Jacobian product that generated code has.
let adjoint (model: Dynamics.Model) =
    let components = model.Components
    let parameters = model.Typed.Parameters |> List.map _.Symbol
    let product = Derivatives.vjp components (components |> List.map _.Drift) parameters
    let negative = product.States |> List.map Build.neg |> Simplify.run

    let states =
        List.map2
            (fun (c: Component) e ->
                formula
                    (sprintf "dλ_%s/dt" c.Symbol.Name)
                    (sprintf @"\frac{\mathrm{d}\lambda_{%s}}{\mathrm{d}t}" (Formula.name c.Symbol.Name))
                    e)
            components
            negative

    let gradients =
        List.zip parameters product.Parameters
        |> List.filter (snd >> Build.isZero >> not)
        |> List.map (fun (p, e) ->
            formula
                (sprintf "integrand of dL/d%s" p.Name)
                (sprintf
                    @"\frac{\mathrm{d}}{\mathrm{d}t}\frac{\partial L}{\partial %s}"
                    (Formula.name p.Name))
                e)

    // Shown as λ: the cotangent of the state.
    let names =
        List.zip product.Cotangents components
        |> List.map (fun (w, c) -> Build.input w, "λ_" + c.Symbol.Name)

    states, gradients, names
