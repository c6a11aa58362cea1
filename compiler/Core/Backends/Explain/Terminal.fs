/// An explanation for a terminal.
module internal DiffEqLang.Compiler.Backends.Explain.Terminal

open System.Text
open DiffEqLang.Compiler.Ir
open DiffEqLang.Compiler.Ir.Expr
open DiffEqLang.Compiler.Ir.Dynamics
open DiffEqLang.Compiler.Backends.Explain.Explanation
open DiffEqLang.Compiler.Backends.Explain.FormulaLine
open DiffEqLang.Compiler.Backends.Explain.Notation

let write (x: Explanation) : string =
    let out = StringBuilder()
    let line (s: string) = out.Append(s.TrimEnd()).Append('\n') |> ignore

    let section title (formulas: Formula list) =
        if not formulas.IsEmpty then
            line ""
            line title

            for f in formulas do
                line (sprintf "  %s = %s" f.Left (plainResult x f))

    line (sprintf "model %s" x.Model.Typed.Name)

    if x.Model.Typed.Doc <> "" then
        line ("  " + x.Model.Typed.Doc.Replace("\n", "\n  "))

    line ""
    let width f = x.Rows |> List.map (f >> String.length) |> List.fold max 0

    for r in x.Rows do
        line (
            sprintf
                "  %s %s : %s  %s  %s"
                (r.Kind.PadRight(width _.Kind))
                (r.Name.PadRight(width _.Name))
                (r.Type.PadRight(width _.Type))
                (r.Value.PadRight(width _.Value))
                r.Doc
        )

    section "Equations" x.Equations

    if not x.Terms.IsEmpty then
        line ""
        line "Shared terms"

        for f in x.Terms do
            line (sprintf "  %s = %s" f.Left (plainRight x f))

    section (sprintf "Jacobian (%s)" (sparsity x)) (jacobianFormulas x)

    for row in pattern x do
        line ("  " + row)

    section (ofDrift x "Adjoint") x.Adjoint
    section (ofDrift x "Gradients, integrated over the solve") x.Gradients

    match x.Model.Noise with
    | Some noise ->
        line ""

        line (
            sprintf "Noise: %s, %s. %s" (calculusName noise.Calculus) (noiseName noise.Structure) noise.Reason
        )
    | None -> ()

    match x.Correction with
    | Some(title, formulas) -> section (sprintf "The same process in the sense of %s" title) formulas
    | None -> ()

    match solveLines x.Model.Typed.Solve with
    | [] -> ()
    | settings ->
        line ""
        line "Solve"

        for name, value in settings do
            line (sprintf "  %s = %s" name value)

    out.ToString()
