/// An explanation as titled sections of mathematics: what Markdown and LaTeX share.
module internal DiffEqLang.Compiler.Backends.Explain.Sections

open DiffEqLang.Compiler.Ir.Typed
open DiffEqLang.Compiler.Ir.Dynamics
open DiffEqLang.Compiler.Passes
open DiffEqLang.Compiler.Backends.Explain.Explanation
open DiffEqLang.Compiler.Backends.Explain.FormulaLine
open DiffEqLang.Compiler.Backends.Explain.Notation

type Section =
    {
        Title: string
        Introduction: string
        /// Lines of an aligned block.
        Formulas: string list
        /// Whether a picture of the Jacobian's pattern belongs here.
        HasPattern: bool
    }

let private section title introduction formulas =
    { Title = title
      Introduction = introduction
      Formulas = formulas
      HasPattern = false }

let private lines write (formulas: Formula list) =
    formulas |> List.map (fun f -> sprintf "%s &= %s" f.LeftLatex (write f))

let private ofNoise (noise: Noise) =
    sprintf
        "%s noise, in the sense of %s. %s"
        (Naming.capitalized (noiseName noise.Structure))
        (calculusName noise.Calculus)
        noise.Reason

let private targetSentence (x: Explanation) =
    match target x with
    | "simd", reason -> sprintf "The code runs over SIMD registers of the CPU (simd): %s." reason
    | name, reason -> sprintf "The code runs on tensors (%s): %s." name reason

/// When it happens; what is watched stands in the formulas.
let private occasion (event: Event) =
    let words =
        match event.Decl.Trigger with
        | Root(Rising, _) -> "Where $g$ passes zero from below."
        | Root(Falling, _) -> "Where $g$ passes zero from above."
        | Root(Crossing, _) -> "Where $g$ passes zero."
        | Every period -> sprintf "At all multiples of %g in time." period
        | Once time -> sprintf "At the time %g." time

    if event.Decl.Stops then words + " The solve stops there." else words

/// Where the stiff part comes from.
let stiffIntroduction (x: Explanation) =
    match x.Model.Splitting with
    | Marked ->
        "The terms that the model marks; methods that split take them implicitly, the others explicitly."
    | LinearTerms ->
        "The terms that are linear in the states with constant coefficients; the method takes them implicitly, the others explicitly."
    | Unsplit _ -> ""

let sections (x: Explanation) : Section list =
    let results = lines (latexResult x)

    [ section "Equations" "" (results x.Equations)
      if not x.Stiff.IsEmpty then
          section "Stiff part" (stiffIntroduction x) (results x.Stiff)
      for i, (event, formulas) in List.indexed x.Events do
          section (sprintf "Event %d" (i + 1)) (occasion event) (results formulas)
      if not x.Terms.IsEmpty then
          section "Shared terms" "What is used more than once, here and below." (lines (latexRight x) x.Terms)
      { section "Jacobian" (sprintf "%s." (sparsity x)) (results (jacobianFormulas x)) with
          HasPattern = true }
      section "Adjoint" (adjointIntroduction x) (results x.Adjoint.States)
      if not x.Adjoint.Gradients.IsEmpty then
          section "Gradients" (gradientsIntroduction x) (results x.Adjoint.Gradients)
      match x.Model.Noise with
      | Some noise -> section "Noise" (ofNoise noise) []
      | None -> ()
      match x.OtherDrift with
      | Some(calculus, formulas) ->
          section
              (sprintf "In the sense of %s" (calculusName calculus))
              "The drift of the same process in the other calculus."
              (results formulas)
      | None -> ()
      section "Target" (targetSentence x) [] ]
