/// What a kernel computes of a model's noise: the expressions that the code for torch has too (Kloeden and Platen 1992, 10.3).
///
///     Diffusion         g(t, x) dW
///     Milstein          ½ Σᵢⱼ Lⁱgʲ dWᵢ dWⱼ, where the noise is commutative
///     ItoCorrection     ½ Σⱼ Lʲgʲ
module internal DiffEqLang.Compiler.Backends.Simd.Stochastic

open DiffEqLang.Compiler.Ir.Dynamics
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Passes

/// What a method of a kernel computes: a value for each component.
type Quantity =
    {
        Name: string
        Summary: string
        /// What its product is a product of.
        Called: string
        /// The array that takes the values.
        Result: string
        /// Whether it is a function of the increments too.
        HasIncrements: bool
        Values: Expr list
    }

let drift (summary: string) (values: Expr list) =
    { Name = "Drift"
      Summary = summary
      Called = "the drift"
      Result = "slope"
      HasIncrements = false
      Values = values }

let private ofNoise name called summary values =
    { Name = name
      Summary = summary
      Called = called
      Result = "noise"
      HasIncrements = true
      Values = values }

/// Those of the noise. Where the diffusion does not depend on the state its derivatives are zero, and nobody asks for them.
let quantities (model: Model) : Quantity list =
    match model.Noise with
    | None -> []
    | Some noise ->
        let derivatives = Derivatives.ofNoise noise model.Components

        [ ofNoise
              "Diffusion"
              "the noise"
              "The noise over a step: diffusion times increments."
              (model.Components |> List.map _.Diffusion)
          if noise.Structure <> Additive then
              match derivatives.Milstein with
              | Some values ->
                  ofNoise
                      "Milstein"
                      "Milstein's term"
                      "The double stochastic integrals of Milstein's scheme."
                      values
              | None -> ()

              { Name = "ItoCorrection"
                Summary = "What the Itô drift has over the Stratonovich drift."
                Called = "the correction"
                Result = "correction"
                HasIncrements = false
                Values = derivatives.ItoCorrection } ]
