/// An explanation as titled sections: what Markdown and LaTeX share.
module internal DiffEqLang.Compiler.Backends.Explain.Sections

open DiffEqLang.Compiler.Ir.Dynamics
open DiffEqLang.Compiler.Passes
open DiffEqLang.Compiler.Backends.Explain.Explanation
open DiffEqLang.Compiler.Backends.Explain.FormulaLine
open DiffEqLang.Compiler.Backends.Explain.Notation

let private mathLines x results (formulas: Formula list) =
    formulas
    |> List.map (fun f ->
        sprintf "%s &= %s" f.LeftLatex (if results then latexResult x f else latexRight x f))

/// Sections as title, introduction and formulas: what Markdown and LaTeX share.
let sections (x: Explanation) : (string * string * string list) list =
    [ "Equations", "", mathLines x true x.Equations
      if not x.Terms.IsEmpty then
          "Shared terms", "What is used more than once, here and below.", mathLines x false x.Terms
      "Jacobian", sprintf "%s." (sparsity x), mathLines x true (jacobianFormulas x)
      ofDrift x "Adjoint",
      "The cotangent of the state runs backwards from the loss.",
      mathLines x true x.Adjoint
      if not x.Gradients.IsEmpty then
          ofDrift x "Gradients",
          "Integrated over the solve, summed over the batch.",
          mathLines x true x.Gradients
      match x.Model.Noise with
      | Some noise ->
          "Noise",
          sprintf
              "%s noise, in the sense of %s. %s"
              (Naming.capitalized (noiseName noise.Structure))
              (calculusName noise.Calculus)
              noise.Reason,
          []
      | None -> ()
      match x.Correction with
      | Some(title, formulas) ->
          sprintf "In the sense of %s" title,
          "The drift of the same process in the other calculus.",
          mathLines x true formulas
      | None -> () ]
