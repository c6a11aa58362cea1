/// An explanation for a terminal.
module internal DiffEqLang.Compiler.Backends.Explain.Terminal

open DiffEqLang.Compiler.Ir.Dynamics
open DiffEqLang.Compiler.Backends.Explain.Declarations
open DiffEqLang.Compiler.Backends.Explain.Explanation
open DiffEqLang.Compiler.Backends.Explain.FormulaLine
open DiffEqLang.Compiler.Backends.Explain.Notation

let private heading (x: Explanation) =
    let typed = x.Model.Typed

    [ sprintf "model %s" typed.Name
      if typed.Doc <> "" then
          "  " + typed.Doc.Replace("\n", "\n  ")
      "" ]

/// In columns.
let private declarations (rows: Row list) =
    let width f = rows |> List.map (f >> String.length) |> List.fold max 0
    let kind, name, typeOf, value = width _.Kind, width _.Name, width _.Type, width _.Value

    [ for r in rows do
          sprintf
              "  %s %s : %s  %s  %s"
              (r.Kind.PadRight kind)
              (r.Name.PadRight name)
              (r.Type.PadRight typeOf)
              (r.Value.PadRight value)
              r.Doc ]

let private section title (write: Formula -> string) (formulas: Formula list) =
    match formulas with
    | [] -> []
    | formulas -> [ ""; title ] @ [ for f in formulas -> sprintf "  %s = %s" f.Left (write f) ]

let private adjoint (x: Explanation) =
    let sense = if x.Model.Noise.IsSome then " in the sense of Stratonovich" else ""

    section (sprintf "Adjoint%s, backwards from the loss" sense) (plainResult x) x.Adjoint.States
    @ section (sprintf "Gradients, integrated over the solve%s" sense) (plainResult x) x.Adjoint.Gradients

let private noise (x: Explanation) =
    match x.Model.Noise with
    | None -> []
    | Some noise ->
        let kind = sprintf "%s, %s" (calculusName noise.Calculus) (noiseName noise.Structure)
        [ ""; sprintf "Noise: %s. %s" kind noise.Reason ]

let private otherDrift (x: Explanation) =
    match x.OtherDrift with
    | None -> []
    | Some(calculus, formulas) ->
        section
            (sprintf "The same process in the sense of %s" (calculusName calculus))
            (plainResult x)
            formulas

let private events (x: Explanation) =
    x.Events
    |> List.collect (fun (event, formulas) ->
        let heading =
            sprintf "Event %s%s" event.Decl.Name (if event.Decl.Stops then ", where the solve stops" else "")

        match formulas with
        | [] -> [ ""; heading ]
        | formulas -> section heading (plainResult x) formulas)

let private targetLine (x: Explanation) =
    let name, reason = target x

    [ ""
      sprintf "Target: %s. %s" name (DiffEqLang.Compiler.Passes.Naming.capitalized reason) ]

let private solve (x: Explanation) =
    match solveLines x.Model.Typed.Solve with
    | [] -> []
    | settings -> [ ""; "Solve" ] @ [ for name, value in settings -> sprintf "  %s = %s" name value ]

let write (x: Explanation) : string =
    [ heading x
      declarations x.Rows
      section "Equations" (plainResult x) x.Equations
      section "Stiff part, which methods that split take implicitly" (plainResult x) x.Stiff
      events x
      section "Shared terms" (plainRight x) x.Terms
      section (sprintf "Jacobian (%s)" (sparsity x)) (plainResult x) (jacobianFormulas x)
      pattern x |> List.map (fun row -> "  " + row)
      adjoint x
      noise x
      otherDrift x
      targetLine x
      solve x ]
    |> List.concat
    |> List.map (fun line -> line.TrimEnd() + "\n")
    |> String.concat ""
